"""Finds cremations as they end, again where late data touch them, and reckons the energy of every hour."""

import asyncio
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from itertools import groupby

from edge_agent.wire.durations import HOUR_MS, MINUTE_MS
from ingest_service.columns import Int64s
from ingest_service.errors import HoursUnreadable
from ingest_service.store.channels import Channels
from ingest_service.store.cycles import Changed, CycleStore
from ingest_service.store.energy import EnergyStore, KnownHour
from ingest_service.store.timeseries import TimeSeriesStore
from ingest_service.workers.average import FurnaceHour
from ingest_service.workers.backlog import OVERDUE_MS, Backlog
from ingest_service.workers.catching_up import CATCH_UP_MS, still_measured
from ingest_service.workers.cycle_ends import CycleEnds
from ingest_service.workers.cycle_reading import CycleSite, newest_of
from ingest_service.workers.cycle_search import REACH_MS, charges_near, search
from ingest_service.workers.energy import hours_used
from ingest_service.workers.loop import run_every
from ingest_service.workers.newest_together import Samples

INTERVAL_S = 10.0
UNREADABLE_MS = 600_000  # hours whose data are damaged are tried again after so long
_CHUNK_MS = 24 * HOUR_MS  # so many hours' signals are read at once
_FURNACES_AT_ONCE = 300  # a bound on memory: minutes of a day of so many are laid out at once
_NEWEST_MS = 30 * MINUTE_MS  # data so new may belong to a cremation that has just ended

Told = Callable[[Sequence[FurnaceHour], int], None]


