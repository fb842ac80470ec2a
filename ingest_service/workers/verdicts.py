"""Judges what furnaces' hours touch by every pack that holds: from a store's minutes to judgements and previews."""

import math
from collections.abc import Iterator, Sequence
from datetime import tzinfo
from functools import partial

import msgspec
import numpy as np

from edge_agent.wire.durations import HOUR_MS
from ingest_service.columns import Bools, Int64s
from ingest_service.emissions.assessment import Evidence, assess
from ingest_service.emissions.averages import Averaging
from ingest_service.emissions.forecast import forecast
from ingest_service.emissions.limits import Cause, Verdict, Verdicts
from ingest_service.emissions.marks import CycleSpan, no_cycles
from ingest_service.emissions.pack import Limit, RulePack
from ingest_service.emissions.periods import Periods, hours_within, local, of_cremations, touched
from ingest_service.emissions.preview import Preview
from ingest_service.emissions.rulebook import RuleBook
from ingest_service.emissions.shares import begun_within
from ingest_service.emissions.vocabulary import Bound
from ingest_service.store.channels import Channels
from ingest_service.store.judgements import PeriodJudgement
from ingest_service.store.timeseries import TimeSeriesStore
from ingest_service.workers.minutes import Minutes, hour_bounds, read_minutes
from ingest_service.workers.plant_record import PlantRecord

_QUARTER_MS = HOUR_MS // 4  # with one of them every zone's days begin


class Site(msgspec.Struct, frozen=True):
    """What judging goes by beside the samples. `barometric_pa` (Pa) is the air pressure, where it is known."""

    book: RuleBook
    zone: tzinfo
    barometric_pa: float | None = None
    charge_at_least_c: float | None = None  # the site's own minimum of the secondary chamber for a charge, °C

    def holds(self, pack: RulePack, at_ms: int) -> bool:
        """True when the pack is in force on the local day of that moment."""
        return pack.in_force(local(at_ms, self.zone).date())


class Task(msgspec.Struct, frozen=True):
    """One limit and the periods to hold against it."""

    pack: RulePack
    limit: Limit
    periods: Periods


class JudgedPeriods(msgspec.Struct, frozen=True):
    """Verdicts on one limit of a pack, a row per period."""

    pack: RulePack
    limit: Limit
    periods: Periods
    found: Verdicts


def tasks(
    channels: Channels, site: Site, cycles: CycleSpan, furnace: Int64s, hour_ms: Int64s, until_ms: int
) -> list[Task]:
    """What these hours (a row per furnace and hour) touch and is over by `until_ms`, limit by limit."""
    found = []
    for pack in site.book.packs:
        own = _subject_to(pack, channels, site.book, furnace)
        for limit in pack.judged if own.any() else ():
            window = limit.share.of if limit.share else None
            periods = touched(limit.averaging, furnace[own], hour_ms[own], site.zone, cycles, window)
            periods = periods.where((periods.end_ms <= until_ms) & _in_force(pack, periods, site))
            if len(periods):
                found.append(Task(pack, limit, periods))
    return found


def judge(
    store: TimeSeriesStore,
    channels: Channels,
    site: Site,
    record: PlantRecord,
    cycles: CycleSpan,
    to_judge: Sequence[Task],
) -> Iterator[JudgedPeriods]:
    """A verdict on every period of every task; what the tasks need should lie near each other."""
    if not to_judge:
        return
    needed = [needed_hours(task, cycles) for task in to_judge]
    from_ms, to_ms = hour_bounds(np.concatenate([hour_ms for _, hour_ms in needed]))
    furnaces = np.unique(np.concatenate([furnace for furnace, _ in needed]))
    pollutants = sorted({task.limit.pollutant for task in to_judge})
    marks = record.marks(from_ms, to_ms)
    minutes = read_minutes(store, channels, marks, furnaces, pollutants, from_ms, to_ms)
    for task in to_judge:
        evidence = evidence_of(minutes, task, site, cycles)
        yield JudgedPeriods(task.pack, task.limit, task.periods, assess(task.periods, task.limit, task.pack, evidence))


def evidence_of(minutes: Minutes, task: Task, site: Site, cycles: CycleSpan) -> Evidence:
    """The minutes, laid out for the task's limit."""
    return Evidence(partial(minutes.rows, task.limit, task.pack), cycles, site.zone, site.barometric_pa)


