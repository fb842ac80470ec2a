"""Watches the newest minutes: runs the detectors, notices silent edges and dead devices, and tells the alarms."""

import asyncio
from collections.abc import Callable, Collection, Iterator, Sequence

import numpy as np

from edge_agent.wire.sample import FIRST_BAD
from ingest_service.alarms.facts import Name
from ingest_service.alarms.lifecycle import Normal, Observation
from ingest_service.anomaly.burning import burning_since_ms
from ingest_service.anomaly.detectors import run_all
from ingest_service.anomaly.runs import Runs, runs_of
from ingest_service.anomaly.standing import StandingValues
from ingest_service.anomaly.stuck import STUCK_AFTER_S
from ingest_service.anomaly.window import NOT_BURNING, Window
from ingest_service.columns import Int32s, Int64s
from ingest_service.intake.edge_view import EdgeView
from ingest_service.store.alarms import AlarmStore
from ingest_service.store.batch import SampleBatch
from ingest_service.store.channels import NO_ID, Channels
from ingest_service.store.timeseries import TimeSeriesStore
from ingest_service.workers import conditions
from ingest_service.workers.anomalies import observations
from ingest_service.workers.clock_watch import ClockWatch
from ingest_service.workers.loop import run_every

INTERVAL_S = 5.0
WINDOW_MS = 180_000
DEVICE_BAD_AFTER_MS = 15_000  # one failed poll is no alarm


class WatchWorker:
    """Turns what the newest samples and the edges' silence say into alarm conditions.

    `silent_after_s` is how long an edge may say nothing (s); after a start every edge gets that long anew. What
    `standing` knows of the newest samples need not be read.
    """

    def __init__(
        self,
        store: TimeSeriesStore,
        channels: Callable[[], Channels],
        edges: Callable[[], Sequence[EdgeView]],
        alarms: AlarmStore,
        silent_after_s: float,
        clock: Callable[[], int],
        standing: StandingValues | None = None,
    ) -> None:
        self._store, self._channels, self._edges, self._alarms = store, channels, edges, alarms
        self._silent_after_s, self._clock, self._standing = silent_after_s, clock, standing
        self._started_ms: int | None = None
        self._bad_since_ms: dict[int, int] = {}  # by source
        self._clock_watch = ClockWatch()

    def step(self, now_ms: int) -> int:
        """Look once; return the number of alarms that changed."""
        self._started_ms = now_ms if self._started_ms is None else self._started_ms
        channels, edges, open_keys = self._channels(), self._edges(), self._alarms.open_keys()
        silent = {(edge.home, edge.edge) for edge in edges if self._is_silent(edge, now_ms)}
        seen: list[Observation] = [self._edge(edge, channels, silent) for edge in edges]
        seen += self._clocks(edges, channels, silent, now_ms)
        seen += self._devices(channels, silent, open_keys, now_ms)
        seen += self._anomalies(channels, open_keys, now_ms)
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

    def _clocks(
        self, edges: Sequence[EdgeView], channels: Channels, silent: set[tuple[str, str]], now_ms: int
    ) -> Iterator[Observation]:
        """Clocks that are off and those that are right; nothing of the clock of a silent edge."""
        for edge in edges:
            if (edge.home, edge.edge) not in silent:
                yield from self._clock_watch.look(edge, _home_name(edge, channels), now_ms)

    def _devices(
        self, channels: Channels, silent: set[tuple[str, str]], open_keys: Collection[str], now_ms: int
    ) -> Iterator[Observation]:
        """Devices all of whose channels are bad, and those that are not; nothing of the devices of a silent edge."""
        asked = (channels.furnace != NO_ID) & ~np.isin(channels.source, channels.sources_of(silent))
        latest = self._store.latest(channels.series[asked].tolist())
        sources, of = np.unique(channels.source[np.searchsorted(channels.series, latest.series)], return_inverse=True)
        good = np.bincount(of, weights=latest.reason < FIRST_BAD, minlength=len(sources)) > 0
        newest_ms = np.zeros(len(sources), np.int64)
        np.maximum.at(newest_ms, of, latest.measured_at_ms)
        for source_id, at_ms in zip(sources[good].tolist(), newest_ms[good].tolist(), strict=True):
            self._bad_since_ms.pop(source_id, None)
            if (key := conditions.device_key(source_id)) in open_keys:
                yield Normal(key, at_ms)
        for at in np.flatnonzero(~good).tolist():
            place, reasons = channels.of_source(int(sources[at])), latest.reason[of == at].tolist()
            since_ms = self._bad_since_ms.setdefault(place.source_id, int(newest_ms[at]))
            if now_ms - since_ms >= DEVICE_BAD_AFTER_MS:
                yield conditions.device_bad(place, reasons, since_ms)

    def _anomalies(self, channels: Channels, open_keys: Collection[str], now_ms: int) -> Iterator[Observation]:
        watched = np.flatnonzero(np.isin(channels.quantity, list(STUCK_AFTER_S)) & (channels.furnace != NO_ID))
        if not len(watched):
            return
        window = self._window(channels, watched, now_ms)
        for findings in run_all(window):
            yield from observations(findings, window.series, now_ms, channels, open_keys)

    def _window(self, channels: Channels, watched: Int64s, now_ms: int) -> Window:
        """How the watched series stand, and since when their furnaces burn."""
        series, phases = channels.series[watched], channels.series_of("phase", channels.furnace[watched])
        if self._standing is not None:
            self._standing.watch(series, phases)
            runs, burning = self._standing.runs(series), self._standing.burning_since_ms(phases)
        else:
            runs, burning = self._read(series, phases, now_ms)
        names, of = np.unique(channels.quantity[watched], return_inverse=True)
        stuck_after_ms = np.array([round(STUCK_AFTER_S[str(name)] * 1000) for name in names], np.int64)[of]
        return Window(series, runs, stuck_after_ms, burning, now_ms - WINDOW_MS, now_ms)

    def _read(self, series: Int32s, phases: Int64s, now_ms: int) -> tuple[Runs, Int64s]:
        """The same from the samples of the newest minutes."""
        signals, of = np.unique(phases, return_inverse=True)
        ids = {*series.tolist(), *signals.tolist()} - {NO_ID}
        samples = self._store.raw(sorted(ids), now_ms - WINDOW_MS, now_ms + 1)
        since_ms = np.array([_burning_since(samples, int(signal)) for signal in signals], np.int64)
        return runs_of(samples.series, samples.measured_at_ms, samples.value, series), since_ms[of]


def _home_name(edge: EdgeView, channels: Channels) -> Name:
    place = channels.of_home(edge.home)
    return Name(edge.home, edge.home) if place is None else Name(place.home_zh, place.home_en)


def _burning_since(samples: SampleBatch, phase_series: int) -> int:
    if phase_series == NO_ID:
        return int(NOT_BURNING)
    own = samples.series == phase_series
    return burning_since_ms(samples.measured_at_ms[own], samples.value[own])
