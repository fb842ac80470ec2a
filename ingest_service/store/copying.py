"""Moves history from one store to another, day by day; the same day again changes nothing.

Both use the same relational database, so that a series has the same id in both.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np

from edge_agent.wire.durations import DAY_MS, HOUR_MS, MINUTE_MS
from ingest_service.store.batch import BlockRef, MeanBatch, SampleBatch, no_minutes
from ingest_service.store.timeseries import StoreStatus, TimeSeriesStore

SERIES_AT_ONCE = 500
ROWS_AT_ONCE = 2_000_000  # about 40 MB; an hour of so many series at one sample a second is hardly more
_MARKS = 1_000_000


class CopiedDay(msgspec.Struct, frozen=True):
    """What one day came to."""

    day_ms: int
    samples: int
    means: int


class Journal:
    """A file beside the data that says which days are done, so that a copy that was ended goes on where it was."""

    def __init__(self, path: Path) -> None:
        self._path = path
        lines = path.read_bytes().splitlines() if path.exists() else []
        self.done = {one.day_ms: one for one in (_decoded(line) for line in lines) if one is not None}

    def add(self, copied: CopiedDay) -> None:
        """That day is done."""
        self.done[copied.day_ms] = copied
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(copied) + b"\n")

    def remove(self) -> None:
        """All is done."""
        self._path.unlink(missing_ok=True)


def days_of(status: StoreStatus) -> list[int]:
    """The days (UTC, by their starts, ms) that a store has samples of."""
    if status.oldest_ms is None or status.newest_ms is None:
        return []
    first, last = status.oldest_ms // DAY_MS, status.newest_ms // DAY_MS
    return [day * DAY_MS for day in range(first, last + 1)]


def copy_day(source: TimeSeriesStore, target: TimeSeriesStore, series: Sequence[int], day_ms: int) -> CopiedDay:
    """Samples and means of one day."""
    samples = means = 0
    for chunk in chunks(series):
        for from_ms, to_ms in spans(source, chunk, day_ms):
            batch = source.raw(chunk, from_ms, to_ms)
            if len(batch):
                target.write(batch)
                samples += len(batch)
        minutes, hours = (source.means(length, chunk, day_ms, day_ms + DAY_MS) for length in (MINUTE_MS, HOUR_MS))
        if len(minutes) or len(hours):
            target.write_means(minutes, hours, no_minutes())
            means += len(minutes) + len(hours)
    target.seal(day_ms + DAY_MS)
    return CopiedDay(day_ms, samples, means)


def copy_books(source: TimeSeriesStore, target: TimeSeriesStore, series_of: Mapping[int, Sequence[int]]) -> None:
    """Which blocks are held, and which minutes wait to be averaged; `series_of` names the series of each source."""
    for edge_id, epoch in source.outboxes():
        target.hold(edge_id, epoch, source.held(edge_id, epoch))
    marks = source.dirty_minutes(2**53, _MARKS)
    for one, minute in zip(marks.source.tolist(), marks.minute.tolist(), strict=True):
        from_ms = minute * MINUTE_MS
        batch = source.raw(series_of.get(one, ()), from_ms, from_ms + MINUTE_MS)
        if len(batch):
            target.write(_touching(batch, one))


def chunks(series: Sequence[int]) -> Iterator[Sequence[int]]:
    """So many series as are read at once."""
    for start in range(0, len(series), SERIES_AT_ONCE):
        yield series[start : start + SERIES_AT_ONCE]


def spans(store: TimeSeriesStore, series: Sequence[int], day_ms: int) -> list[tuple[int, int]]:
    """The parts of a day, of whole hours, that fit into memory; none where there is nothing."""
    rows = int(store.tally(series, day_ms, day_ms + DAY_MS).samples.sum())
    if not rows:
        return []
    hours = max(1, min(24, 24 * ROWS_AT_ONCE // rows))
    ends_ms = [*range(day_ms + hours * HOUR_MS, day_ms + DAY_MS, hours * HOUR_MS), day_ms + DAY_MS]
    return list(zip([day_ms, *ends_ms[:-1]], ends_ms, strict=True))


def by_source(pairs: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    """The series of each source, from pairs of source and series."""
    found: dict[int, list[int]] = {}
    for source, series in pairs:
        found.setdefault(source, []).append(series)
    return found


def _touching(batch: SampleBatch, source: int) -> SampleBatch:
    """As a block without a number, which is always taken and marks its minutes."""
    first_ms, last_ms = int(batch.measured_at_ms.min()), int(batch.measured_at_ms.max())
    block = BlockRef(source, 0, 0, 0, 0, len(batch), first_ms, last_ms)
    return msgspec.structs.replace(batch, blocks=(block,))


def _decoded(line: bytes) -> CopiedDay | None:
    """A line of the journal; None for one that was cut off."""
    try:
        return msgspec.json.decode(line, type=CopiedDay)
    except msgspec.DecodeError:
        return None


def same_means(left: MeanBatch, right: MeanBatch, tolerance: float) -> bool:
    """Whether two stores hold the same means, but for rounding."""
    if left.series.tolist() != right.series.tolist() or left.start_ms.tolist() != right.start_ms.tolist():
        return False
    names = ("mean", "low", "high", "covered")
    return all(
        np.allclose(getattr(left, name), getattr(right, name), rtol=tolerance, atol=0, equal_nan=True) for name in names
    )
