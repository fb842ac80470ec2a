"""Reads the minutes of furnaces' hours and judges them by a rule pack: from a store's means to judgements."""

import math
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_agent.wire.quantity import PHASES
from ingest_service.emissions.columns import HOUR_MS, MINUTE_MS, MeanColumns
from ingest_service.emissions.grid import excluded_minutes, signal
from ingest_service.emissions.limits import Basis, Cause, HourRows, Signal, Verdict, Verdicts, judge_hours
from ingest_service.emissions.preview import Preview
from ingest_service.emissions.rulepack import Limit, Pollutant, RulePack
from ingest_service.store.channels import NO_ID, Channels
from ingest_service.store.judgements import HourJudgement
from ingest_service.store.timeseries import TimeSeriesStore

Int64s = NDArray[np.int64]

_O2, _MOISTURE, _PHASE = "flue_o2", "stack_moisture", "phase"
_TEMPERATURE, _PRESSURE = "stack_temperature", "stack_pressure"
_CONDITIONS = (_O2, _MOISTURE, _PHASE, _TEMPERATURE, _PRESSURE)


class JudgedHours(msgspec.Struct, frozen=True):
    """Verdicts on one limit of a pack, a row per (furnace, hour)."""

    pack: RulePack
    limit: Limit
    furnace: Int64s
    start_ms: Int64s
    found: Verdicts


def judge(
    store: TimeSeriesStore,
    channels: Channels,
    packs: Sequence[RulePack],
    furnace: Int64s,
    start_ms: Int64s,
    barometric_pa: float | None,
) -> Iterator[JudgedHours]:
    """Every limit of every pack on every (furnace, hour) row; hours should lie near each other."""
    if not len(furnace):
        return
    quantities = (*_CONDITIONS, *Pollutant)
    wanted = np.unique([channels.series_of(str(quantity), furnace) for quantity in quantities])
    series = [int(one) for one in wanted if one != NO_ID]
    means = store.means(MINUTE_MS, series, int(start_ms.min()), int(start_ms.max()) + HOUR_MS)
    for pack in packs:
        for limit in pack.judged:
            rows = _rows(channels, means, pack, limit.pollutant, furnace, start_ms)
            yield JudgedHours(pack, limit, furnace, start_ms, judge_hours(rows, limit, pack, barometric_pa))


def judgements(hours: JudgedHours) -> list[HourJudgement]:
    """The rows as records; a mean that does not count is left out."""
    return [_judgement(hours, row) for row in range(len(hours.furnace))]


def previews(hours: JudgedHours, until_ms: int) -> list[Preview]:
    """The rows as what the page shows of a running hour."""
    return [_preview(hours, row, until_ms) for row in range(len(hours.furnace))]


def _rows(
    channels: Channels, means: MeanColumns, pack: RulePack, pollutant: Pollutant, furnace: Int64s, start_ms: Int64s
) -> HourRows:
    def of(quantity: str) -> Signal:
        series = channels.series_of(quantity, furnace)
        return signal(means, series, start_ms, pack.validity.minute_covered_share)

    codes = frozenset(code for code, name in PHASES.items() if name in pack.exclusion.phases)
    o2_basis = _bases(channels, _O2, furnace)
    return HourRows(
        concentration=of(pollutant),
        basis=_bases(channels, pollutant, furnace),
        o2=of(_O2),
        o2_is_wet=np.isin(o2_basis, (Basis.WET_STANDARD, Basis.WET_ACTUAL)),
        moisture=of(_MOISTURE),
        stack_temperature=of(_TEMPERATURE),
        stack_pressure=of(_PRESSURE),
        excluded=excluded_minutes(means, channels.series_of(_PHASE, furnace), start_ms, codes),
    )


def _bases(channels: Channels, quantity: str, furnace: Int64s) -> Int64s:
    """The basis of that quantity at each row's furnace. Oxygen without one is taken as that of dry gas."""
    series = channels.series_of(quantity, furnace)
    return np.array(
        [Basis.UNKNOWN if one == NO_ID else _basis(channels.row(int(one)).basis) for one in series], np.int64
    )


def _basis(name: str) -> Basis:
    return Basis.__members__.get(name.upper(), Basis.UNKNOWN)


def _judgement(hours: JudgedHours, row: int) -> HourJudgement:
    verdict = Verdict(int(hours.found.verdict[row]))
    counts = verdict in (Verdict.WITHIN, Verdict.EXCEEDED)
    start_ms = int(hours.start_ms[row])
    return HourJudgement(
        furnace_id=int(hours.furnace[row]),
        rule=hours.pack.key,
        pollutant=hours.limit.pollutant,
        start_ms=start_ms,
        end_ms=start_ms + HOUR_MS,
        mean=float(hours.found.mean[row]) if counts else None,
        peak=float(hours.found.peak[row]) if counts else None,
        limit=hours.limit.limit,
        unit=hours.limit.unit,
        clause=hours.limit.clause_en,
        valid_minutes=int(hours.found.valid_minutes[row]),
        verdict=verdict,
        cause=_cause(hours, row),
    )


def _preview(hours: JudgedHours, row: int, until_ms: int) -> Preview:
    return Preview(
        furnace_id=int(hours.furnace[row]),
        rule=hours.pack.key,
        pollutant=hours.limit.pollutant,
        start_ms=int(hours.start_ms[row]),
        until_ms=until_ms,
        mean=_known(float(hours.found.mean[row])),
        peak=_known(float(hours.found.peak[row])),
        limit=hours.limit.limit,
        unit=hours.limit.unit,
        valid_minutes=int(hours.found.valid_minutes[row]),
        valid_minutes_needed=hours.pack.validity.valid_minutes,
        cause="" if math.isfinite(hours.found.mean[row]) else _cause(hours, row),
    )


def _cause(hours: JudgedHours, row: int) -> str:
    cause = Cause(int(hours.found.cause[row]))
    return "" if cause is Cause.NONE else cause.label


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
