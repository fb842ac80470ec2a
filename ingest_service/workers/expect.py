"""Says each minute what burning furnaces are expected to show, tells the alarms what is not, and learns."""

import asyncio
from collections.abc import Callable

import msgspec
import numpy as np

from edge_agent.wire.durations import MINUTE_MS
from ingest_service.alarms.lifecycle import Normal
from ingest_service.alarms.vocabulary import Kind
from ingest_service.anomaly.baseline import Expected
from ingest_service.anomaly.course import NO_CELL, cells, fire_is_out
from ingest_service.anomaly.detectors import run_on_minutes
from ingest_service.anomaly.unusual import LONGEST_SILENCE
from ingest_service.anomaly.window import FewMinutes
from ingest_service.columns import Float64s, Int64s
from ingest_service.store.alarms import AlarmStore
from ingest_service.store.channels import NO_ID, Channels
from ingest_service.store.derived.point import DerivedStore, Point, Tags, tags_of
from ingest_service.store.timeseries import TimeSeriesStore
from ingest_service.workers.anomalies import observations
from ingest_service.workers.average import GRACE_MS
from ingest_service.workers.conditions import series_key, series_of_keys
from ingest_service.workers.expected_points import Bounds, expected_points
from ingest_service.workers.lessons import Lessons, Looked
from ingest_service.workers.loop import run_every
from ingest_service.workers.recent_phases import RecentPhases
from ingest_service.workers.watched_minutes import read_watched, watched_series

INTERVAL_S = 10.0
MEANS_AFTER_MS = GRACE_MS + 5_000  # after the end of a minute: then its means are there
FEW_MINUTES = 8  # looked at each minute


class Burning(msgspec.Struct, frozen=True):
    """The newest minutes of furnaces that burn: `cell` (furnaces, minutes) of minutes that begin at `start_ms`.

    `row` is where they stand among the furnaces whose phases are known; `expected` is (furnaces, quantities, minutes).
    """

    row: Int64s
    furnaces: Int64s
    start_ms: Int64s
    cell: Int64s
    expected: Expected


