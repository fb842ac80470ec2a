"""Judges hours that are over or that late data touch, keeps the running hour's preview, tells of exceedances."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

import numpy as np

from ingest_service.alarms.lifecycle import Condition, Normal
from ingest_service.emissions.preview import Preview
from ingest_service.emissions.rulepack import RulePack
from ingest_service.store.alarms import AlarmStore
from ingest_service.store.channels import Channels
from ingest_service.store.exceedances import ExceedanceRow
from ingest_service.store.judgements import JudgementStore
from ingest_service.store.timeseries import HOUR_MS, MINUTE_MS, TimeSeriesStore
from ingest_service.workers import conditions, verdicts
from ingest_service.workers.average import GRACE_MS, FurnaceHour
from ingest_service.workers.backlog import OVERDUE_MS, Backlog
from ingest_service.workers.catching_up import RECHECK_MS, gaps, missed_hours
from ingest_service.workers.loop import run_every

INTERVAL_S = 2.0
LATE_DATA = "late_data"
GAP_PATIENCE_MS = 120_000  # after a start, for edges to send what they kept, before an hour counts as empty
_CHUNK_MS = 24 * HOUR_MS  # so many hours' means are read at once


class JudgeWorker:
    """Keeps judgements, exceedances and their alarms in line with the means. One step at a time.

    `touched` and `previews` may be called from any thread. `barometric_pa` (Pa) is the site's air pressure; without it
    gas that is measured at stack conditions is not judged.
    """

    def __init__(
        self,
        store: TimeSeriesStore,
        channels: Callable[[], Channels],
        judgements: JudgementStore,
        alarms: AlarmStore,
        packs: Sequence[RulePack],
        clock: Callable[[], int],
        barometric_pa: float | None = None,
    ) -> None:
        self._store, self._channels, self._judgements, self._alarms = store, channels, judgements, alarms
        self._packs, self._clock, self._barometric_pa = tuple(packs), clock, barometric_pa
        self._lock = threading.Lock()  # guards the backlog
        self._backlog = Backlog()
        self._hour_ms: int | None = None  # the running hour at the last step
        self._last_judged_ms: dict[int, int] = {}  # start of the newest judged hour by furnace
        self._untold: list[ExceedanceRow] = []  # changed, but not yet seen by the alarms
        self._looked_ms = 0  # minute of the last preview
        self._previews: tuple[Preview, ...] = ()

    def touched(self, hours: Sequence[FurnaceHour], now_ms: int) -> None:
        """New means of these hours came."""
        with self._lock:
            self._backlog.touch(hours, now_ms)

    def previews(self) -> tuple[Preview, ...]:
        """The running hour so far, per furnace and pollutant."""
        return self._previews

    def step(self, now_ms: int) -> int:
        """Judge what is due, refresh the preview, raise and clear exceedances; return the number of hours judged."""
        channels = self._channels()
        with self._lock:
            self._plan(channels, now_ms)
            due = self._backlog.take_due(now_ms)
        try:
            self._judge(due, channels, now_ms)
        except BaseException:
            with self._lock:
                self._backlog.plan(due, now_ms)
            raise
        minute_ms = (now_ms - GRACE_MS - int(INTERVAL_S * 1000)) // MINUTE_MS * MINUTE_MS
        if due or minute_ms != self._looked_ms:
            self._preview(channels, minute_ms)
            self._alarm(channels, now_ms)
            self._looked_ms = minute_ms
        return len(due)

    async def run(self, stop: asyncio.Event) -> None:
        """Step until told to stop."""
        await run_every("judge", INTERVAL_S, self.step, self._clock, stop)

    def _plan(self, channels: Channels, now_ms: int) -> None:
        """Put the hours that ended since the last step in the backlog; at the start, what may have been missed."""
        hour_ms = now_ms // HOUR_MS * HOUR_MS
        if self._hour_ms is None:
            self._backlog.plan(missed_hours(self._store, self._judgements, channels, hour_ms), now_ms)
            self._backlog.plan(gaps(self._judgements, channels, hour_ms), now_ms + GAP_PATIENCE_MS)
            self._last_judged_ms = {hour.furnace_id: hour.start_ms for hour in self._judgements.last_hours()}
            self._untold = list(self._judgements.exceedances(hour_ms - RECHECK_MS))
        else:
            ended = range(self._hour_ms, hour_ms, HOUR_MS)
            hours = [FurnaceHour(int(furnace), start_ms) for start_ms in ended for furnace in channels.furnaces]
            self._backlog.plan(hours, hour_ms + OVERDUE_MS)
        self._hour_ms = hour_ms

    def _judge(self, due: Sequence[FurnaceHour], channels: Channels, now_ms: int) -> None:
        """Record the verdicts on these hours."""
        for _, group in groupby(due, key=lambda hour: hour.start_ms // _CHUNK_MS):
            hours = list(group)
            furnace = np.array([hour.furnace_id for hour in hours], np.int64)
            start_ms = np.array([hour.start_ms for hour in hours], np.int64)
            found = verdicts.judge(self._store, channels, self._packs, furnace, start_ms, self._barometric_pa)
            records = [record for judged in found for record in verdicts.judgements(judged)]
            self._untold += self._judgements.record(records, now_ms, LATE_DATA).exceedances
            for hour in hours:
                newest_ms = self._last_judged_ms.get(hour.furnace_id, hour.start_ms)
                self._last_judged_ms[hour.furnace_id] = max(newest_ms, hour.start_ms)

    def _preview(self, channels: Channels, minute_ms: int) -> None:
        """The hour that `minute_ms` (an ended minute's end) belongs to, as far as it has come."""
        furnace = channels.furnaces
        start_ms = np.full(len(furnace), minute_ms // HOUR_MS * HOUR_MS, np.int64)
        found = verdicts.judge(self._store, channels, self._packs, furnace, start_ms, self._barometric_pa)
        self._previews = tuple(preview for judged in found for preview in verdicts.previews(judged, minute_ms))

    def _alarm(self, channels: Channels, now_ms: int) -> None:
        """Tell the alarms which exceedances last, which are over, and what is normal."""
        recent = self._judgements.exceedances(now_ms - 3 * HOUR_MS)
        lasting = self._seen([row for row in recent if self._lasts(row)], channels)
        over = self._seen([row for row in self._untold if not self._lasts(row)], channels)
        normal = self._normal({seen.key for seen in lasting})
        self._alarms.settle([*over, *lasting, *normal], now_ms)
        self._untold = []

    def _lasts(self, row: ExceedanceRow) -> bool:
        """True while the newest judged hour of the furnace is part of the run."""
        return row.end_ms == self._last_judged_ms.get(row.furnace_id, 0) + HOUR_MS

    def _seen(self, rows: Sequence[ExceedanceRow], channels: Channels) -> list[Condition]:
        """The rows as conditions, as far as their pack is still in force."""
        packs = {pack.key: pack for pack in self._packs}
        return [
            conditions.exceedance(
                row, packs[row.rule], channels.of_furnace(row.furnace_id), None if self._lasts(row) else row.end_ms
            )
            for row in rows
            if row.rule in packs
        ]

    def _normal(self, lasting: set[str]) -> Iterator[Normal]:
        """Every other subject is normal since its furnace's newest judged hour began."""
        for furnace_id, since_ms in self._last_judged_ms.items():
            for pack in self._packs:
                for limit in pack.judged:
                    key = conditions.exceedance_key(furnace_id, pack, limit.pollutant)
                    if key not in lasting:
                        yield Normal(key, since_ms)
