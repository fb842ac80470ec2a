"""Which blocks are held and which minutes are dirty, in memory and in the ledger, for servers that may lose something.

What was written is kept apart from what is safe: a block counts as held in the ledger, and a mark as cleared, only
after the server has gone on running for its hold time. When it was started anew before, both are as if never written.
"""

import time
from collections.abc import Callable, Collection, Sequence

import numpy as np
import structlog

from edge_agent.wire.command import BlockRange
from edge_agent.wire.durations import MINUTE_MS
from ingest_service.columns import Int32s
from ingest_service.errors import StoreError
from ingest_service.store.batch import BlockRef, DirtyMinutes, SampleBatch
from ingest_service.store.dirty import DirtyMarks
from ingest_service.store.held import HeldBlocks, HeldRange, joined
from ingest_service.store.remote.engine import Engine
from ingest_service.store.remote.ledger import Ledger, Note
from ingest_service.store.remote.pending import Pending, Written

_FRAGMENTS = 10_000  # appended rows of held blocks beyond which they are written anew as few ranges
_CHECK_EVERY_S = 1.0  # how often a server that may lose something is asked whether it was started anew
_log = structlog.get_logger(__name__)


class Books:
    """Of one store. Not thread-safe: its owner holds a lock. Raises StoreError when the ledger fails."""

    def __init__(self, engine: Engine, ledger: Ledger, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._engine, self._ledger, self._monotonic_s = engine, ledger, monotonic_s
        ranges = ledger.held()
        self._held, self._held_rows = HeldBlocks(ranges), len(ranges)
        marks, self._round = ledger.dirty()
        self._dirty = DirtyMarks(marks)
        self._oldest_ms = ledger.oldest_ms()
        self._pending, self._run, self._checked_s = Pending(), "", float("-inf")

    @property
    def oldest_ms(self) -> int | None:
        """The time of the oldest sample that was ever written."""
        return self._oldest_ms

    def begin(self) -> None:
        """Before a write: know which run of the server will have it."""
        if self._engine.hold_s and not self._run:
            self._run = self._engine.run()

    def unheld(self, blocks: Sequence[BlockRef]) -> list[BlockRef]:
        """Those blocks that are not written yet, each number once."""
        return self._pending.blocks.unheld(self._held.unheld(blocks))

    def enter(
        self, samples: SampleBatch, fresh: Sequence[BlockRef], touched: DirtyMinutes, refused: SampleBatch,
        problems: Sequence[str],
    ) -> None:  # fmt: skip
        """A write is in the server: note its blocks, the minutes it touches, and the rows that were refused."""
        ranges = joined(fresh)
        marks = self._dirty.unmarked(touched)
        oldest_ms = self._older(samples)
        note = Note(
            held=() if self._engine.hold_s else ranges,
            marks=marks,
            round_number=self._round,
            refused=refused,
            problems=problems,
            oldest_ms=oldest_ms,
        )
        self._ledger.note(note)
        self._dirty.mark(marks)
        self._oldest_ms = self._oldest_ms if oldest_ms is None else oldest_ms
        if self._engine.hold_s:
            self._pending.add(Written(self._monotonic_s(), ranges))
        else:
            self._hold(ranges)

    def touch(self, samples: SampleBatch, source: Int32s) -> None:
        """These samples of those sources came into the store by another way: their minutes are dirty."""
        minute = samples.measured_at_ms // MINUTE_MS
        keys = np.unique(np.concatenate([(minute << 32) | source, ((minute + 1) << 32) | source]))
        touched = DirtyMinutes((keys & 0xFFFFFFFF).astype(np.int32), keys >> 32)
        marks = self._dirty.unmarked(touched)
        self._ledger.note(Note(marks=marks, round_number=self._round))
        self._dirty.mark(marks)

    def hold(self, edge_id: int, epoch: int, ranges: Sequence[BlockRange]) -> None:
        """Count these blocks as held for good, though they never came."""
        added = [HeldRange(edge_id, epoch, first, last) for first, last in ranges]
        self._ledger.note(Note(held=added))
        self._hold(added)

    def held(self, edge_id: int, epoch: int) -> list[BlockRange]:
        """The blocks of that outbox that are safe."""
        return self._held.ranges(edge_id, epoch)

    def outboxes(self) -> list[tuple[int, int]]:
        """Every outbox of which blocks are safe."""
        return sorted({(one.edge_id, one.epoch) for one in self._held})

    def hand_out(self, before_ms: int, limit: int, without: Collection[int]) -> DirtyMinutes:
        """At most `limit` dirty minutes that ended before `before_ms`, oldest first; none of the hours `without`."""
        self._round += 1
        return self._dirty.hand_out(before_ms, limit, without)

    def clear(self, done: DirtyMinutes) -> None:
        """These minutes were averaged; what was touched since it was handed out stays marked."""
        if self._engine.hold_s:
            self._pending.add(Written(self._monotonic_s(), (), done, self._round - 1))
        else:
            self._ledger.clear_dirty(done, self._round - 1)
        self._dirty.clear(done)

    def confirm(self) -> None:
        """Take what is ripe as safe. Raises StoreError when the server was started anew, and forgets what it lost."""
        now_s = self._monotonic_s()
        ripe = self._pending.ripe(now_s - self._engine.hold_s)
        if not ripe or now_s - self._checked_s < _CHECK_EVERY_S:
            return
        run = self._engine.run()
        if run != self._run:
            self._lose(run)
            raise StoreError(f"{self._engine.address}: was started anew; what it may have lost is asked for again")
        ranges = list(HeldBlocks(part for one in ripe for part in one.ranges))
        self._ledger.note(Note(held=ranges))
        for one in ripe:
            if one.done is not None:
                self._ledger.clear_dirty(one.done, one.last_round)
        self._hold(ranges)
        self._pending.take(ripe)
        self._checked_s = now_s

    def _lose(self, run: str) -> None:
        lost = self._pending.lose()
        for one in lost:
            if one.done is not None:
                self._dirty.mark(one.done)
        self._run = run
        _log.warning("store_restarted", store=self._engine.address, writes_in_doubt=len(lost))

    def _hold(self, ranges: Sequence[HeldRange]) -> None:
        """Each write appends the ranges of its blocks; now and then they are joined in the ledger as in memory."""
        self._held.add(ranges)
        self._held_rows += len(ranges)
        if self._held_rows >= _FRAGMENTS and self._held_rows >= 4 * len(whole := list(self._held)):
            self._ledger.replace_held(whole)
            self._held_rows = len(whole)

    def _older(self, samples: SampleBatch) -> int | None:
        """The time of the oldest sample where it is older than all before."""
        if not len(samples):
            return None
        oldest_ms = int(samples.measured_at_ms.min())
        return oldest_ms if self._oldest_ms is None or oldest_ms < self._oldest_ms else None
