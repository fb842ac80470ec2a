"""Teaches furnaces' baselines with the cremations that ended."""

from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np

from edge_agent.wire.durations import HOUR_MS, MINUTE_MS
from ingest_service.anomaly.baseline import LESSONS, SHAPE, Baseline, Expected, HeldBack, learn, lesson, teaching
from ingest_service.anomaly.course import NO_CELL, cells, told_phases
from ingest_service.anomaly.gate import held_back, well_known
from ingest_service.columns import Bools, Float64s, Int64s
from ingest_service.emissions.marks import Marks
from ingest_service.errors import HoursUnreadable
from ingest_service.store.channels import Channels
from ingest_service.store.lessons import Finished, Lesson, LessonStore, Trouble
from ingest_service.store.timeseries import TimeSeriesStore
from ingest_service.workers.baselines import Baselines
from ingest_service.workers.watched_minutes import read_watched, watched_series

AT_ONCE = 100  # cremations a step, some 10 ms each
LOADED_AT_ONCE = 250  # furnaces a step: about 40 MB of lessons
LOOK_BACK_MS = 14 * 24 * HOUR_MS  # older cremations say little of how a furnace is now
_KEPT = 3 * LESSONS  # of a furnace, however many are held back
_LEAD_MINUTES = 2  # before the charge: so that its beginning is seen
_LONGEST_MINUTES = 360

MarksOf = Callable[[int, int], Marks]
Spans = Mapping[int, Sequence[Trouble]]  # by furnace


class Looked(msgspec.Struct, frozen=True):
    """A cremation that was looked at: its burning minutes and what was expected of them by those before it.

    `lessons` are its furnace's with its own, oldest first; `fresh` is its own, None where there was no cremation.
    """

    finished: Finished
    start_ms: Int64s
    expected: Expected
    fresh: Lesson | None
    lessons: Sequence[Lesson]


class Lessons:
    """`marks` gives those that hold and touch a time. One step at a time; every method may raise StoreError."""

    def __init__(self, store: TimeSeriesStore, lessons: LessonStore, marks: MarksOf) -> None:
        self._store, self._lessons, self._marks = store, lessons, marks
        self._seen: int | None = None
        self._known = Baselines()

    def finished(self, now_ms: int) -> list[Finished]:
        """The cremations that have yet to be looked at, in the order of recording, some at a time."""
        if self._seen is None:
            self._seen = self._lessons.seen()
        return self._lessons.finished_since(self._seen, now_ms - LOOK_BACK_MS, AT_ONCE)

    def look(self, one: Finished, channels: Channels) -> Looked:
        """What a cremation teaches, and what was expected of it."""
        own = self._lessons.of_furnaces([one.furnace_id])[one.furnace_id]
        others = [other for other in own if other.case_number != one.case_number]
        before = self._learnt({one.furnace_id: [other for other in others if other.charge_ms < one.charge_ms]})
        expected_then = Baseline(before.middle[0], before.sigma[0])
        if one.withdrawn:
            return Looked(one, np.empty(0, np.int64), expected_then.at(np.empty(0, np.int64)), None, others)
        cell, from_ms = _cells(one)
        value = well_known(cell, self._read(one.furnace_id, channels, from_ms, len(cell)))
        fresh = _lesson(one, held_back(cell, value, expected_then), lesson(cell, value))
        burning = np.flatnonzero(cell != NO_CELL)
        every = sorted([*others, fresh], key=lambda each: each.charge_ms)
        return Looked(one, from_ms + burning * MINUTE_MS, expected_then.at(cell[burning]), fresh, every)

    def learn(self, looked: Looked) -> None:
        """Keep what it teaches; it is not looked at again. Lessons that nobody needs any more go."""
        finished = looked.finished
        own = self._teaching({finished.furnace_id: looked.lessons})[finished.furnace_id]
        if looked.fresh is None:
            self._lessons.forget(finished.furnace_id, finished.case_number)
        else:
            needed = own if len(own) == LESSONS else looked.lessons[-_KEPT:]
            self._lessons.put(looked.fresh, needed[0].charge_ms)
        self._known.keep([finished.furnace_id], _learnt([own]))
        self._seen = finished.id

    def load(self, furnace_ids: Int64s) -> None:
        """Have the baselines of these furnaces in memory, or of some of them until the next call."""
        wanted = [one for one in furnace_ids.tolist() if one not in self._known][:LOADED_AT_ONCE]
        if wanted:
            self._known.keep(wanted, self._learnt(self._lessons.of_furnaces(wanted)))

    def baseline(self, furnace_ids: Int64s) -> Baseline:
        """(furnaces, quantities, cells); NaN of what is not in memory."""
        return self._known.of(furnace_ids)

    def marked(self, furnaces: Int64s, start_ms: Int64s) -> Bools:
        """(furnaces, minutes) that a mark touches, of minutes that begin then."""
        marks = self._marks(int(start_ms[0]), int(start_ms[-1]) + MINUTE_MS)
        found = np.zeros((len(furnaces), len(start_ms)), np.bool_)
        for mark in _troubles(marks):  # few: people make them
            touched = (start_ms < mark.end_ms) & (start_ms + MINUTE_MS > mark.start_ms)
            found[furnaces == mark.furnace_id] |= touched
        return found

    def _read(self, furnace_id: int, channels: Channels, from_ms: int, count: int) -> Float64s:
        """What it showed; nothing where that is damaged."""
        series = watched_series(channels, np.array([furnace_id], np.int64))
        try:
            return np.asarray(read_watched(self._store, series, from_ms, count)[0])
        except HoursUnreadable:
            return np.full((SHAPE[0], count), np.nan)

    def _learnt(self, rows: Mapping[int, Sequence[Lesson]]) -> Baseline:
        return _learnt(list(self._teaching(rows).values()))

    def _teaching(self, rows: Mapping[int, Sequence[Lesson]]) -> dict[int, list[Lesson]]:
        """The lessons of each furnace that teach, as marks and alarms stand now."""
        every = [one for own in rows.values() for one in own]
        if not every:
            return {furnace_id: [] for furnace_id in rows}
        from_ms, to_ms = min(one.charge_ms for one in every), max(one.end_ms for one in every)
        marked = _by_furnace(_troubles(self._marks(from_ms, to_ms)))
        alarmed = _by_furnace(self._lessons.troubles(rows, from_ms))
        return {
            furnace_id: [own[at] for at in teaching([_standing(one, marked, alarmed) for one in own])]
            for furnace_id, own in rows.items()
        }


