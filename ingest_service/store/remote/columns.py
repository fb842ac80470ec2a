"""Columns of what servers answer, joined and sorted. Pure."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge_agent.wire.durations import HOUR_MS
from edge_agent.wire.sample import FIRST_BAD
from ingest_service.columns import Float64s, Int32s, Int64s
from ingest_service.store.batch import MeanBatch, SampleBatch, empty_samples, some_rows
from ingest_service.store.tally import HourTally


class Collected:
    """Values of many series as they come in: one call a series, one set of columns in the end."""

    def __init__(self) -> None:
        self._series: list[Int32s] = []
        self._at_ms: list[Int64s] = []
        self._value: list[Float64s] = []

    def add(self, series: int, at_ms: Sequence[int] | Int64s, values: Sequence[float | None] | Float64s) -> None:
        """Values of one series; None is no value and left out."""
        value = np.asarray(values, np.float64)
        there = np.isfinite(value)
        self._value.append(value[there])
        self._at_ms.append(np.asarray(at_ms, np.int64)[there])
        self._series.append(np.full(int(there.sum()), series, np.int32))

    def columns(self) -> tuple[Int32s, Int64s, Float64s]:
        """Series, time and value of all."""
        if not self._series:
            return np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.float64)
        return np.concatenate(self._series), np.concatenate(self._at_ms), np.concatenate(self._value)


def samples_of(values: Collected, reasons: Collected) -> SampleBatch:
    """Values and reasons that belong to the same series and time as one sample, sorted by both."""
    series, at_ms, value = values.columns()
    flagged, flagged_ms, code = reasons.columns()
    both = np.concatenate([series, flagged])
    if not len(both):
        return empty_samples()
    times = np.concatenate([at_ms, flagged_ms])
    order, starts = _groups(both, times)
    numbers = np.concatenate([value, np.full(len(code), np.nan)])[order]
    codes = np.concatenate([np.zeros(len(value), np.uint8), code.astype(np.uint8)])[order]
    first = order[starts]
    return SampleBatch(both[first], times[first], np.fmax.reduceat(numbers, starts), np.maximum.reduceat(codes, starts))


def tally_of_counts(counts: Collected, reasons: Collected) -> HourTally:
    """Counts of values by hour, with the reasons of samples that have none, as one tally sorted by series and hour.

    A sample that has a value and a doubt is among the values already.
    """
    series, start_ms, count = counts.columns()
    flagged, flagged_ms, code = reasons.columns()
    bad = code >= FIRST_BAD
    both = np.concatenate([series, flagged[bad]])
    hours = np.concatenate([start_ms, flagged_ms[bad] // HOUR_MS * HOUR_MS])
    if not len(both):
        nothing = np.empty(0, np.int64)
        return HourTally(np.empty(0, np.int32), nothing, nothing, nothing, nothing)
    order, starts = _groups(both, hours)
    whole = np.concatenate([count, np.ones(int(bad.sum()))]).astype(np.int64)[order]
    without = np.concatenate([np.zeros(len(count)), np.ones(int(bad.sum()))]).astype(np.int64)[order]
    first = order[starts]
    samples, missing = np.add.reduceat(whole, starts), np.add.reduceat(without, starts)
    found = HourTally(both[first], hours[first], samples, missing, np.zeros(len(first), np.int64))
    return some_hours(found, samples > 0)


def some_hours(tally: HourTally, rows: NDArray[np.bool_]) -> HourTally:
    """Those rows of a tally."""
    return HourTally(*(getattr(tally, name)[rows] for name in HourTally.__struct_fields__))


def joined_tallies(left: HourTally, right: HourTally) -> HourTally:
    """Both, which have no hour of a series in common, sorted by series and hour."""
    names = HourTally.__struct_fields__
    whole = HourTally(*(np.concatenate([getattr(left, name), getattr(right, name)]) for name in names))
    order = np.lexsort((whole.start_ms, whole.series))
    return HourTally(*(getattr(whole, name)[order] for name in names))


def newest_of(batch: SampleBatch) -> SampleBatch:
    """The last sample of each series of a sorted batch."""
    last = np.ones(len(batch), np.bool_)
    last[:-1] = batch.series[1:] != batch.series[:-1]
    return some_rows(batch, last)


def means_of(parts: Sequence[Collected], period_ms: int) -> MeanBatch:
    """Mean, low, high and covered share as one; of several for one period the one with the latest time counts.

    Every mean has a covered share; the others are NaN where it is 0.
    """
    series, at_ms, covered = parts[-1].columns()
    start_ms = at_ms // period_ms * period_ms
    order = np.lexsort((at_ms, series))
    last = np.ones(len(order), np.bool_)
    last[:-1] = (series[order][1:] != series[order][:-1]) | (start_ms[order][1:] != start_ms[order][:-1])
    chosen = order[last]
    mean, low, high = (_at(part, series[chosen], at_ms[chosen], covered[chosen] > 0) for part in parts[:-1])
    return MeanBatch(series[chosen], start_ms[chosen], mean, low, high, covered[chosen].astype(np.float32))


def joined_means(earlier: MeanBatch, later: MeanBatch) -> MeanBatch:
    """Both, sorted by series and start; for the same period the later one counts."""
    names = MeanBatch.__struct_fields__
    whole = MeanBatch(*(np.concatenate([getattr(earlier, name), getattr(later, name)]) for name in names))
    order = np.lexsort((np.arange(len(whole)), whole.start_ms, whole.series))
    last = np.ones(len(order), np.bool_)
    series, start_ms = whole.series[order], whole.start_ms[order]
    last[:-1] = (series[1:] != series[:-1]) | (start_ms[1:] != start_ms[:-1])
    return MeanBatch(*(getattr(whole, name)[order[last]] for name in names))


def _at(part: Collected, series: Int32s, at_ms: Int64s, wanted: NDArray[np.bool_]) -> Float64s:
    """The values of a part for these series and times; NaN where there is none or none is wanted."""
    own_series, own_ms, own = part.columns()
    found = np.full(len(series), np.nan)
    if len(own) and len(series):
        keys, own_keys = _keys(series, at_ms, own_ms), _keys(own_series, own_ms, at_ms)
        order = np.argsort(own_keys, kind="stable")
        place = np.searchsorted(own_keys[order], keys)
        inside = place < len(order)
        hit = np.zeros(len(keys), np.bool_)
        hit[inside] = own_keys[order[place[inside]]] == keys[inside]
        hit &= wanted
        found[hit] = own[order[place[hit]]]
    return found


def _keys(series: Int32s, at_ms: Int64s, others_ms: Int64s) -> Int64s:
    """One number for a series and a time, comparable with those of another set of times."""
    base = min(int(at_ms.min()), int(others_ms.min()))
    return (series.astype(np.int64) << 42) | (at_ms - base)


def _groups(series: Int32s, at_ms: Int64s) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """An order by series and time, and where each pair of them begins in it."""
    order = np.lexsort((at_ms, series))
    begins = np.ones(len(order), np.bool_)
    begins[1:] = (series[order][1:] != series[order][:-1]) | (at_ms[order][1:] != at_ms[order][:-1])
    return order, np.flatnonzero(begins)
