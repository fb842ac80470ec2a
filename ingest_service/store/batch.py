"""What travels through the service: many samples as numpy columns, never one object a sample."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ingest_service.columns import Bytes, Float64s, Int32s, Int64s


class BlockRef(msgspec.Struct, frozen=True, gc=False):
    """The rows `[start, stop)` of a batch: one block of one source (a Sparkplug device, or a node itself).

    `epoch` and `block` name the block in the edge's outbox; both are 0 for an edge of another make. `from_ms` and
    `to_ms` are the first and last time of measurement in it (ms since 1970 UTC).
    """

    source: int
    edge_id: int
    epoch: int
    block: int
    start: int
    stop: int
    from_ms: int
    to_ms: int


class SampleBatch(msgspec.Struct, frozen=True):
    """Samples as parallel columns of equal length.

    `series` (int32) ids of the relational table; `measured_at_ms` (int64) ms since 1970 UTC; `value` (float64) in the
    series' unit, NaN where bad; `reason` (uint8) codes of `wire.sample.Reason`, 0 = good. `received_ms` is when they
    came (ms since 1970 UTC, centre's clock), 0 where that is not known.
    """

    series: Int32s
    measured_at_ms: Int64s
    value: Float64s
    reason: Bytes
    blocks: tuple[BlockRef, ...] = ()
    received_ms: int = 0

    def __len__(self) -> int:
        return len(self.series)


class MeanBatch(msgspec.Struct, frozen=True):
    """Means of one period length as parallel columns.

    `start_ms` is the start of the period, `mean`, `low` and `high` are in the series' unit, `covered` (float32, 0..1)
    is the share of the period for which a good value held; where it is 0 the others are NaN.
    """

    series: Int32s
    start_ms: Int64s
    mean: Float64s
    low: Float64s
    high: Float64s
    covered: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.series)


class DirtyMinutes(msgspec.Struct, frozen=True):
    """Minutes whose means must be computed (again), per source: parallel columns, sorted by minute, then source.

    `minute` counts minutes since 1970 UTC.
    """

    source: Int32s
    minute: Int64s

    def __len__(self) -> int:
        return len(self.source)


def empty_samples() -> SampleBatch:
    """A batch of no rows."""
    return SampleBatch(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.uint8))


def empty_means() -> MeanBatch:
    """Means of no period."""
    nothing = np.empty(0, np.float64)
    return MeanBatch(np.empty(0, np.int32), np.empty(0, np.int64), nothing, nothing, nothing, np.empty(0, np.float32))


def no_minutes() -> DirtyMinutes:
    """No minute that must be computed."""
    return DirtyMinutes(np.empty(0, np.int32), np.empty(0, np.int64))


def some_rows(batch: SampleBatch, rows: NDArray[Any] | slice) -> SampleBatch:
    """Those rows of a batch, chosen by a mask, by their places or as a slice, without blocks."""
    return SampleBatch(batch.series[rows], batch.measured_at_ms[rows], batch.value[rows], batch.reason[rows])


def without_repeated(batch: SampleBatch, fresh: Sequence[BlockRef]) -> SampleBatch:
    """The rows of fresh blocks and those of no block."""
    if len(fresh) == len(batch.blocks):
        return batch
    kept = np.ones(len(batch), np.bool_)
    for block in batch.blocks:
        kept[block.start : block.stop] = False
    for block in fresh:
        kept[block.start : block.stop] = True
    return some_rows(batch, kept)


def without_repeats(parts: list[SampleBatch]) -> SampleBatch:
    """All rows sorted by series and time; of equal ones the first of the first part stays."""
    whole = _concatenated(parts)
    if not len(whole):
        return whole
    order = np.lexsort((whole.measured_at_ms, whole.series))
    series, at_ms = whole.series[order], whole.measured_at_ms[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (series[1:] != series[:-1]) | (at_ms[1:] != at_ms[:-1])
    kept = order[first]
    return SampleBatch(series[first], at_ms[first], whole.value[kept], whole.reason[kept])


def _concatenated(parts: list[SampleBatch]) -> SampleBatch:
    if not parts:
        return empty_samples()
    return SampleBatch(
        np.concatenate([part.series for part in parts]),
        np.concatenate([part.measured_at_ms for part in parts]),
        np.concatenate([part.value for part in parts]),
        np.concatenate([part.reason for part in parts]),
    )
