"""Judges periods that are over or that late data touch, keeps the running hour's preview, tells of exceedances."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from enum import StrEnum, unique
from itertools import groupby

import numpy as np

from edge_agent.wire.durations import HOUR_MS, MINUTE_MS
from ingest_service.columns import Bools
from ingest_service.emissions.averages import WIDTHS, Averaging
from ingest_service.emissions.charging import ChargeAdvice
from ingest_service.emissions.marks import CycleSpan, no_cycles
from ingest_service.emissions.preview import Preview
from ingest_service.store.alarms import AlarmStore
from ingest_service.store.channels import Channels
from ingest_service.store.exceedances import ExceedanceRow
from ingest_service.store.judgements import JudgementStore, LastPeriod, PeriodJudgement
from ingest_service.store.timeseries import TimeSeriesStore
from ingest_service.workers import verdicts, withdrawal
from ingest_service.workers.average import GRACE_MS, FurnaceHour
from ingest_service.workers.backlog import OVERDUE_MS, Backlog
from ingest_service.workers.catching_up import RECHECK_MS, gaps, missed_hours, still_measured
from ingest_service.workers.charging import charge_advice
from ingest_service.workers.cremations import cycles_for
from ingest_service.workers.loop import run_every
from ingest_service.workers.plant_record import NothingSaid, PlantRecord
from ingest_service.workers.telling import LASTS_MS, Observed, observations
from ingest_service.workers.verdicts import Site, Task

INTERVAL_S = 2.0
GAP_PATIENCE_MS = 120_000  # after a start, for edges to send what they kept, before an hour counts as empty
SURELY_JUDGED_MS = 600_000  # a mark that was entered so long before something was recorded has been judged
_CHUNK_MS = 24 * HOUR_MS  # so many hours' means are read at once
# Means of the running hour that are judged as soon as they are over, not with the hour.
_PROMPT = frozenset({*WIDTHS, Averaging.ROLLING_HOUR} - {Averaging.CLOCK_HOUR})


@unique
class Why(StrEnum):
    """Why a period is judged again, as its revision tells it."""

    LATE_DATA = "late_data"
    MARKS = "marks"  # an operator's mark was entered or corrected
    CREMATIONS = "cremations"  # a cremation was found, or found to be another


class JudgeWorker:
    """Keeps judgements, exceedances and their alarms in line with the means. One step at a time.

    `touched`, `previews` and `advice` may be called from any thread. `plant` knows operators' marks and cremations.
    """

    def __init__(
        self,
        store: TimeSeriesStore,
        channels: Callable[[], Channels],
        judgements: JudgementStore,
        alarms: AlarmStore,
        site: Site,
        clock: Callable[[], int],
        plant: PlantRecord | None = None,
    ) -> None:
        self._store, self._channels, self._judgements, self._alarms = store, channels, judgements, alarms
        self._site, self._clock, self._plant = site, clock, plant or NothingSaid()
        self._lock = threading.Lock()  # guards the backlog and the reasons
        self._backlog = Backlog()
        self._why: dict[FurnaceHour, Why] = {}  # of hours that wait for another reason than late data
        self._under_way: dict[FurnaceHour, Why] = {}  # of those that are being judged
        self._hour_ms: int | None = None  # the running hour at the last step
        self._newest: dict[tuple[int, Averaging], LastPeriod] = {}
        self._untold: list[ExceedanceRow] = []  # changed, but not yet seen by the alarms
        self._looked_ms = 0  # minute of the last preview
        self._previews: tuple[Preview, ...] = ()
        self._advice: tuple[ChargeAdvice, ...] = ()

    def touched(self, hours: Sequence[FurnaceHour], now_ms: int) -> None:
        """New means of these hours came."""
        with self._lock:
            self._backlog.touch(hours, now_ms)

    def reopen(self, hours: Sequence[FurnaceHour], why: Why, now_ms: int) -> None:
        """What is known about these hours changed, though their means did not. May be called from any thread."""
        with self._lock:
            self._why.update(dict.fromkeys(hours, why))
            self._backlog.touch(hours, now_ms)

    def marked(self, furnace_id: int, from_ms: int, to_ms: int, now_ms: int) -> None:
        """Somebody marked the state of a furnace in `[from_ms, to_ms)`, or took such a mark back."""
        starts = range(from_ms // HOUR_MS * HOUR_MS, min(to_ms, now_ms), HOUR_MS)
        self.reopen([FurnaceHour(furnace_id, start_ms) for start_ms in starts], Why.MARKS, now_ms)

    def awaits(self, furnace_id: int, from_ms: int, to_ms: int) -> bool:
        """Whether an hour in `[from_ms, to_ms)` of a furnace has yet to be judged by a mark that was entered."""
        with self._lock:
            waiting = [hour for why in (self._why, self._under_way) for hour in why if why[hour] is Why.MARKS]
            if self._hour_ms is None:  # nothing is planned before the first step
                waiting += self._left_over(self._clock())
        return any(
            hour.furnace_id == furnace_id and hour.start_ms < to_ms and hour.start_ms + HOUR_MS > from_ms
            for hour in waiting
        )

    def previews(self) -> tuple[Preview, ...]:
        """The running hour so far, per furnace and pollutant."""
        return self._previews

    def advice(self) -> tuple[ChargeAdvice, ...]:
        """Whether each furnace may be charged now, as far as a minimum of its secondary chamber is asked for."""
        return self._advice

    def step(self, now_ms: int) -> int:
        """Judge what is due, refresh the preview, raise and clear exceedances; return the number of hours judged."""
        channels = self._channels()
        with self._lock:
            self._plan(channels, now_ms)
            due = self._backlog.take_due(now_ms)
            self._under_way = {hour: self._why.pop(hour) for hour in due if hour in self._why}
        left: Sequence[FurnaceHour] = due
        try:
            self._judge(still_measured(due, channels), channels, now_ms)  # verdicts on the others stay as they are
            left = ()
        finally:
            with self._lock:
                self._backlog.plan(left, now_ms)
                self._why = (self._under_way if left else {}) | self._why
                self._under_way = {}
        minute_ms = (now_ms - GRACE_MS - int(INTERVAL_S * 1000)) // MINUTE_MS * MINUTE_MS
        if due or minute_ms != self._looked_ms:
            if self._looked_ms:  # what had ended before the start is judged with its hour
                self._judge_running(channels, minute_ms, now_ms)
            self._previews = tuple(verdicts.previews(self._store, channels, self._site, self._plant, minute_ms))
            self._advice = charge_advice(self._store, channels, self._site, minute_ms)
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
            left_over = self._left_over(now_ms)
            self._why.update(dict.fromkeys(left_over, Why.MARKS))
            self._backlog.plan(left_over, now_ms)
            self._newest = {(one.furnace_id, one.averaging): one for one in self._judgements.last_periods()}
            self._untold = list(self._judgements.exceedances(hour_ms - RECHECK_MS))
        else:
            ended = range(self._hour_ms, hour_ms, HOUR_MS)
            hours = [FurnaceHour(int(furnace), start_ms) for start_ms in ended for furnace in channels.furnaces]
            self._backlog.plan(hours, hour_ms + OVERDUE_MS)
        self._hour_ms = hour_ms

    def _left_over(self, now_ms: int) -> list[FurnaceHour]:
        """The hours of marks that were entered too shortly before the end to be judged."""
        last_ms = self._judgements.last_recorded_ms()
        marked = () if last_ms is None else self._plant.marked_since(last_ms - SURELY_JUDGED_MS)
        return [
            FurnaceHour(mark.furnace_id, start_ms)
            for mark in marked
            for start_ms in range(mark.start_ms // HOUR_MS * HOUR_MS, min(mark.end_ms, now_ms - HOUR_MS + 1), HOUR_MS)
        ]

    def _judge(self, due: Sequence[FurnaceHour], channels: Channels, now_ms: int) -> None:
        """Record the verdicts on whatever these hours touch."""
        why = {hour: self._under_way.get(hour, Why.LATE_DATA) for hour in due}
        ordered = sorted(due, key=lambda hour: (hour.start_ms // _CHUNK_MS, why[hour]))
        for (_, reason), group in groupby(ordered, key=lambda hour: (hour.start_ms // _CHUNK_MS, why[hour])):
            hours = list(group)
            furnace = np.array([hour.furnace_id for hour in hours], np.int64)
            hour_ms = np.array([hour.start_ms for hour in hours], np.int64)
            cycles = cycles_for(self._plant, self._site, int(hour_ms.min()), int(hour_ms.max()) + HOUR_MS)
            tasks = verdicts.tasks(channels, self._site, cycles, furnace, hour_ms, now_ms)
            records = self._verdicts(tasks, cycles, channels)
            records += withdrawal.withdrawn(self._judgements, self._site.book, records, furnace, hour_ms)
            self._record(records, reason, now_ms)

    def _judge_running(self, channels: Channels, minute_ms: int, now_ms: int) -> None:
        """Record the verdicts on short periods of the running hour that ended since the last look."""
        furnace = channels.furnaces
        hour_ms = np.full(len(furnace), (minute_ms - 1) // HOUR_MS * HOUR_MS, np.int64)
        found = verdicts.tasks(channels, self._site, no_cycles(), furnace, hour_ms, minute_ms)
        fresh = [
            Task(task.pack, task.limit, task.periods.where((task.periods.end_ms > self._looked_ms) & _prompt(task)))
            for task in found
        ]
        records = self._verdicts([task for task in fresh if len(task.periods)], no_cycles(), channels)
        self._record(records, Why.LATE_DATA, now_ms)

    def _verdicts(self, tasks: Sequence[Task], cycles: CycleSpan, channels: Channels) -> list[PeriodJudgement]:
        judged = verdicts.judge(self._store, channels, self._site, self._plant, cycles, tasks)
        return [record for one in judged for record in verdicts.judgements(one)]

    def _record(self, records: Sequence[PeriodJudgement], why: Why, now_ms: int) -> None:
        if not records:
            return
        self._untold += self._judgements.record(records, now_ms, why).exceedances
        for one in records:
            key = (one.furnace_id, one.averaging)
            known = self._newest.get(key)
            if known is None or one.end_ms > known.end_ms:
                self._newest[key] = LastPeriod(one.furnace_id, one.averaging, one.start_ms, one.end_ms)

    def _alarm(self, channels: Channels, now_ms: int) -> None:
        """Tell the alarms which exceedances last, which are over, and what is normal."""
        recent = self._judgements.exceedances(now_ms - LASTS_MS)
        seen = Observed(self._newest, self._site, channels, now_ms)
        self._alarms.settle(observations(recent, self._untold, seen), now_ms)
        self._untold = []


def _prompt(task: Task) -> Bools:
    """Which periods do not wait for the end of the UTC hour: short ones, and hours of a zone that end within it."""
    if task.limit.averaging is Averaging.CLOCK_HOUR:
        return np.asarray(task.periods.end_ms % HOUR_MS != 0)
    return np.full(len(task.periods), task.limit.averaging in _PROMPT)
