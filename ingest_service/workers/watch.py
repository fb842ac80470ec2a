"""Watches the newest minutes: runs the detectors, notices silent edges and dead devices, and tells the alarms."""

import asyncio
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from edge_agent.wire.sample import FIRST_BAD
from ingest_service.alarms.facts import Name
from ingest_service.alarms.lifecycle import Normal, Observation
from ingest_service.anomaly.burning import burning_since_ms
from ingest_service.anomaly.detectors import run_all
from ingest_service.anomaly.stuck import STUCK_AFTER_S
from ingest_service.anomaly.window import NOT_BURNING, Findings, Presence, Window
from ingest_service.intake.edge_view import EdgeView
from ingest_service.store.alarms import AlarmStore
from ingest_service.store.batch import SampleBatch
from ingest_service.store.channels import NO_ID, Channels
from ingest_service.store.timeseries import TimeSeriesStore
from ingest_service.workers import conditions
from ingest_service.workers.clock_watch import ClockWatch
from ingest_service.workers.loop import run_every

INTERVAL_S = 5.0
WINDOW_MS = 180_000
DEVICE_BAD_AFTER_MS = 15_000  # one failed poll is no alarm


class WatchWorker:
    """Turns what the newest samples and the edges' silence say into alarm conditions.

    `silent_after_s` is how long an edge may say nothing (s); after a start every edge gets that long anew.
    """

    def __init__(
        self,
        store: TimeSeriesStore,
        channels: Callable[[], Channels],
        edges: Callable[[], Sequence[EdgeView]],
        alarms: AlarmStore,
        silent_after_s: float,
        clock: Callable[[], int],
    ) -> None:
        self._store, self._channels, self._edges, self._alarms = store, channels, edges, alarms
        self._silent_after_s, self._clock = silent_after_s, clock
        self._started_ms: int | None = None
        self._bad_since_ms: dict[int, int] = {}  # by source
        self._clock_watch = ClockWatch()

    def step(self, now_ms: int) -> int:
        """Look once; return the number of alarms that changed."""
        self._started_ms = now_ms if self._started_ms is None else self._started_ms
        channels = self._channels()
        edges = self._edges()
        silent = {(edge.home, edge.edge) for edge in edges if self._is_silent(edge, now_ms)}
        seen: list[Observation] = [self._edge(edge, channels, silent) for edge in edges]
        seen += self._clocks(channels, silent, now_ms)
        seen += self._devices(channels, silent, now_ms)
        seen += self._anomalies(channels, now_ms)
        return len(self._alarms.settle(seen, now_ms))

    async def run(self, stop: asyncio.Event) -> None:
        """Step until told to stop."""
        await run_every("watch", INTERVAL_S, self.step, self._clock, stop)

    def _is_silent(self, edge: EdgeView, now_ms: int) -> bool:
        heard_ms = max(edge.last_seen_ms, self._started_ms or now_ms)
        return now_ms - heard_ms > self._silent_after_s * 1000

    def _edge(self, edge: EdgeView, channels: Channels, silent: set[tuple[str, str]]) -> Observation:
        if (edge.home, edge.edge) not in silent:
            return Normal(conditions.silent_key(edge), edge.last_seen_ms)
        return conditions.silent(edge, _home_name(edge, channels), self._silent_after_s)

    def _clocks(self, channels: Channels, silent: set[tuple[str, str]], now_ms: int) -> Iterator[Observation]:
        """Clocks that are off and those that are right; nothing of the clock of a silent edge."""
        for edge in self._edges():
            if (edge.home, edge.edge) not in silent:
                yield from self._clock_watch.look(edge, _home_name(edge, channels), now_ms)

    def _devices(self, channels: Channels, silent: set[tuple[str, str]], now_ms: int) -> Iterator[Observation]:
        """Devices all of whose channels are bad, and those that are not; nothing of the devices of a silent edge."""
        of_devices = channels.series[channels.furnace != NO_ID]
        latest = self._store.latest(of_devices.tolist())
        source = channels.source[np.searchsorted(channels.series, latest.series)]
        for source_id in np.unique(source).tolist():
            own = source == source_id
            place = channels.row(int(latest.series[own][0]))
            if (place.home_id, place.edge) not in silent:
                yield from self._device(conditions.device_key(source_id), source_id, channels, latest, own, now_ms)

    def _device(
        self,
        key: str,
        source_id: int,
        channels: Channels,
        latest: SampleBatch,
        own: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
        now_ms: int,
    ) -> Iterator[Observation]:
        reasons = latest.reason[own]
        newest_ms = int(latest.measured_at_ms[own].max())
        if (reasons < FIRST_BAD).any():
            self._bad_since_ms.pop(source_id, None)
            yield Normal(key, newest_ms)
            return
        since_ms = self._bad_since_ms.setdefault(source_id, newest_ms)
        if now_ms - since_ms >= DEVICE_BAD_AFTER_MS:
            place = channels.row(int(latest.series[own][0]))
            yield conditions.device_bad(place, reasons.tolist(), since_ms)

    def _anomalies(self, channels: Channels, now_ms: int) -> Iterator[Observation]:
        watched = np.isin(channels.quantity, list(STUCK_AFTER_S)) & (channels.furnace != NO_ID)
        if not watched.any():
            return
        window = self._window(channels, np.flatnonzero(watched), now_ms)
        for findings in run_all(window):
            yield from _observations(findings, window, channels)

    def _window(
        self, channels: Channels, watched: np.ndarray[tuple[int, ...], np.dtype[np.int64]], now_ms: int
    ) -> Window:
        """The newest samples of the watched series, and since when their furnaces burn."""
        furnaces = channels.furnaces
        phase = channels.series_of("phase", furnaces)
        ids = [*channels.series[watched].tolist(), *(int(one) for one in phase if one != NO_ID)]
        samples = self._store.raw(sorted(ids), now_ms - WINDOW_MS, now_ms + 1)
        since = [_burning_since(samples, int(series)) for series in phase]
        return Window(
            sample_series=samples.series,
            measured_at_ms=samples.measured_at_ms,
            value=samples.value,
            series=channels.series[watched],
            stuck_after_ms=np.array(
                [round(STUCK_AFTER_S[channels.rows[at].quantity] * 1000) for at in watched], np.int64
            ),
            burning_since_ms=np.array(since, np.int64)[np.searchsorted(furnaces, channels.furnace[watched])],
            now_ms=now_ms,
        )


def _home_name(edge: EdgeView, channels: Channels) -> Name:
    names = (Name(row.home_zh, row.home_en) for row in channels.rows if row.home_id == edge.home)
    return next(names, Name(edge.home, edge.home))


def _burning_since(samples: SampleBatch, phase_series: int) -> int:
    if phase_series == NO_ID:
        return int(NOT_BURNING)
    own = samples.series == phase_series
    return burning_since_ms(samples.measured_at_ms[own], samples.value[own])


def _observations(findings: Findings, window: Window, channels: Channels) -> Iterator[Observation]:
    """Anomalies as conditions and normal series as such; nothing of what is unknown."""
    for at in np.flatnonzero(findings.presence == Presence.ANOMALOUS).tolist():
        place = channels.row(int(window.series[at]))
        figures = (findings.value[at], findings.since_ms[at], findings.score[at], findings.threshold[at])
        yield conditions.stuck(place, float(figures[0]), int(figures[1]), float(figures[2]), float(figures[3]))
    for at in np.flatnonzero(findings.presence == Presence.NORMAL).tolist():
        yield Normal(conditions.stuck_key(int(window.series[at])), window.now_ms)
