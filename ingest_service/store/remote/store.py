"""A store across a network: keeps the protocol of `store.timeseries` with an engine and a ledger beside it."""

import threading
import time
from collections.abc import Callable, Collection, Sequence

import numpy as np

from edge_agent.wire.command import BlockRange
from edge_agent.wire.durations import HOUR_MS, MINUTE_MS
from ingest_service.config import Retention
from ingest_service.errors import StoreError
from ingest_service.store.batch import DirtyMinutes, MeanBatch, SampleBatch, without_repeated
from ingest_service.store.dirty import minutes_touched
from ingest_service.store.remote.books import Books
from ingest_service.store.remote.catalogue import Catalogue
from ingest_service.store.remote.columns import joined_tallies, some_hours
from ingest_service.store.remote.engine import Engine
from ingest_service.store.remote.ledger import Ledger
from ingest_service.store.remote.newest import NewestKeeper
from ingest_service.store.remote.pending import RecentMeans, RecentSamples
from ingest_service.store.remote.refused import Quarantine
from ingest_service.store.tally import HourTally, tally_of
from ingest_service.store.timeseries import StoreStatus, WriteResult

_MARGIN_S = 5.0  # blocks are acknowledged so long after they are known to be safe


class RemoteStore:
    """Opens without its server: what cannot be reached now is tried again by the next call.

    `now_ms` gives ms since 1970 UTC, `monotonic_s` seconds that never jump.
    """

    def __init__(
        self,
        engine: Engine,
        ledger: Ledger,
        catalogue: Catalogue,
        now_ms: Callable[[], int],
        monotonic_s: Callable[[], float] = time.monotonic,
        *,
        is_shared: bool = False,
    ) -> None:
        self.is_shared = is_shared
        self.hold_s = engine.hold_s + _MARGIN_S if engine.hold_s else 0.0
        self._engine, self._catalogue, self._monotonic_s = engine, catalogue, monotonic_s
        self._writing, self._closing = threading.RLock(), threading.Event()
        self._books = Books(engine, ledger, monotonic_s)
        self._newest = NewestKeeper(engine, ledger, now_ms, monotonic_s)
        self._quarantine = Quarantine(engine, ledger, monotonic_s)
        recent_s = max(engine.hold_s, engine.settles_s)
        self._recent, self._recent_means = RecentSamples(recent_s), RecentMeans(recent_s)

    def write(self, batch: SampleBatch) -> WriteResult:
        """Make a batch durable before returning (after `hold_s`). A block that is held is skipped as a whole."""
        with self._writing:
            self._check_open()
            self._books.begin()
            fresh = self._books.unheld(batch.blocks)
            samples = without_repeated(batch, fresh)
            refused = self._quarantine.write(samples, self._wait)
            self._books.enter(samples, fresh, minutes_touched(batch, fresh), refused.batch, refused.problems)
            self._quarantine.kept(refused)
            self._shown(samples)
            return WriteResult(stored=len(samples), repeated=len(batch) - len(samples))

    def confirm(self) -> None:
        """Raises StoreError where the server lost, or may have lost, what was written within `hold_s`."""
        with self._writing:
            self._check_open()
            self._books.confirm()

    def held(self, edge_id: int, epoch: int) -> Sequence[BlockRange]:
        """The blocks of that outbox that are held, as ascending ranges with both ends included."""
        with self._writing:
            return self._books.held(edge_id, epoch)

    def outboxes(self) -> Sequence[tuple[int, int]]:
        """Every outbox (edge id, epoch) of which blocks are held."""
        with self._writing:
            return self._books.outboxes()

    def hold(self, edge_id: int, epoch: int, ranges: Sequence[BlockRange]) -> None:
        """Count these blocks as held for good, though they never came."""
        with self._writing:
            self._books.hold(edge_id, epoch, ranges)

    def raw(self, series: Sequence[int], from_ms: int, to_ms: int) -> SampleBatch:
        """The samples with `from_ms <= time < to_ms`, sorted by (series, time), one per (series, time)."""
        self._check_open()
        found = self._engine.samples(series, from_ms, to_ms)
        return self._recent.over(found, series, from_ms, to_ms)

    def tally(self, series: Sequence[int], from_ms: int, to_ms: int) -> HourTally:
        """How many samples lie in the whole hours of `[from_ms, to_ms)`; what came late is not counted.

        Hours of which the server may not show everything yet are counted here.
        """
        self._check_open()
        found = self._engine.tally(series, from_ms, to_ms)
        for hour_ms in self._recent.hours(series, from_ms, to_ms):
            counted = tally_of(self.raw(series, max(hour_ms, from_ms), min(hour_ms + HOUR_MS, to_ms)))
            found = joined_tallies(some_hours(found, found.start_ms != hour_ms), counted)
        return found

    def latest(self, series: Sequence[int] | None = None) -> SampleBatch:
        """The newest sample of each series (of all, where None)."""
        with self._writing:
            self._check_open()
            return self._newest.of(None if series is None else np.asarray(series, np.int32))

    def means(self, period_ms: int, series: Sequence[int], from_ms: int, to_ms: int) -> MeanBatch:
        """The minute or hour means that start in `[from_ms, to_ms)`, sorted by (series, start)."""
        self._check_open()
        found = self._engine.means(period_ms, series, from_ms, to_ms)
        return self._recent_means.over(found, period_ms, series, from_ms, to_ms)

    def dirty_minutes(self, before_ms: int, limit: int, without: Collection[int] = ()) -> DirtyMinutes:
        """At most `limit` dirty minutes that ended before `before_ms`, oldest first; for one reader at a time."""
        with self._writing:
            self._check_open()
            return self._books.hand_out(before_ms, limit, without)

    def write_means(self, minutes: MeanBatch, hours: MeanBatch, done: DirtyMinutes) -> None:
        """Replace these means, then clear these marks; a minute touched since it was handed out stays marked."""
        with self._writing:
            self._check_open()
            self._books.begin()
            for period_ms, means in ((MINUTE_MS, minutes), (HOUR_MS, hours)):
                if len(means):
                    self._engine.write_means(period_ms, means, self._wait)
                    self._recent_means.add(period_ms, means, self._monotonic_s())
            if len(done):
                self._books.clear(done)

    def seal(self, before_ms: int) -> int:
        """Nothing is sealed: the server packs its files itself. What it refused is tried again. Returns 0."""
        with self._writing:
            self._check_open()
            self._newest.note_now_and_then()
            taken = self._quarantine.take_again(self._wait)
            if len(taken):
                names = self._catalogue.names(taken.series.tolist())
                source = [names[series].source_id for series in taken.series.tolist()]
                self._books.touch(taken, np.array(source, np.int32))
                self._shown(taken)
        return 0

    def retire(self, retention: Retention, now_ms: int) -> int:
        """The server does it: its buckets and flags say for how long. Returns 0."""
        self._check_open()
        return 0

    def status(self) -> StoreStatus:
        """Counts, size and span, as far as the server tells."""
        self._check_open()
        size = self._engine.size()
        with self._writing:
            return StoreStatus(
                kind=self._engine.kind,
                hot_rows=None,
                sealed_rows=size.rows,
                disk_bytes=size.disk_bytes,
                free_bytes=size.free_bytes,
                oldest_ms=self._books.oldest_ms,
                newest_ms=self._newest.newest_ms(),
                quarantined_samples=self._quarantine.count,
                problem=self._quarantine.problem,
            )

    def close(self) -> None:
        """Note what is known and let go of the server."""
        self._closing.set()
        with self._writing:
            self._newest.note()
            self._engine.close()

    def _shown(self, samples: SampleBatch) -> None:
        self._newest.absorb(samples)
        self._recent.add(samples, self._monotonic_s())

    def _wait(self, seconds: float) -> None:
        """A pause that ends when the store is closed."""
        if self._closing.wait(seconds):
            raise StoreError(f"{self._engine.address}: is closed")

    def _check_open(self) -> None:
        if self._closing.is_set():
            raise StoreError(f"{self._engine.address}: is closed")
