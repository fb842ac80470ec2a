"""How many samples came in, hour by hour: what completeness is counted from."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_agent.wire.durations import HOUR_MS
from edge_agent.wire.sample import FIRST_BAD
from ingest_service.columns import Int32s, Int64s
from ingest_service.store.batch import SampleBatch

LATE_MS = 60_000  # a sample that arrives so long after it was measured came as history


class HourTally(msgspec.Struct, frozen=True):
    """Counts of samples as parallel columns, a row an hour that has any, sorted by (series, start).

    `bad` of them have no value; `late` came more than a minute after they were measured.
    """

    series: Int32s
    start_ms: Int64s
    samples: Int64s
    bad: Int64s
    late: Int64s

    def __len__(self) -> int:
        return len(self.series)


def tally_of(batch: SampleBatch) -> HourTally:
    """The counts of a batch as it was read back: nothing is known there of what came late."""
    key = _key(batch.series, batch.measured_at_ms)
    found, of, samples = np.unique(key, return_inverse=True, return_counts=True)
    bad = np.bincount(of, weights=batch.reason >= FIRST_BAD, minlength=len(found)).astype(np.int64)
    series, start_ms = _parts(found)
    return HourTally(series, start_ms, samples.astype(np.int64), bad, np.zeros(len(found), np.int64))


def late_of(batch: SampleBatch) -> HourTally:
    """Those of a batch that came late, counted; nothing where it does not say when it came."""
    late = np.flatnonzero(batch.received_ms - batch.measured_at_ms > LATE_MS)
    key = _key(batch.series[late], batch.measured_at_ms[late])
    found, counts = np.unique(key, return_counts=True)
    series, start_ms = _parts(found)
    nothing = np.zeros(len(found), np.int64)
    return HourTally(series, start_ms, nothing, nothing, counts.astype(np.int64))


def _key(series: Int32s, measured_at_ms: Int64s) -> NDArray[np.int64]:
    return (series.astype(np.int64) << 32) | (measured_at_ms // HOUR_MS)


def _parts(key: NDArray[np.int64]) -> tuple[Int32s, Int64s]:
    return (key >> 32).astype(np.int32), (key & 0xFFFFFFFF) * HOUR_MS