class ExpectWorker:
    """A minute is looked at once its means are there; one that comes later is told of when its cremation has ended."""

    def __init__(
        self,
        store: TimeSeriesStore,
        channels: Callable[[], Channels],
        alarms: AlarmStore,
        derived: DerivedStore,
        lessons: Lessons,
        clock: Callable[[], int],
    ) -> None:
        self._store, self._channels, self._alarms, self._derived = store, channels, alarms, derived
        self._lessons, self._clock = lessons, clock
        self._recent = RecentPhases(store)

    def step(self, now_ms: int) -> int:
        """Look at the minute that has ended, and at cremations; return the number of alarms and cremations."""
        channels = self._channels()
        end_ms = (now_ms - MEANS_AFTER_MS) // MINUTE_MS * MINUTE_MS
        changed = self._minute(channels, end_ms, now_ms) if end_ms != self._recent.end_ms else 0
        return changed + self._learn(channels, now_ms)

    async def run(self, stop: asyncio.Event) -> None:
        """Step until told to stop."""
        await run_every("expect", INTERVAL_S, self.step, self._clock, stop)

    def _minute(self, channels: Channels, end_ms: int, now_ms: int) -> int:
        self._recent.move_to(end_ms, channels)
        changed = self._end_alarms(channels, now_ms)
        burning = self._burning()
        if not len(burning.row):
            return changed
        changed += self._tell_alarms(channels, burning, now_ms)
        self._tell_expected(channels, burning)
        return changed

    def _end_alarms(self, channels: Channels, now_ms: int) -> int:
        """What is unusual of a cremation ends with its fire."""
        alarmed = series_of_keys(Kind.UNUSUAL, self._alarms.open_keys())
        if not alarmed:
            return 0
        out = self._recent.furnaces[fire_is_out(self._recent.phase[:, -LONGEST_SILENCE:])]
        series = watched_series(channels, out).ravel()
        ended = series[np.isin(series, alarmed)].tolist()
        seen = [Normal(series_key(Kind.UNUSUAL, one), self._recent.end_ms) for one in ended]
        return len(self._alarms.settle(seen, now_ms)) if seen else 0

    def _burning(self) -> Burning:
        """The furnaces that burn, or did a moment ago, and of which something is expected."""
        recent = self._recent
        cell = cells(recent.phase)[:, -FEW_MINUTES:]
        row = np.flatnonzero((cell[:, -LONGEST_SILENCE:] != NO_CELL).any(axis=1))
        self._lessons.load(recent.furnaces[row])
        baseline = self._lessons.baseline(recent.furnaces[row])
        known = np.isfinite(baseline.middle).any(axis=(1, 2))
        expected = baseline.at(cell[row])
        own = Expected(expected.middle[known], expected.sigma[known])
        start_ms = recent.end_ms + MINUTE_MS * np.arange(-FEW_MINUTES, 0)
        return Burning(row[known], recent.furnaces[row[known]], start_ms, cell[row[known]], own)

    def _tell_alarms(self, channels: Channels, burning: Burning, now_ms: int) -> int:
        series = watched_series(channels, burning.furnaces)
        value = read_watched(self._store, series, int(burning.start_ms[0]), FEW_MINUTES)
        marked = self._lessons.marked(burning.furnaces, burning.start_ms)
        window = _window(burning, series, np.where(marked[:, None, :], np.nan, value))
        open_keys = self._alarms.open_keys()
        seen = [
            one
            for findings in run_on_minutes(window)
            for one in observations(findings, window.series, self._recent.end_ms, channels, open_keys)
        ]
        return len(self._alarms.settle(seen, now_ms)) if seen else 0

    def _tell_expected(self, channels: Channels, burning: Burning) -> None:
        """Write what is expected of minutes of which it was not said."""
        told = self._recent.told[burning.row, -FEW_MINUTES:]
        row, minute = np.nonzero((burning.cell != NO_CELL) & ~told)
        low, high = (table[row, :, minute] for table in (burning.expected.low, burning.expected.high))
        places = [_place(channels, furnace_id) for furnace_id in burning.furnaces.tolist()]
        bounds = Bounds(burning.start_ms[minute], low, high)
        self._write(list(expected_points([places[at] for at in row.tolist()], bounds)))
        self._recent.told[burning.row[row], minute - FEW_MINUTES] = True

    def _learn(self, channels: Channels, now_ms: int) -> int:
        """Learn from cremations that have ended, once all their minutes are told."""
        finished = self._lessons.finished(now_ms)
        for one in finished:
            looked = self._lessons.look(one, channels)
            self._complete(channels, looked)
            self._lessons.learn(looked)
        return len(finished)

    def _complete(self, channels: Channels, looked: Looked) -> None:
        """Write what was expected of the minutes of a cremation that came late, or whose phase nobody told.

        Of a furnace that goes by another name by now nothing was.
        """
        if looked.finished.furnace_id not in channels.furnaces:
            return
        missing = ~self._recent.is_told(looked.finished.furnace_id, looked.start_ms)
        low, high = looked.expected.low.T[missing], looked.expected.high.T[missing]
        if missing.any():
            place = _place(channels, looked.finished.furnace_id)
            bounds = Bounds(looked.start_ms[missing], low, high)
            self._write(list(expected_points([place] * int(missing.sum()), bounds)))

    def _write(self, points: list[Point]) -> None:
        if points:
            self._derived.write(points)


def _window(burning: Burning, series: Int64s, value: Float64s) -> FewMinutes:
    """A row each series that there is."""
    there = series != NO_ID
    cell = np.broadcast_to(burning.cell[:, None, :], value.shape)
    expected = burning.expected
    return FewMinutes(
        series=series[there].astype(np.int32),
        start_ms=burning.start_ms,
        value=value[there],
        low=expected.low[there],
        high=expected.high[there],
        deviation=expected.deviation(value)[there],
        cell=cell[there],
    )


def _place(channels: Channels, furnace_id: int) -> Tags:
    row = channels.of_furnace(furnace_id)
    return tags_of(home=row.home_id, furnace=row.furnace)
