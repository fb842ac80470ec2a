"""The outbox file: blocks in order of their numbers, bounded, on the disk when a call returns. For one thread."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Self

import msgspec
import structlog

from edge_agent.config import OutboxLimits
from edge_agent.outbox import acknowledged, block_table, gap_table, runs
from edge_agent.outbox.block import Block, Released, decode_samples
from edge_agent.outbox.block_table import Held
from edge_agent.outbox.retag import TagName, use_tags
from edge_agent.outbox.runs import Resumption
from edge_agent.outbox.salvage import salvage
from edge_agent.outbox.schema import DamagedOutbox, check_room, connect, connect_read_only, guarded, set_aside
from edge_agent.wire.birth import AcknowledgedRange
from edge_agent.wire.command import BlockRange
from edge_agent.wire.durations import DAY_MS
from edge_agent.wire.gap import FIRST_GAP_BLOCK, Gap, GapReason, NumberedGap

_LEAP = 2**16  # numbers left out after a power cut: a disk that lied about a sync may have lost blocks that were sent
_log = structlog.get_logger()


class OutboxState(msgspec.Struct, frozen=True, kw_only=True):
    """What waits for the centre, and all gaps since the file was made.

    `oldest_ms` is when the oldest waiting sample was measured, None when none waits. `gaps_waiting` are the records
    that the centre does not have yet.
    """

    epoch: int
    blocks: int
    samples: int
    bytes: int
    oldest_ms: int | None
    samples_dropped: int
    gaps: int
    gaps_waiting: int


class OutboxFile:
    """Blocks on disk. Every failure is an OutboxError and leaves what was there."""

    def __init__(self, path: Path, database: sqlite3.Connection, limits: OutboxLimits) -> None:
        self.path = path
        self._db = database
        self._max_bytes = limits.max_mb * 2**20
        self._max_age_ms = int(limits.max_age_days * DAY_MS)
        self._resumption = Resumption()
        self._is_first_append = False
        with guarded(path):
            self.epoch: int = self._meta("epoch")
            self.last_number: int = self._meta("last_number")
            self.bd_seq: int = self._meta("bd_seq")
            self.newest_before_ms: int = runs.newest_ms(database)
            self.acknowledged: tuple[AcknowledgedRange, ...] = acknowledged.load(database)
            self._held = block_table.held(database)

    @classmethod
    def open(cls, limits: OutboxLimits, now_ms: int) -> Self:
        """Open or create the file; a damaged one is set aside, its gap noted, and a new epoch begins."""
        try:
            return cls(limits.path, connect(limits.path), limits)
        except DamagedOutbox:
            return cls.replace(limits, now_ms)

    @classmethod
    def replace(cls, limits: OutboxLimits, now_ms: int) -> Self:
        """Set the present file aside as damaged and begin a new one, which tells what was lost."""
        saved = salvage(limits.path, now_ms)
        set_aside(limits.path, now_ms)
        _log.error("outbox_set_aside", path=str(limits.path), gaps=len(saved.gaps))
        file = cls(limits.path, connect(limits.path), limits)
        with file._transaction() as database:
            for gap in saved.gaps:
                gap_table.note(database, gap, now_ms)
            runs.take_over(database, saved.newest_ms, now_ms)
        return file

    def begin_run(self, now_ms: int) -> None:
        """The agent starts: the time until the first block of each device becomes a gap with it."""
        with guarded(self.path):
            self._resumption = runs.what_was_left(self._db, now_ms)
        if self._resumption.reason is GapReason.UNCLEAN_STOP:
            self.last_number += _LEAP
        self._is_first_append = True

    def expect(self, periods_ms: Mapping[str, int]) -> None:
        """How often each device is read, ms."""
        self._resumption.periods_ms = periods_ms

    def go_on(self) -> None:
        """The agent, which reads all the while, goes over to this file."""
        with self._transaction() as database:
            runs.go_on(database)

    def end_run(self, read_until_ms: int) -> None:
        """The agent ends; all that was read until then is on the disk (0: nothing was read)."""
        with self._transaction() as database:
            runs.end(database, read_until_ms)

    def close(self) -> None:
        """Close the file; it can be opened again."""
        self._db.close()

    def append(
        self, blocks: Sequence[Block], now_ms: int, gaps: Iterable[Gap] = (), trusted_ms: int | None = None
    ) -> None:
        """Write blocks of rising numbers and gaps in one commit, dropping the oldest beyond the limits.

        Ages count from `trusted_ms` (None: from now); 0 where the clock is not to be trusted, and nothing is too old.
        Blocks up to the last number written before are passed over, so a call may be repeated.
        """
        fresh = [block for block in blocks if block.number > self.last_number]
        last = max((block.number for block in fresh), default=self.last_number)
        horizon_ms = (now_ms if trusted_ms is None else trusted_ms) - self._max_age_ms
        with self._transaction() as database:
            if fresh:
                check_room(database, self.path)
            added = block_table.insert(database, fresh)
            database.execute("UPDATE meta SET value = ? WHERE name = 'last_number'", (last,))
            excess_bytes = self._held.bytes + added.bytes - self._max_bytes
            dropped, lost = block_table.drop_oldest(database, self.epoch, excess_bytes, horizon_ms)
            runs.know_newest(database, {block.device: block.to_ms for block in fresh})
            for gap in (*lost, *self._resumption.gaps(fresh), *gaps):
                gap_table.note(database, gap, now_ms)
            if self._is_first_append:
                runs.go_on(database)
        self._is_first_append = False
        self._resumption.settle(fresh)
        self._held = self._held.plus(added).minus(dropped)
        self.last_number = last

    def use_tags(self, tags: Mapping[int, TagName]) -> None:
        """Say what the aliases stand for now; what waits is given them, what has no tag any more becomes a gap."""
        with self._transaction() as database:
            for gap in use_tags(database, tags):
                gap_table.note(database, gap, gap.to_ms)
            runs.forget_others(database, {name.device for name in tags.values()})
        with guarded(self.path):
            self._held = block_table.held(self._db)

    def delete(self, ranges: Sequence[BlockRange]) -> Released:
        """Forget blocks and gap records that the centre holds; ranges have both ends included."""
        freed, known = Held(), self.acknowledged
        with self._transaction() as database:
            for first, last in ranges:
                gap_table.forget(database, first, last)
                found = block_table.delete(database, first, last) if first < FIRST_GAP_BLOCK else None
                if found is not None:
                    ends = AcknowledgedRange(first, min(last, self.last_number), found.from_ms, found.to_ms)
                    freed, known = freed.plus(found.held), acknowledged.with_range(known, ends)
            if known is not self.acknowledged:
                acknowledged.save(database, known)
        self._held, self.acknowledged = self._held.minus(freed), known
        return Released(freed.blocks, freed.samples)

    def hand_out_gaps(self, now_ms: int) -> list[NumberedGap]:
        """The gap records to send now; they never change from here on, and stay until `delete` names them."""
        with self._transaction() as database:
            return gap_table.hand_out(database, now_ms)

    def read(self, after: int, until: int, limit: int, skip: Set[int] = frozenset()) -> list[Block]:
        """The oldest blocks with after < number <= until, at most `limit`, without the numbers in `skip`."""
        found: list[Block] = []
        damaged: list[int] = []
        query = "SELECT number, device, samples FROM block WHERE number > ? AND number <= ? ORDER BY number"
        with guarded(self.path), closing(self._db.execute(query, (after, until))) as rows:
            for number, device, packed in rows:
                if number in skip:
                    continue
                try:
                    found.append(Block(number, device, decode_samples(packed)))
                except (msgspec.DecodeError, ValueError):
                    damaged.append(number)
                if len(found) >= limit:
                    break
        for number in damaged:
            self._lose(number)
        return found

    def gaps(self) -> list[Gap]:
        """Every gap that the centre does not have yet, oldest first."""
        with guarded(self.path):
            return gap_table.waiting(self._db)

    def keep_bd_seq(self, bd_seq: int) -> None:
        """Remember the bdSeq of a connection, so that the count goes on across restarts (specification 6.4.20)."""
        with self._transaction() as database:
            database.execute("UPDATE meta SET value = ? WHERE name = 'bd_seq'", (bd_seq,))

    def state(self) -> OutboxState:
        """What waits, and what was lost."""
        with guarded(self.path):
            return _state(self._db, self.epoch, self._held)

    def _meta(self, name: str) -> int:
        value: int = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()[0]
        return value

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with guarded(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")

    def _lose(self, number: int) -> None:
        """Drop one block whose samples cannot be read any more."""
        with self._transaction() as database:
            lost, gap = block_table.lose(database, self.epoch, number)
            gap_table.note(database, gap, gap.to_ms)
        self._held = self._held.minus(lost)


def read_state(path: Path) -> OutboxState:
    """Look at an outbox that an agent may be using. Raises OutboxError where there is none."""
    with guarded(path), closing(connect_read_only(path)) as database:
        epoch = database.execute("SELECT value FROM meta WHERE name = 'epoch'").fetchone()[0]
        return _state(database, epoch, block_table.held(database))


def _state(database: sqlite3.Connection, epoch: int, held: Held) -> OutboxState:
    oldest = database.execute("SELECT from_ms FROM block ORDER BY number LIMIT 1").fetchone()
    waiting = database.execute("SELECT count(*) FROM gap_record").fetchone()[0]
    total = dict(database.execute("SELECT name, value FROM meta WHERE name IN ('gaps', 'samples_dropped')").fetchall())
    return OutboxState(
        epoch=epoch,
        blocks=held.blocks,
        samples=held.samples,
        bytes=held.bytes,
        oldest_ms=oldest[0] if oldest else None,
        samples_dropped=total["samples_dropped"],
        gaps=total["gaps"],
        gaps_waiting=waiting,
    )