def judgements(judged: JudgedPeriods) -> list[PeriodJudgement]:
    """The rows as records; a mean that does not count is left out."""
    return [_judgement(judged, row) for row in range(len(judged.periods))]


def previews(
    store: TimeSeriesStore, channels: Channels, site: Site, record: PlantRecord, until_ms: int
) -> Iterator[Preview]:
    """The running hour of every furnace, as far as it has come by `until_ms` (an ended minute's end)."""
    furnace = channels.furnaces
    hour_ms = np.full(len(furnace), until_ms // HOUR_MS * HOUR_MS, np.int64)
    found = tasks(channels, site, no_cycles(), furnace, hour_ms, until_ms + HOUR_MS)
    hourly = [
        Task(task.pack, task.limit, _at(task.periods, until_ms))
        for task in found
        if task.limit.averaging is Averaging.CLOCK_HOUR and _is_upper(task.limit)
    ]
    if not hourly:
        return
    pollutants = sorted({task.limit.pollutant for task in hourly})
    from_ms, to_ms = hour_bounds(np.concatenate([task.periods.start_ms for task in hourly]))
    marks = record.marks(from_ms, to_ms)
    minutes = read_minutes(store, channels, marks, furnace, pollutants, from_ms, to_ms)
    for task in hourly:
        rows = minutes.rows(task.limit, task.pack, task.periods.furnace, task.periods.start_ms)
        yield from forecast(task.periods, rows, task.limit, task.pack, site.barometric_pa, until_ms)


def needed_hours(task: Task, cycles: CycleSpan) -> tuple[Int64s, Int64s]:
    """The hours whose minutes a task needs."""
    if task.limit.share is None:
        return hours_within(task.periods)
    return hours_within(of_cremations(task.limit.share.each, begun_within(task.periods, cycles)))


def _at(periods: Periods, at_ms: int) -> Periods:
    """Those that the moment lies in."""
    return periods.where((periods.start_ms <= at_ms) & (at_ms < periods.end_ms))


def _is_upper(limit: Limit) -> bool:
    return limit.bound is not Bound.AT_LEAST


def _subject_to(pack: RulePack, channels: Channels, book: RuleBook, furnace: Int64s) -> Bools:
    """Which rows' furnaces that pack holds for."""
    if not book.assignments:
        return np.full(len(furnace), pack in book.usual)
    known, at = np.unique(furnace, return_inverse=True)
    places = [channels.of_furnace(int(one)) for one in known]
    holds = np.array([pack in book.of(place.home_id, place.furnace) for place in places], np.bool_)
    return np.asarray(holds[at], np.bool_)


def _in_force(pack: RulePack, periods: Periods, site: Site) -> Bools:
    """Which periods begin on a day on which the pack holds."""
    starts, at = np.unique(periods.start_ms // _QUARTER_MS, return_inverse=True)
    holds = [site.holds(pack, int(quarter) * _QUARTER_MS) for quarter in starts]
    return np.asarray(np.array(holds, np.bool_)[at], np.bool_)


def _judgement(judged: JudgedPeriods, row: int) -> PeriodJudgement:
    verdict, cause = Verdict(int(judged.found.verdict[row])), Cause(int(judged.found.cause[row]))
    counts = verdict in (Verdict.WITHIN, Verdict.EXCEEDED)
    share = judged.limit.share
    return PeriodJudgement(
        furnace_id=int(judged.periods.furnace[row]),
        rule=judged.pack.key,
        pollutant=judged.limit.pollutant,
        averaging=judged.limit.averaging,
        bound=Bound.AT_LEAST if share else judged.limit.bound,
        start_ms=int(judged.periods.start_ms[row]),
        end_ms=int(judged.periods.end_ms[row]),
        mean=_known(float(judged.found.mean[row])) if counts else None,
        peak=_known(float(judged.found.peak[row])) if counts else None,
        limit=share.at_least_pct if share else judged.limit.limit,
        unit="%" if share else judged.limit.unit,
        clause=judged.limit.clause_en,
        valid_minutes=int(judged.found.valid_minutes[row]),
        verdict=verdict,
        cause="" if cause is Cause.NONE else cause.label,
    )


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
