"""How long series have stood still: runs of equal values, found in samples or kept up to date as samples come."""

from collections.abc import Callable
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_agent.wire.sample import FIRST_BAD
from ingest_service.columns import Bools, Float64s, Int32s, Int64s, SampleColumns

Number = TypeVar("Number", np.int64, np.float64)

NEVER_MS = np.iinfo(np.int64).min
_FIRST_SIZE = 1024


class Runs(msgspec.Struct, frozen=True):
    """The newest run of equal values of each series, parallel to the series asked for.

    `before_ms` is the time of the sample before the run, NEVER_MS where none is known; `begin_ms` and `last_ms` are the
    times of its first and last sample, NEVER_MS where the series has none, `count` how many there are. A bad sample is
    a run of its own, with `value` NaN.
    """

    before_ms: Int64s
    begin_ms: Int64s
    last_ms: Int64s
    count: Int64s
    value: Float64s


def runs_of(sample_series: Int32s, at_ms: Int64s, value: Float64s, series: Int32s) -> Runs:
    """The runs in samples sorted by (series, time)."""
    first = np.searchsorted(sample_series, series, side="left")
    last = np.searchsorted(sample_series, series, side="right") - 1
    found = last >= first
    new = np.ones(len(value), np.bool_)
    new[1:] = (sample_series[1:] != sample_series[:-1]) | (value[1:] != value[:-1])
    begins = np.maximum.accumulate(np.where(new, np.arange(len(new)), 0))
    begin = np.where(found, _at(begins, last, 0), 0)
    return Runs(
        before_ms=np.where(found & (begin > first), _at(at_ms, begin - 1, NEVER_MS), NEVER_MS),
        begin_ms=np.where(found, _at(at_ms, begin, NEVER_MS), NEVER_MS),
        last_ms=np.where(found, _at(at_ms, last, NEVER_MS), NEVER_MS),
        count=np.where(found, last - begin + 1, 0),
        value=np.where(found, _at(value, last, np.nan), np.nan),
    )


class RunTally:
    """The runs of watched series, kept up to date. Not thread-safe; late samples are not heeded.

    `seen_as` says which values count as equal: those that it makes equal.
    """

    def __init__(self, seen_as: Callable[[Float64s], Float64s] = lambda value: value) -> None:
        self._seen_as = seen_as
        self._watched = np.zeros(0, np.bool_)
        self._before_ms = np.zeros(0, np.int64)
        self._begin_ms = np.zeros(0, np.int64)
        self._last_ms = np.zeros(0, np.int64)
        self._count = np.zeros(0, np.int64)
        self._value = np.zeros(0)

    def watch(self, series: Int32s) -> None:
        """Heed these series from now on, and those before."""
        self._grow_to(int(series.max(initial=-1)))
        self._watched[series] = True

    def add(self, samples: SampleColumns) -> None:
        """Samples in any order."""
        self._grow_to(int(samples.series.max(initial=-1)))
        rows = np.flatnonzero(self._watched[samples.series])
        value = np.where(samples.reason[rows] < FIRST_BAD, samples.value[rows], np.nan)
        self._add(samples.series[rows], samples.measured_at_ms[rows], self._seen_as(value))

    def runs(self, series: Int32s) -> Runs:
        """How they stand now."""
        self._grow_to(int(series.max(initial=-1)))
        return Runs(
            self._before_ms[series],
            self._begin_ms[series],
            self._last_ms[series],
            self._count[series],
            self._value[series],
        )

    def _add(self, series: Int32s, at_ms: Int64s, value: Float64s) -> None:
        order = np.lexsort((at_ms, series))
        order = order[at_ms[order] > self._last_ms[series[order]]]
        series, at_ms, value = series[order], at_ms[order], value[order]
        first = np.ones(len(series), np.bool_)
        first[1:] = series[1:] != series[:-1]
        previous_ms = np.where(first, self._last_ms[series], np.roll(at_ms, 1))
        changed = value != np.where(first, self._value[series], np.roll(value, 1))
        begin = np.maximum.accumulate(np.where(changed | first, np.arange(len(series)), 0))
        last = np.flatnonzero(np.append(first[1:], np.True_)[: len(series)])
        self._renew(
            series[last], changed[begin[last]], last - begin[last] + 1, at_ms[begin[last]], previous_ms[begin[last]]
        )
        self._last_ms[series[last]], self._value[series[last]] = at_ms[last], value[last]

    def _renew(self, series: Int32s, anew: Bools, count: Int64s, begin_ms: Int64s, before_ms: Int64s) -> None:
        """Runs that go on grow; others begin anew."""
        self._count[series] = np.where(anew, count, self._count[series] + count)
        self._begin_ms[series] = np.where(anew, begin_ms, self._begin_ms[series])
        self._before_ms[series] = np.where(anew, before_ms, self._before_ms[series])

    def _grow_to(self, highest: int) -> None:
        if highest < len(self._last_ms):
            return
        more = max(_FIRST_SIZE, 1 << (highest + 1).bit_length()) - len(self._last_ms)
        never = np.full(more, NEVER_MS, np.int64)
        self._watched = np.append(self._watched, np.zeros(more, np.bool_))
        self._before_ms, self._begin_ms = np.append(self._before_ms, never), np.append(self._begin_ms, never)
        self._last_ms, self._count = np.append(self._last_ms, never), np.append(self._count, np.zeros(more, np.int64))
        self._value = np.append(self._value, np.full(more, np.nan))


def _at(column: NDArray[Number], rows: Int64s, fill: float) -> NDArray[Number]:
    """The column at those rows, clipped to it; `fill` where the column is empty."""
    return column[np.clip(rows, 0, len(column) - 1)] if len(column) else np.full(len(rows), fill, column.dtype)
