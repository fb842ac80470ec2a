"""Minute means of what is coming in now, added up as it comes, so that nobody need read the samples again.

Says of a minute what `averaging.minute_means` says of the stored samples, and says where it cannot: where something
came before it began, or came late, or was not stored after all. Those minutes must be read.
"""

import msgspec
import numpy as np

from edge_agent.wire.durations import MINUTE_MS
from edge_agent.wire.sample import FIRST_BAD
from ingest_service.columns import Bools, Float64s, Int32s, Int64s, SampleColumns
from ingest_service.emissions.columns import Means
from ingest_service.emissions.held_values import HeldMinutes, Spans

_NEVER = np.iinfo(np.int64).min
_NOT_YET = np.iinfo(np.int64).max
_FIRST_SIZE = 1024


class Tallied(msgspec.Struct, frozen=True):
    """Means of one minute, a row a series asked for, and where they are `exact`: the others say nothing."""

    means: Means
    exact: Bools


class _Column(msgspec.Struct, frozen=True):
    """Samples of one batch; of several of one series the earlier stand first. `value` is NaN where bad."""

    series: Int32s
    at_ms: Int64s
    value: Float64s


class MinuteTally:
    """Not thread-safe. Memory is about 200 bytes a series id up to the highest one."""

    def __init__(self) -> None:
        self._size = 0
        self._hold_ms = np.zeros(0, np.int64)  # 0 where it is not known
        self._last_ms = np.zeros(0, np.int64)
        self._last_value = np.zeros(0)
        self._exact_from = np.zeros(0, np.int64)  # minute; _NOT_YET until the next sample in order
        self._place = np.zeros(0, np.int64)
        self._minutes = HeldMinutes()

    def learn(self, series: Int32s, holds_ms: Int64s) -> None:
        """For how long a value of these series may stand; where that is new, they begin anew."""
        self._grow_to(series)
        self._exact_from[series[self._hold_ms[series] != holds_ms]] = _NOT_YET
        self._hold_ms[series] = holds_ms

    def add(self, samples: SampleColumns, now_ms: int) -> None:
        """Samples that are about to be stored, in any order; they came at `now_ms` (ms since 1970 UTC)."""
        self._grow_to(samples.series)
        value = np.where((samples.reason < FIRST_BAD) & np.isfinite(samples.value), samples.value, np.nan)
        batch = self._without_late(self._sorted(_Column(samples.series, samples.measured_at_ms, value)))
        self._add(batch, now_ms // MINUTE_MS + 1)

    def forget(self, series: Int32s) -> None:
        """The newest samples of these series were not stored after all: they begin anew."""
        self._grow_to(series)
        self._exact_from[series] = _NOT_YET

    def minute(self, minute: int, series: Int32s) -> Tallied:
        """The means of a minute (counted since 1970 UTC) that has ended, of those series."""
        self._grow_to(series)
        from_ms, to_ms = minute * MINUTE_MS, (minute + 1) * MINUTE_MS
        last_ms = self._last_ms[series]
        end_ms = np.where(last_ms < to_ms, np.minimum(last_ms + self._hold_ms[series], to_ms), _NEVER)
        tail = Spans(series, np.maximum(last_ms, from_ms), end_ms, self._last_value[series])
        exact = (self._exact_from[series] <= minute) & self._minutes.knows(minute)
        return Tallied(self._minutes.means(minute, tail), np.asarray(exact))

    def _add(self, batch: _Column, latest_minute: int) -> None:
        """Every sample ends the hold of the one before it, and is the last one until the next."""
        series, first = batch.series, _firsts(batch.series)
        before_ms = np.where(first, self._last_ms[series], np.roll(batch.at_ms, 1))
        before = np.where(first, self._last_value[series], np.roll(batch.value, 1))
        held_ms = np.minimum(batch.at_ms, before_ms + self._hold_ms[series])
        end_ms = np.where(before_ms == _NEVER, _NEVER, held_ms)
        dropped = self._minutes.add(Spans(series, before_ms, end_ms, before), latest_minute)
        last = _lasts(series)
        self._last_ms[series[last]], self._last_value[series[last]] = batch.at_ms[last], batch.value[last]
        self._begin_anew(np.append(series[self._exact_from[series] == _NOT_YET], dropped))

    def _sorted(self, batch: _Column) -> _Column:
        """By series and time; as it is where no series occurs twice."""
        rows = np.arange(len(batch.series))
        self._place[batch.series] = rows
        if np.array_equal(self._place[batch.series], rows):
            return batch
        return _rows(batch, np.lexsort((batch.at_ms, batch.series)))

    def _without_late(self, batch: _Column) -> _Column:
        """Series with something late, or with two values at one time, begin anew with their next sample in order."""
        series, at_ms = batch.series, batch.at_ms
        late = at_ms <= np.where(_firsts(series), self._last_ms[series], np.roll(at_ms, 1))
        if not late.any():
            return batch
        troubled = np.isin(series, series[late])
        last = troubled & _lasts(series)
        self._last_ms[series[last]] = np.maximum(self._last_ms[series[last]], at_ms[last])
        self._exact_from[series[last]] = _NOT_YET
        return _rows(batch, np.flatnonzero(~troubled))

    def _begin_anew(self, series: Int32s) -> None:
        """Exact from the minute after the last sample, if it is known how long that may hold."""
        after = self._last_ms[series] // MINUTE_MS + 1
        self._exact_from[series] = np.where(self._hold_ms[series] > 0, after, _NOT_YET)

    def _grow_to(self, series: Int32s) -> None:
        highest = int(series.max(initial=-1))
        if highest < self._size:
            return
        size = max(_FIRST_SIZE, 1 << (highest + 1).bit_length())
        self._hold_ms = _longer(self._hold_ms, size, 0)
        self._last_ms = _longer(self._last_ms, size, _NEVER)
        self._exact_from = _longer(self._exact_from, size, _NOT_YET)
        self._place = _longer(self._place, size, 0)
        self._last_value = np.append(self._last_value, np.full(size - self._size, np.nan))
        self._minutes.grow_to(size)
        self._size = size


def _firsts(series: Int32s) -> Bools:
    """Where a run of one series begins."""
    first = np.ones(len(series), np.bool_)
    first[1:] = series[1:] != series[:-1]
    return first


def _lasts(series: Int32s) -> Bools:
    """Where it ends."""
    last = np.ones(len(series), np.bool_)
    last[:-1] = series[1:] != series[:-1]
    return last


def _rows(batch: _Column, rows: Int64s) -> _Column:
    return _Column(batch.series[rows], batch.at_ms[rows], batch.value[rows])


def _longer(column: Int64s, size: int, fill: int) -> Int64s:
    return np.append(column, np.full(size - len(column), fill, np.int64))
