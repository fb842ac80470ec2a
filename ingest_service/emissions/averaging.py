"""Minute and hour means. Pure and vectorised: a function of event time alone, whatever the batching or the order.

Edges report by exception: a value holds until the next sample of its series, at most for the series' hold.
"""

import numpy as np

from edge_agent.wire.durations import HOUR_MS, MINUTE_MS
from edge_agent.wire.sample import FIRST_BAD
from ingest_service.columns import Bools, Float64s, Int32s, Int64s, SampleColumns
from ingest_service.emissions.columns import MINUTES, MeanColumns, Means

DEFAULT_HOLD_MS = 60_000


def hold_ms(period_s: float | None) -> int:
    """How long a value may stand for what follows: 1.5 reporting periods and a second, 60 s where none is known."""
    return DEFAULT_HOLD_MS if period_s is None else round(period_s * 1500) + 1000


def holds_ms(period_s: Float64s) -> Int64s:
    """The same of many; NaN where no period is known."""
    known = np.round(np.nan_to_num(period_s) * 1500).astype(np.int64) + 1000
    return np.where(np.isnan(period_s), DEFAULT_HOLD_MS, known)


def minute_means(samples: SampleColumns, series: Int32s, holds_ms: Int64s, from_ms: int, to_ms: int) -> Means:
    """Time-weighted means of every minute in `[from_ms, to_ms)` (whole minutes) of every one of `series` (sorted ids).

    `holds_ms` goes with `series`. Samples before `from_ms` carry in; a bad one ends the hold. Samples of other series
    are ignored. `covered` is the share for which a value held.
    """
    minutes = max(0, (to_ms - from_ms) // MINUTE_MS)
    at, begin_ms, end_ms, value = _spans(samples, series, holds_ms, from_ms, from_ms + minutes * MINUTE_MS)
    span, cell_minute = _cut(begin_ms - from_ms, end_ms - from_ms)
    left = np.maximum(begin_ms[span] - from_ms, cell_minute * MINUTE_MS)
    right = np.minimum(end_ms[span] - from_ms, (cell_minute + 1) * MINUTE_MS)
    return _gathered(series, at[span] * minutes + cell_minute, right - left, value[span], from_ms, int(minutes))


def hour_means(minutes: MeanColumns) -> Means:
    """Hour means of minute means, weighted by the share that each minute was covered; low and high of all minutes."""
    hour_ms = minutes.start_ms // HOUR_MS * HOUR_MS
    order = np.lexsort((minutes.start_ms, minutes.series))
    series, hour_ms = minutes.series[order], hour_ms[order]
    first = _group_starts(series, hour_ms)
    weight = np.where(np.isnan(minutes.mean), 0.0, minutes.covered)[order]
    total = _sums(weight, first)
    mean = _ratio(_sums(np.where(weight > 0, minutes.mean[order] * weight, 0.0), first), total)
    low, high = _extremes(minutes.low[order], minutes.high[order], first)
    covered = (total / MINUTES).astype(np.float32)
    return Means(series[first], hour_ms[first], np.clip(mean, low, high), low, high, covered)


def _spans(
    samples: SampleColumns, series: Int32s, holds_ms: Int64s, from_ms: int, to_ms: int
) -> tuple[Int64s, Int64s, Int64s, Float64s]:
    """For how long which value held, cut to `[from_ms, to_ms)`: index into `series`, begin, end, value."""
    order = np.lexsort((samples.measured_at_ms, samples.series))
    ids, begin_ms = samples.series[order], samples.measured_at_ms[order]
    value, reason = samples.value[order], samples.reason[order]
    at = np.searchsorted(series, ids).astype(np.int64)
    known = at < len(series)
    known[known] = series[at[known]] == ids[known]
    end_ms = begin_ms + holds_ms[np.where(known, at, 0)] if len(series) else begin_ms
    followed = ids[1:] == ids[:-1]
    end_ms[:-1] = np.where(followed, np.minimum(end_ms[:-1], begin_ms[1:]), end_ms[:-1])
    begin_ms, end_ms = np.maximum(begin_ms, from_ms), np.minimum(end_ms, to_ms)
    used = known & (reason < FIRST_BAD) & np.isfinite(value) & (end_ms > begin_ms)
    return at[used], begin_ms[used], end_ms[used], value[used]


def _cut(begin_ms: Int64s, end_ms: Int64s) -> tuple[Int64s, Int64s]:
    """Spans cut at the minutes: the span of each piece, and its minute."""
    first, last = begin_ms // MINUTE_MS, (end_ms - 1) // MINUTE_MS
    pieces = last - first + 1
    span = np.repeat(np.arange(len(pieces)), pieces)
    step = np.arange(len(span)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    return span, first[span] + step


def _gathered(series: Int32s, cell: Int64s, weight_ms: Int64s, value: Float64s, from_ms: int, minutes: int) -> Means:
    """Pieces, sorted by cell (series index * minutes + minute), as one row a cell of the whole grid."""
    cells = len(series) * minutes
    held_ms = np.bincount(cell, weights=weight_ms, minlength=cells).astype(np.float64)
    moment = np.bincount(cell, weights=weight_ms * value, minlength=cells).astype(np.float64)
    mean = _ratio(moment, held_ms)
    low, high = np.full(cells, np.nan), np.full(cells, np.nan)
    first = np.flatnonzero(np.diff(cell, prepend=-1))
    low[cell[first]], high[cell[first]] = _extremes(value, value, first)
    start_ms = from_ms + np.tile(np.arange(minutes, dtype=np.int64) * MINUTE_MS, len(series))
    covered = (held_ms / MINUTE_MS).astype(np.float32)
    return Means(np.repeat(series, minutes), start_ms, np.clip(mean, low, high), low, high, covered)


def _group_starts(series: Int32s, period_ms: Int64s) -> Int64s:
    """Where a new (series, period) begins, in sorted columns."""
    new: Bools = np.ones(len(series), np.bool_)
    new[1:] = (series[1:] != series[:-1]) | (period_ms[1:] != period_ms[:-1])
    return np.flatnonzero(new)


def _sums(column: Float64s, first: Int64s) -> Float64s:
    return np.asarray(np.add.reduceat(column, first), np.float64) if len(first) else np.empty(0)


def _extremes(low: Float64s, high: Float64s, first: Int64s) -> tuple[Float64s, Float64s]:
    """Lowest and highest of each group, NaN left out."""
    if not len(first):
        return np.empty(0), np.empty(0)
    return np.fmin.reduceat(low, first), np.fmax.reduceat(high, first)


def _ratio(total: Float64s, weight: Float64s) -> Float64s:
    """Total over weight, NaN where there is no weight."""
    return np.asarray(np.divide(total, weight, out=np.full(len(total), np.nan), where=weight > 0))
