"""The protocol that every time-series store keeps; which one runs is a line of configuration."""

from collections.abc import Collection, Sequence
from typing import Protocol

import msgspec

from edge_agent.wire.command import BlockRange
from ingest_service.config import Retention
from ingest_service.store.batch import DirtyMinutes, MeanBatch, SampleBatch
from ingest_service.store.tally import HourTally


class WriteResult(msgspec.Struct, frozen=True):
    """How many samples of a batch are new, and how many were there already (their block was held)."""

    stored: int
    repeated: int


class StoreStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What a person wants to know of a store: rows, bytes, and times (ms since 1970 UTC) of what it holds.

    None is what the store does not say. `growth_bytes_per_day` is what a day of the last week came to on the disk,
    `problem` what a person must see to though the store works.
    """

    kind: str
    hot_rows: int | None
    sealed_rows: int | None
    disk_bytes: int | None
    oldest_ms: int | None
    newest_ms: int | None
    free_bytes: int | None = None
    growth_bytes_per_day: float | None = None
    quarantined_samples: int = 0
    problem: str = ""


class TimeSeriesStore(Protocol):
    """Samples and means. Calls may come from any thread; writes are serialised by the store.

    Every method raises StoreError when the store cannot do it now, HoursUnreadable where only some hours cannot be
    read. `hold_s` is how long after a write its samples may
    still be lost (s); 0 where a write that returned is durable. Blocks are acknowledged no sooner. `is_shared` is true
    where other services write to the same server: an edge that is new here may have been another's before.
    """

    hold_s: float
    is_shared: bool

    def write(self, batch: SampleBatch) -> WriteResult:
        """Make a batch durable before returning. A block that is held already is skipped as a whole.

        Marks the minutes that the new samples touch as dirty, in the same transaction.
        """

    def confirm(self) -> None:
        """Call it before blocks are acknowledged that were written `hold_s` ago.

        Raises StoreError where something written since may be lost: its blocks are not held then, and must come again.
        """

    def held(self, edge_id: int, epoch: int) -> Sequence[BlockRange]:
        """The blocks of that outbox that are held, as ascending ranges with both ends included."""

    def outboxes(self) -> Sequence[tuple[int, int]]:
        """Every outbox (edge id, epoch) of which blocks are held."""

    def hold(self, edge_id: int, epoch: int, ranges: Sequence[BlockRange]) -> None:
        """Count these blocks as held for good, though they never came: a gap record tells of them."""

    def raw(self, series: Sequence[int], from_ms: int, to_ms: int) -> SampleBatch:
        """The samples with `from_ms <= time < to_ms`, sorted by (series, time), one per (series, time)."""

    def latest(self, series: Sequence[int] | None = None) -> SampleBatch:
        """The newest sample of each series (of all, where None)."""

    def tally(self, series: Sequence[int], from_ms: int, to_ms: int) -> HourTally:
        """How many samples lie in the whole hours of `[from_ms, to_ms)`; no row for an hour without any.

        What came late is counted where the store can tell.
        """

    def means(self, period_ms: int, series: Sequence[int], from_ms: int, to_ms: int) -> MeanBatch:
        """The minute or hour means that start in `[from_ms, to_ms)`, sorted by (series, start)."""

    def dirty_minutes(self, before_ms: int, limit: int, without: Collection[int] = ()) -> DirtyMinutes:
        """At most `limit` dirty minutes that ended before `before_ms`, oldest first; none of the hours `without`."""

    def write_means(self, minutes: MeanBatch, hours: MeanBatch, done: DirtyMinutes) -> None:
        """Replace these minute and hour means and clear these marks, in one transaction."""

    def seal(self, before_ms: int) -> int:
        """Move whole hours that ended before `before_ms` to their sealed form; return the number of hours sealed."""

    def retire(self, retention: Retention, now_ms: int) -> int:
        """Take away what is older than it must be kept; return the number of hours that went."""

    def status(self) -> StoreStatus:
        """Counts, size and span."""

    def close(self) -> None:
        """Finish what is under way and let go of the files."""
