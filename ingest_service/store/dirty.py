"""Which minutes of which sources must be averaged (again). Pure: the store keeps the same marks on disk."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from edge_agent.wire.durations import MINUTE_MS
from ingest_service.columns import Int64s
from ingest_service.store.batch import BlockRef, DirtyMinutes, SampleBatch, no_minutes
from ingest_service.store.newest import grown

_MINUTES_AN_HOUR = 60
LONGEST_HOLD_MS = 60_000  # for so long a value may hold without a new sample
_NARROW_MINUTES = 3  # a block that spans no more is marked by its ends alone
_CLEAN, _MARKED, _HANDED = 0, 1, 2


class DirtyMarks:
    """One byte a source and minute: clean, marked, or handed out to be averaged.

    A mark that is touched after it was handed out is marked anew, so that clearing what was handed out does not clear
    it. Memory is one byte a source id and minute that is not clean.
    """

    def __init__(self, marks: DirtyMinutes) -> None:
        self._of: dict[int, NDArray[np.uint8]] = {}
        self.mark(marks)

    def unmarked(self, touched: DirtyMinutes) -> DirtyMinutes:
        """Those of `touched` that need a mark on disk: clean ones and ones handed out."""
        missing = np.ones(len(touched), np.bool_)
        for minute in np.unique(touched.minute).tolist():
            at = np.flatnonzero(touched.minute == minute)
            row = self._row(minute, int(touched.source[at].max()))
            missing[at] = row[touched.source[at]] != _MARKED
        return DirtyMinutes(touched.source[missing], touched.minute[missing])

    def mark(self, marks: DirtyMinutes) -> None:
        """These have their mark on disk now."""
        for minute in np.unique(marks.minute).tolist():
            sources = marks.source[marks.minute == minute]
            self._row(minute, int(sources.max()))[sources] = _MARKED

    def hand_out(self, before_ms: int, limit: int, without: Collection[int] = ()) -> DirtyMinutes:
        """At most `limit` marks whose minute ended before `before_ms`, oldest first; they count as handed out.

        Those of the hours `without` stay as they are.
        """
        sources: list[NDArray[np.int64]] = []
        minutes: list[NDArray[np.int64]] = []
        for minute in sorted(minute for minute in self._of if minute // _MINUTES_AN_HOUR not in without):
            if (minute + 1) * MINUTE_MS > before_ms or limit <= 0:
                break
            found = np.flatnonzero(self._of[minute] != _CLEAN)[:limit]
            self._of[minute][found] = _HANDED
            limit -= len(found)
            sources.append(found)
            minutes.append(np.full(len(found), minute, np.int64))
        return _columns(sources, minutes)

    def clear(self, done: DirtyMinutes) -> None:
        """These were averaged; what was touched since it was handed out stays marked."""
        for minute in np.unique(done.minute).tolist():
            row = self._of.get(minute)
            if row is None:
                continue
            sources = done.source[done.minute == minute]
            sources = sources[sources < len(row)]
            row[sources[row[sources] == _HANDED]] = _CLEAN
            if not row.any():
                del self._of[minute]

    def _row(self, minute: int, highest: int) -> NDArray[np.uint8]:
        row = self._of.get(minute)
        if row is None or highest >= len(row):
            size = max(64, 1 << (highest + 1).bit_length())
            row = grown(np.zeros(0, np.uint8) if row is None else row, size, _CLEAN)
            self._of[minute] = row
        return row


def minutes_touched(batch: SampleBatch, blocks: list[BlockRef]) -> DirtyMinutes:
    """Every minute of a source in which a sample of these blocks lies or may still hold, each once."""
    if not blocks:
        return no_minutes()
    bounds = np.array([(one.source, one.from_ms, one.to_ms, one.start, one.stop) for one in blocks], np.int64)
    bounds = bounds[bounds[:, 4] > bounds[:, 3]]
    first, last = bounds[:, 1] // MINUTE_MS, (bounds[:, 2] + LONGEST_HOLD_MS) // MINUTE_MS
    narrow = last - first <= _NARROW_MINUTES
    keys = [_keys(bounds[narrow, 0], first[narrow] + step, last[narrow]) for step in range(_NARROW_MINUTES + 1)]
    for source, _, _, start, stop in bounds[~narrow].tolist():
        minute = np.unique(batch.measured_at_ms[start:stop] // MINUTE_MS)
        keys += [(minute << 32) | source, ((minute + 1) << 32) | source]
    return _from_keys(np.unique(np.concatenate(keys)))


def _keys(source: Int64s, minute: Int64s, last: Int64s) -> Int64s:
    inside = minute <= last
    return (minute[inside] << 32) | source[inside]


def _from_keys(keys: Int64s) -> DirtyMinutes:
    return DirtyMinutes((keys & 0xFFFFFFFF).astype(np.int32), keys >> 32)


def _columns(sources: list[NDArray[np.int64]], minutes: list[NDArray[np.int64]]) -> DirtyMinutes:
    if not sources:
        return no_minutes()
    return DirtyMinutes(np.concatenate(sources).astype(np.int32), np.concatenate(minutes))