def _cells(one: Finished) -> tuple[Int64s, int]:
    """The cells of a cremation's minutes, and when the first of them begins (ms)."""
    from_ms = (one.charge_ms // MINUTE_MS - _LEAD_MINUTES) * MINUTE_MS
    count = min(_LONGEST_MINUTES, (one.end_ms - from_ms) // MINUTE_MS)
    begins = (one.charge_ms, one.ignition_ms, one.main_ms, one.burnout_ms, one.cooling_ms)
    return cells(told_phases(begins, from_ms, count)[None])[0], from_ms


def _lesson(one: Finished, why: HeldBack, minutes: Float64s) -> Lesson:
    return Lesson(one.furnace_id, one.case_number, one.id, one.charge_ms, one.end_ms, why, minutes)


def _troubles(marks: Marks) -> list[Trouble]:
    columns = (marks.furnace.tolist(), marks.start_ms.tolist(), marks.end_ms.tolist())
    return [Trouble(*row) for row in zip(*columns, strict=True)]


def _by_furnace(troubles: Sequence[Trouble]) -> Spans:
    found: dict[int, list[Trouble]] = {}
    for one in troubles:
        found.setdefault(one.furnace_id, []).append(one)
    return found


def _standing(one: Lesson, marked: Spans, alarmed: Spans) -> HeldBack:
    """What holds a lesson back, by itself or by what was said of its time."""
    for why, spans in ((HeldBack.MARKED, marked), (HeldBack.ALARM, alarmed)):
        near = spans.get(one.furnace_id, ())
        if any(span.start_ms < one.end_ms and span.end_ms > one.charge_ms for span in near):
            return why
    return one.held_back


def _learnt(lessons: Sequence[Sequence[Lesson]]) -> Baseline:
    """The baselines of several furnaces at once."""
    table = np.full((len(lessons), max(1, *(len(own) for own in lessons), 1), *SHAPE), np.nan)
    for at, own in enumerate(lessons):
        for number, one in enumerate(own):
            table[at, number] = one.minutes
    found = learn(table)
    return Baseline(*(column.astype(np.float32).astype(np.float64) for column in (found.middle, found.sigma)))
