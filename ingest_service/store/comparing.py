"""Do two stores hold the same: counts and checksums of every series and day."""

import hashlib
from collections.abc import Iterator, Sequence
from enum import StrEnum

import msgspec
import numpy as np

from ingest_service.store.batch import SampleBatch, some_rows
from ingest_service.store.copying import chunks, spans
from ingest_service.store.timeseries import TimeSeriesStore

ROUNDED = 2e-12  # VictoriaMetrics keeps twelve significant digits


class Verdict(StrEnum):
    """How the samples of a series on a day compare."""

    SAME = "same"
    ROUNDED = "rounded"  # the same times and reasons, values alike to twelve digits
    DIFFERENT = "different"


class SeriesDay(msgspec.Struct, frozen=True):
    """One series on one day (UTC, by its start, ms) in two stores."""

    series: int
    day_ms: int
    samples: int
    samples_there: int
    checksum: str
    checksum_there: str
    verdict: Verdict


class _Sums:
    """Of one series on one day in one store."""

    def __init__(self) -> None:
        self.count = 0
        self._hash = hashlib.sha256()

    def add(self, batch: SampleBatch) -> None:
        """More of it, in order of time. A minus before zero and the kind of NaN do not count."""
        self.count += len(batch)
        value = np.where(np.isnan(batch.value), np.nan, batch.value + 0.0)
        for column in (batch.measured_at_ms, value, batch.reason):
            self._hash.update(np.ascontiguousarray(column).tobytes())

    @property
    def checksum(self) -> str:
        """The first half of a SHA-256."""
        return self._hash.hexdigest()[:32]


def compare_day(
    here: TimeSeriesStore, there: TimeSeriesStore, series: Sequence[int], day_ms: int
) -> Iterator[SeriesDay]:
    """Every series that has samples on that day in one of the two."""
    for chunk in chunks(series):
        sums = {one: (_Sums(), _Sums()) for one in chunk}
        alike = dict.fromkeys(chunk, True)
        for from_ms, to_ms in spans(here, chunk, day_ms) or spans(there, chunk, day_ms):
            mine, theirs = (_split(store.raw(chunk, from_ms, to_ms)) for store in (here, there))
            for one in mine.keys() | theirs.keys():
                pair = mine.get(one), theirs.get(one)
                for batch, total in zip(pair, sums[one], strict=True):
                    if batch is not None:
                        total.add(batch)
                alike[one] &= pair[0] is not None and pair[1] is not None and _alike(pair[0], pair[1])
        for one, (left, right) in sums.items():
            if left.count or right.count:
                verdict = _verdict(left, right, alike[one])
                yield SeriesDay(one, day_ms, left.count, right.count, left.checksum, right.checksum, verdict)


def _verdict(left: _Sums, right: _Sums, alike: bool) -> Verdict:
    if left.checksum == right.checksum:
        return Verdict.SAME
    return Verdict.ROUNDED if alike else Verdict.DIFFERENT


def _split(batch: SampleBatch) -> dict[int, SampleBatch]:
    """A sorted batch by series."""
    ids, starts = np.unique(batch.series, return_index=True)
    stops = [*starts.tolist(), len(batch)][1:]
    return {
        int(one): some_rows(batch, slice(start, stop))
        for one, start, stop in zip(ids, starts.tolist(), stops, strict=True)
    }


def _alike(left: SampleBatch, right: SampleBatch) -> bool:
    if len(left) != len(right):
        return False
    same = np.array_equal(left.measured_at_ms, right.measured_at_ms) and np.array_equal(left.reason, right.reason)
    return same and np.allclose(left.value, right.value, rtol=ROUNDED, atol=0, equal_nan=True)
