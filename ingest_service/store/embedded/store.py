"""The embedded store: keeps the protocol of `store.timeseries` with one DuckDB file and sealed Parquet files."""

import threading
import time
from collections.abc import Collection, Sequence
from pathlib import Path

import msgspec
import numpy as np

from edge_agent.wire.command import BlockRange
from edge_agent.wire.durations import HOUR_MS, MINUTE_MS
from ingest_service.config import Retention
from ingest_service.errors import HoursUnreadable, StoreError
from ingest_service.store.batch import BlockRef, DirtyMinutes, MeanBatch, SampleBatch, without_repeated
from ingest_service.store.dirty import minutes_touched
from ingest_service.store.embedded import tables
from ingest_service.store.embedded.examining import examine_files
from ingest_service.store.embedded.opening import Opened, open_store
from ingest_service.store.embedded.ordering import order_slice
from ingest_service.store.embedded.reading import read_samples
from ingest_service.store.embedded.retiring import retire_rows
from ingest_service.store.embedded.sealing import hours_to_seal, listed_files, seal_hour
from ingest_service.store.embedded.size import measure
from ingest_service.store.embedded.tallying import gather_late, note_late, read_tally
from ingest_service.store.findings import Finding
from ingest_service.store.held import HeldRange, joined
from ingest_service.store.tally import HourTally, late_of
from ingest_service.store.timeseries import StoreStatus, WriteResult

_MEAN_TABLES = {MINUTE_MS: "minute_mean", HOUR_MS: "hour_mean"}
_FILES_TO_CHECK = 1  # a sealing: five years of hours are read again within a month
_FRAGMENTS = 10_000  # rows of held blocks beyond which they are written anew as few ranges


