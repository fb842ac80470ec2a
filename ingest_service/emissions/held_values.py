"""The newest minutes of a fleet: for how long which values held in each, added up. Pure arithmetic in place."""

import msgspec
import numpy as np

from edge_agent.wire.durations import MINUTE_MS
from ingest_service.columns import Bools, Float64s, Int32s, Int64s
from ingest_service.emissions.columns import Means

_SLOTS = 4  # so many newest minutes are kept
_NEVER = np.iinfo(np.int64).min


class Spans(msgspec.Struct, frozen=True):
    """Values that held in `[begin, end)`; none where it ends before it begins, or the value is NaN.

    Spans of one series stand together, or there is but one in a minute.
    """

    series: Int32s
    begin_ms: Int64s
    end_ms: Int64s
    value: Float64s


class HeldMinutes:
    """Columns by series id, one set for each of the newest minutes."""

    def __init__(self) -> None:
        self._minute = np.full(_SLOTS, _NEVER, np.int64)
        self._held_ms = np.zeros((_SLOTS, 0))
        self._moment = np.zeros((_SLOTS, 0))
        self._low = np.zeros((_SLOTS, 0))
        self._high = np.zeros((_SLOTS, 0))

    def grow_to(self, size: int) -> None:
        """Make room for series ids below `size`."""
        more = (_SLOTS, size - self._held_ms.shape[1])
        self._held_ms, self._moment = (np.hstack([one, np.zeros(more)]) for one in (self._held_ms, self._moment))
        self._low, self._high = (np.hstack([one, np.full(more, np.nan)]) for one in (self._low, self._high))

    def knows(self, minute: int) -> bool:
        """Whether that minute is one of those that are kept."""
        return bool(self._minute[minute % _SLOTS] == minute)

    def add(self, spans: Spans, latest_minute: int) -> Int32s:
        """Add them to their minutes; returns the series of what lies after `latest_minute`, which is not added."""
        pieces = _cut(_real(spans))
        minute = pieces.begin_ms // MINUTE_MS
        beyond = minute > latest_minute
        for one in np.unique(minute[~beyond]).tolist():
            if self._claim(one):
                self._add_to(one % _SLOTS, _chosen(pieces, minute == one))
        return pieces.series[beyond]

    def means(self, minute: int, tail: Spans) -> Means:
        """The means of a kept minute, a row a span of `tail`: what still holds in it and was not added."""
        slot, series = minute % _SLOTS, tail.series
        open_ms = np.where((tail.end_ms > tail.begin_ms) & ~np.isnan(tail.value), tail.end_ms - tail.begin_ms, 0)
        value = np.where(open_ms > 0, tail.value, np.nan)
        held_ms = self._held_ms[slot, series] + open_ms
        moment = self._moment[slot, series] + np.where(open_ms > 0, open_ms * value, 0.0)
        low, high = np.fmin(self._low[slot, series], value), np.fmax(self._high[slot, series], value)
        mean = np.divide(moment, held_ms, out=np.full(len(series), np.nan), where=held_ms > 0)
        start_ms = np.full(len(series), minute * MINUTE_MS, np.int64)
        covered = (held_ms / MINUTE_MS).astype(np.float32)
        return Means(series, start_ms, np.clip(mean, low, high), low, high, covered)

    def _claim(self, minute: int) -> bool:
        """Make room for a minute in the place of an older one; False where a newer one has it."""
        slot = minute % _SLOTS
        if self._minute[slot] < minute:
            self._minute[slot] = minute
            self._held_ms[slot], self._moment[slot] = 0.0, 0.0
            self._low[slot], self._high[slot] = np.nan, np.nan
        return bool(self._minute[slot] == minute)

    def _add_to(self, slot: int, pieces: Spans) -> None:
        begin = np.flatnonzero(np.diff(pieces.series, prepend=-1))
        series, length_ms = pieces.series[begin], (pieces.end_ms - pieces.begin_ms).astype(np.float64)
        moment, value = length_ms * pieces.value, pieces.value
        if len(begin) < len(length_ms):
            length_ms, moment = np.add.reduceat(length_ms, begin), np.add.reduceat(moment, begin)
        lowest, highest = np.minimum.reduceat(value, begin), np.maximum.reduceat(value, begin)
        self._held_ms[slot, series] += length_ms
        self._moment[slot, series] += moment
        self._low[slot, series] = np.fmin(self._low[slot, series], lowest)
        self._high[slot, series] = np.fmax(self._high[slot, series], highest)


def _real(spans: Spans) -> Spans:
    real = (spans.end_ms > spans.begin_ms) & ~np.isnan(spans.value)
    return spans if real.all() else _chosen(spans, real)


def _chosen(spans: Spans, which: Bools) -> Spans:
    if which.all():
        return spans
    return Spans(spans.series[which], spans.begin_ms[which], spans.end_ms[which], spans.value[which])


def _cut(spans: Spans) -> Spans:
    """The same spans, each within one minute."""
    first, last = spans.begin_ms // MINUTE_MS, (spans.end_ms - 1) // MINUTE_MS
    pieces = last - first + 1
    if (pieces == 1).all():
        return spans
    of = np.repeat(np.arange(len(pieces)), pieces)
    minute = first[of] + np.arange(len(of)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    begin_ms = np.maximum(spans.begin_ms[of], minute * MINUTE_MS)
    end_ms = np.minimum(spans.end_ms[of], (minute + 1) * MINUTE_MS)
    return Spans(spans.series[of], begin_ms, end_ms, spans.value[of])