class CycleWorker:
    """Keeps cremations and the energy of hours in line with the data. One step at a time.

    `touched` may be called from any thread. `changed` hears of the hours of which other cremations are known now.
    """

    def __init__(
        self,
        store: TimeSeriesStore,
        channels: Callable[[], Channels],
        cycles: CycleStore,
        energy: EnergyStore,
        site: CycleSite,
        changed: Told,
        clock: Callable[[], int],
    ) -> None:
        self._store, self._channels, self._cycles, self._energy = store, channels, cycles, energy
        self._site, self._changed, self._clock = site, changed, clock
        self._lock = threading.Lock()  # guards the backlog
        self._backlog = Backlog()
        self._hour_ms: int | None = None  # the running hour at the last step
        self._ends = CycleEnds(store)

    def touched(self, hours: Sequence[FurnaceHour], now_ms: int) -> None:
        """New means of these hours came."""
        with self._lock:
            self._backlog.touch(hours, now_ms)

    def step(self, now_ms: int) -> int:
        """Look at hours that are due and at furnaces that may have ended a cremation; return how many of both."""
        channels = self._channels()
        with self._lock:
            self._plan(channels, now_ms)
            due = self._backlog.take_due(now_ms)
        self._renew_all(channels, still_measured(due, channels), now_ms)
        ended = self._ends.due(channels, now_ms)
        for at in range(0, len(ended), _FURNACES_AT_ONCE):
            self._look(channels, ended[at : at + _FURNACES_AT_ONCE], now_ms)
        return len(due) + len(ended)

    async def run(self, stop: asyncio.Event) -> None:
        """Step until told to stop."""
        await run_every("cycles", INTERVAL_S, self.step, self._clock, stop)

    def _renew_all(self, channels: Channels, due: Sequence[FurnaceHour], now_ms: int) -> None:
        """Renew what is due; what cannot be read now waits."""
        left = list(_chunks(due))
        try:
            while left:
                self._renew(channels, left[-1], now_ms)
                left.pop()
        finally:
            self._wait([hour for hours in left for hour in hours], now_ms)

    def _wait(self, hours: Sequence[FurnaceHour], until_ms: int) -> None:
        with self._lock:
            self._backlog.plan(hours, until_ms)

    def _plan(self, channels: Channels, now_ms: int) -> None:
        """Put the hours that ended since the last step in the backlog; at the start, those that were missed."""
        hour_ms = now_ms // HOUR_MS * HOUR_MS
        if self._hour_ms is None:
            self._backlog.plan(self._missed(channels, hour_ms), now_ms)
        else:
            ended = range(self._hour_ms, hour_ms, HOUR_MS)
            hours = [FurnaceHour(int(furnace), start_ms) for start_ms in ended for furnace in channels.furnaces]
            self._backlog.plan(hours, hour_ms + OVERDUE_MS)
        self._hour_ms = hour_ms

    def _missed(self, channels: Channels, hour_ms: int) -> list[FurnaceHour]:
        """Hours with means whose energy nobody reckoned, and the last one before the start."""
        first = {int(channels.of_furnace(int(furnace)).series_id): int(furnace) for furnace in channels.furnaces}
        from_ms = hour_ms - CATCH_UP_MS
        means = self._store.means(HOUR_MS, list(first), from_ms, hour_ms)
        known = self._energy.known(from_ms)
        columns = zip(means.series.tolist(), means.start_ms.tolist(), strict=True)
        hours = [(first[series], start_ms) for series, start_ms in columns]
        recent_ms = hour_ms - 2 * REACH_MS
        return [FurnaceHour(*hour) for hour in hours if hour[1] >= recent_ms or KnownHour(*hour) not in known]

    def _renew(self, channels: Channels, hours: Sequence[FurnaceHour], now_ms: int) -> None:
        """Find the cremations that depend on these hours, and reckon these hours and those that changed."""
        from_ms, to_ms = _span(hours)
        furnaces = sorted({hour.furnace_id for hour in hours})
        near = charges_near(self._store, channels, furnaces, from_ms, to_ms, now_ms)
        samples = newest_of(self._store, channels, furnaces, now_ms)
        to_reckon: set[FurnaceHour] = set()
        for furnace_id, group in groupby(hours, key=lambda hour: hour.furnace_id):
            own = list(group)
            try:
                to_reckon |= self._find(samples, channels, furnace_id, near[furnace_id], _span(own), now_ms)
                to_reckon.update(own)
            except HoursUnreadable:
                self._wait(own, now_ms + UNREADABLE_MS)
        self._reckon(channels, to_reckon)

    def _look(self, channels: Channels, furnaces: Sequence[int], now_ms: int) -> None:
        """See whether the cremations of some furnaces are over."""
        span = (now_ms - _NEWEST_MS, now_ms)
        near = charges_near(self._store, channels, furnaces, *span, now_ms)
        samples = newest_of(self._store, channels, furnaces, now_ms)
        changed: set[FurnaceHour] = set()
        for furnace_id in furnaces:
            with suppress(HoursUnreadable):  # looked at again when its hour is over
                changed |= self._find(samples, channels, furnace_id, near[furnace_id], span, now_ms)
        hour_ms = now_ms // HOUR_MS * HOUR_MS
        self._reckon(channels, {hour for hour in changed if hour.start_ms < hour_ms})

    def _find(
        self,
        samples: Samples,
        channels: Channels,
        furnace_id: int,
        near_ms: Int64s,
        span_ms: tuple[int, int],
        now_ms: int,
    ) -> set[FurnaceHour]:
        """Record the cremations that depend on the data of a span; the hours of those that changed."""
        found = search(samples, channels, self._site, furnace_id, near_ms, *span_ms, now_ms)
        changed = self._cycles.record(furnace_id, found.begin_ms, found.end_ms, found.cycles, now_ms)
        hours = {hour for one in changed for hour in _hours(one)}
        if hours:
            self._changed(sorted(hours, key=lambda hour: hour.start_ms), now_ms)
        for cycle in found.cycles:
            self._ends.settle(furnace_id, cycle.end_ms)
        return hours

    def _reckon(self, channels: Channels, hours: Collection[FurnaceHour]) -> None:
        """Reckon the energy of these hours with the cremations that are known now."""
        if hours:
            of_one = hours if len({hour.furnace_id for hour in hours}) == 1 else ()
            furnace_id = next((hour.furnace_id for hour in of_one), None)
            known = self._cycles.cycles(*_span(hours), furnace_id)
            self._energy.put(hours_used(self._store, channels, hours, known, self._site.settings.hot_above_c))


def _chunks(due: Sequence[FurnaceHour]) -> Iterator[list[FurnaceHour]]:
    """Due hours of a day and some furnaces, by furnace and time: what is looked at together."""
    ordered = sorted(due, key=lambda hour: (hour.start_ms // _CHUNK_MS, hour.furnace_id, hour.start_ms))
    for _, group in groupby(ordered, key=lambda hour: hour.start_ms // _CHUNK_MS):
        of_day = list(group)
        furnaces = sorted({hour.furnace_id for hour in of_day})
        for at in range(0, len(furnaces), _FURNACES_AT_ONCE):
            own = set(furnaces[at : at + _FURNACES_AT_ONCE])
            yield [hour for hour in of_day if hour.furnace_id in own]


def _span(hours: Collection[FurnaceHour]) -> tuple[int, int]:
    """From the first of some hours to the end of the last, ms."""
    return min(hour.start_ms for hour in hours), max(hour.start_ms for hour in hours) + HOUR_MS


def _hours(changed: Changed) -> Iterator[FurnaceHour]:
    first_ms = changed.start_ms // HOUR_MS * HOUR_MS
    for start_ms in range(first_ms, changed.end_ms, HOUR_MS):
        yield FurnaceHour(changed.furnace_id, start_ms)