class EmbeddedStore:
    """Opens (or creates) the store in `folder`. Raises StoreError when another process has it.

    After a failed write it is opened anew by the next call, so it recovers by itself when the cause has gone.
    """

    hold_s = 0.0
    is_shared = False

    def __init__(self, folder: Path, memory_limit_mb: int = 1024) -> None:
        self._folder = folder
        self._memory_limit_mb = memory_limit_mb
        self._writing = threading.RLock()
        self._sealing = threading.Lock()
        self._closed = False
        self._opened: Opened | None = open_store(folder, memory_limit_mb)

    def write(self, batch: SampleBatch) -> WriteResult:
        """Make a batch durable before returning. A block that is held already is skipped as a whole."""
        with self._writing:
            opened = self._state()
            fresh = opened.held.unheld(batch.blocks)
            samples = without_repeated(batch, fresh)
            late = late_of(msgspec.structs.replace(samples, received_ms=batch.received_ms))
            try:
                self._compact(opened)
                self._commit(opened, samples, fresh, minutes_touched(batch, fresh), late)
            except StoreError:
                self._let_go()
                raise
            opened.newest.absorb(samples)
            return WriteResult(stored=len(samples), repeated=len(batch) - len(samples))

    def confirm(self) -> None:
        """What was written is durable."""

    def held(self, edge_id: int, epoch: int) -> Sequence[BlockRange]:
        """The blocks of that outbox that are held, as ascending ranges with both ends included."""
        with self._writing:
            return self._state().held.ranges(edge_id, epoch)

    def outboxes(self) -> Sequence[tuple[int, int]]:
        """Every outbox (edge id, epoch) of which blocks are held."""
        with self._writing:
            return sorted({(one.edge_id, one.epoch) for one in self._state().held})

    def hold(self, edge_id: int, epoch: int, ranges: Sequence[BlockRange]) -> None:
        """Count these blocks as held for good, though they never came."""
        added = [HeldRange(edge_id, epoch, first, last) for first, last in ranges]
        with self._writing:
            opened = self._state()
            try:
                with opened.database.transaction() as cursor:
                    tables.insert_held(cursor, added)
            except StoreError:
                self._let_go()
                raise
            opened.held.add(added)
            opened.held_rows += len(added)

    def raw(self, series: Sequence[int], from_ms: int, to_ms: int) -> SampleBatch:
        """The samples with `from_ms <= time < to_ms`, sorted by (series, time), one per (series, time)."""
        opened = self._state()
        try:
            with opened.database.transaction() as cursor:
                return read_samples(cursor, opened.archive, series, from_ms, to_ms)
        except HoursUnreadable as error:
            self._look_at(opened, error)
            raise

    def tally(self, series: Sequence[int], from_ms: int, to_ms: int) -> HourTally:
        """How many samples lie in the whole hours of `[from_ms, to_ms)`; no row for an hour without any."""
        opened = self._state()
        with opened.database.transaction() as cursor:
            return read_tally(cursor, opened.archive, series, from_ms, to_ms)

    def latest(self, series: Sequence[int] | None = None) -> SampleBatch:
        """The newest sample of each series (of all, where None)."""
        with self._writing:
            newest = self._state().newest
            return newest.of(newest.known() if series is None else np.asarray(series, np.int32))

    def means(self, period_ms: int, series: Sequence[int], from_ms: int, to_ms: int) -> MeanBatch:
        """The minute or hour means that start in `[from_ms, to_ms)`, sorted by (series, start)."""
        with self._state().database.transaction() as cursor:
            return tables.read_means(cursor, _MEAN_TABLES[period_ms], series, from_ms, to_ms)

    def dirty_minutes(self, before_ms: int, limit: int, without: Collection[int] = ()) -> DirtyMinutes:
        """At most `limit` dirty minutes that ended before `before_ms`, oldest first; for one reader at a time."""
        with self._writing:
            opened = self._state()
            opened.round_number += 1
            return opened.dirty.hand_out(before_ms, limit, without)

    def write_means(self, minutes: MeanBatch, hours: MeanBatch, done: DirtyMinutes) -> None:
        """Replace these means and clear these marks; a minute that was touched since it was handed out stays marked."""
        opened = self._state()
        last_round = opened.round_number - 1
        with opened.database.transaction() as cursor:
            tables.replace_means(cursor, "minute_mean", minutes)
            tables.replace_means(cursor, "hour_mean", hours)
            tables.clear_dirty(cursor, done, last_round)
        with self._writing:
            opened.dirty.clear(done)

    def seal(self, before_ms: int) -> int:
        """Move whole hours that ended before `before_ms` to their sealed form; return the number of hours sealed.

        What came late for an hour whose file is damaged waits until that is brought back.
        """
        with self._sealing:
            opened = self._state()
            with opened.database.transaction() as cursor:
                opened.archive.remove_superseded(listed_files(cursor))
                hours = hours_to_seal(cursor, before_ms)
                if hours:
                    gather_late(cursor)
            sealed = sum(self._seal_hour(opened, hour) for hour in hours)
            with opened.database.transaction() as cursor:
                opened.scrubber.check_some(cursor, _FILES_TO_CHECK)
            self._order(opened, before_ms)
            return sealed

    def retire(self, retention: Retention, now_ms: int) -> int:
        """Take away what is older than it must be kept; return the number of sealed hours that went."""
        with self._sealing:
            opened = self._state()
            with opened.database.transaction() as cursor:
                gone = retire_rows(cursor, retention, now_ms)
            for file in gone:
                opened.archive.path(file).unlink(missing_ok=True)
            return len(gone)

    def examine(self) -> list[Finding]:
        """Every sealed file against its hash: takes as long as reading all of them."""
        opened = self._state()
        with opened.database.transaction() as cursor:
            return list(examine_files(cursor, opened.archive))

    def status(self) -> StoreStatus:
        """Counts, size and span."""
        opened = self._state()
        with opened.database.transaction() as cursor:
            return measure(cursor, self._folder, opened.scrubber.damaged)

    def close(self) -> None:
        """Finish what is under way and let go of the files."""
        with self._sealing, self._writing:
            self._closed = True
            self._let_go()

    def _commit(
        self, opened: Opened, samples: SampleBatch, fresh: list[BlockRef], touched: DirtyMinutes, late: HourTally
    ) -> None:
        """Samples, their blocks' numbers, their minutes' marks and late counts in one transaction, then in memory."""
        ranges = joined(fresh)
        marks = opened.dirty.unmarked(touched)
        with opened.database.transaction() as cursor:
            tables.insert_samples(cursor, samples)
            tables.insert_held(cursor, ranges)
            tables.insert_dirty(cursor, marks, opened.round_number)
            note_late(cursor, late)
        opened.held.add(ranges)
        opened.held_rows += len(ranges)
        opened.dirty.mark(marks)

    def _seal_hour(self, opened: Opened, hour: int) -> bool:
        try:
            with opened.database.transaction() as cursor:
                seal_hour(cursor, opened.archive, hour)
                tables.replace_latest(cursor, self.latest())
        except HoursUnreadable as error:
            self._look_at(opened, error)
            return False
        return True

    def _order(self, opened: Opened, before_ms: int) -> None:
        """Put a slice of what stays hot in order: one at a time, so that sealing never waits for long."""
        with self._writing:
            newest_ms = opened.newest.newest_ms()
        if newest_ms is None:
            return
        until_ms = min(newest_ms, time.time_ns() // 1_000_000)  # the clock of an edge may run ahead
        with opened.database.transaction() as cursor:
            number = opened.order.next_slice(cursor, before_ms, until_ms)
            if number is not None:
                order_slice(cursor, number)

    def _look_at(self, opened: Opened, trouble: HoursUnreadable) -> None:
        """What could not be read is shown as the store's problem from now on, not only when its turn comes."""
        with opened.database.transaction() as cursor:
            opened.scrubber.check_hours(cursor, trouble.hours)

    def _compact(self, opened: Opened) -> None:
        """Each write appends the ranges of its blocks; now and then they are joined on disk as they are in memory."""
        if opened.held_rows < _FRAGMENTS or opened.held_rows < 4 * len(ranges := list(opened.held)):
            return
        with opened.database.transaction() as cursor:
            tables.replace_held(cursor, ranges)
        opened.held_rows = len(ranges)

    def _state(self) -> Opened:
        opened = self._opened
        if opened is not None:
            return opened
        with self._writing:
            if self._closed:
                raise StoreError(f"store {self._folder}: is closed")
            if self._opened is None:
                self._opened = open_store(self._folder, self._memory_limit_mb)
            return self._opened

    def _let_go(self) -> None:
        if self._opened is not None:
            self._opened.database.close()
            self._opened = None
