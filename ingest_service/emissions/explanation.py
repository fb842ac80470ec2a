"""Why a period was judged as it was: its minutes, what each lost or became, and the clause."""

import math

import msgspec
import numpy as np

from edge_agent.wire.durations import MINUTE_MS
from ingest_service.columns import Int64s
from ingest_service.emissions.averages import Averaging
from ingest_service.emissions.columns import MINUTES
from ingest_service.emissions.conversion import Converted, convert
from ingest_service.emissions.limits import Basis, Cause, HourRows, Verdict, Verdicts
from ingest_service.emissions.pack import Limit, RulePack
from ingest_service.emissions.periods import Periods, hours_within, spans_of
from ingest_service.emissions.rounding import half_even

EXCLUDED_PHASE = "excluded_phase"
_DETAILED_MINUTES = 24 * 60  # longer periods are told by counts alone


class ExplainedMinute(msgspec.Struct, frozen=True):
    """One minute: `measured` in the quantity's own unit, O2 of dry gas, `judged` in the limit's; None: there is none.

    `lost_to` says why it does not count (a label of `Cause`, or EXCLUDED_PHASE), "" where it does.
    """

    start_ms: int
    measured: float | None
    o2_pct: float | None
    judged: float | None
    lost_to: str


class Loss(msgspec.Struct, frozen=True):
    """How many minutes of the period one cause took away."""

    cause: str
    minutes: int


class Revision(msgspec.Struct, frozen=True):
    """What was recorded about the period, and when; `reason` is that of a later revision."""

    revision: int
    reason: str
    verdict: str
    mean: float | None
    computed_at_ms: int


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that went into one verdict. `mean`, `peak` (worst minute) and `limit` are in `unit`."""

    furnace_id: int
    rule: str
    title_zh: str
    title_en: str
    pollutant: str
    averaging: str
    bound: str
    start_ms: int
    end_ms: int
    verdict: str
    cause: str
    mean: float | None
    rounded: float | None
    compared: str
    peak: float | None
    limit: float
    unit: str
    valid_minutes: int
    clause_zh: str
    clause_en: str
    source: str
    averaging_source: str
    conversion: str
    basis: str
    exclusion_en: str
    exclusion_zh: str
    lost: tuple[Loss, ...]
    minutes: tuple[ExplainedMinute, ...]
    revisions: tuple[Revision, ...] = ()


def explain(
    period: Periods, rows: HourRows, found: Verdicts, limit: Limit, pack: RulePack, barometric_pa: float | None
) -> Explanation:
    """One period (a single row), judged as `found`, from the minutes of its hours in `rows`."""
    converted = convert(rows, limit, pack, barometric_pa)
    begin, end = _stretch(period, limit)
    mean, cause = float(found.mean[0]), Cause(int(found.cause[0]))
    share = limit.share
    return Explanation(
        furnace_id=int(period.furnace[0]),
        rule=pack.key,
        title_zh=pack.title_zh,
        title_en=pack.title_en,
        pollutant=limit.pollutant,
        averaging=limit.averaging,
        bound=limit.bound,
        start_ms=int(period.start_ms[0]),
        end_ms=int(period.end_ms[0]),
        verdict=Verdict(int(found.verdict[0])).label,
        cause="" if cause is Cause.NONE else cause.label,
        mean=_known(mean),
        rounded=_known(float(half_even(found.mean, 0.1 if share else limit.step)[0])),
        compared=pack.rounding.compared,
        peak=_known(float(found.peak[0])),
        limit=share.at_least_pct if share else limit.limit,
        unit="%" if share else limit.unit,
        valid_minutes=int(found.valid_minutes[0]),
        clause_zh=limit.clause_zh,
        clause_en=limit.clause_en,
        source=limit.source,
        averaging_source=limit.averaging_source,
        conversion=formula(limit, pack),
        basis=Basis(int(rows.basis[0])).name.lower() if limit.pollutant.is_concentration else "",
        exclusion_en=pack.exclusion.note_en,
        exclusion_zh=pack.exclusion.note_zh,
        lost=_losses(converted, begin, end),
        minutes=_minutes(rows, converted, limit, begin, end, period.start_ms)
        if end - begin <= _DETAILED_MINUTES
        else (),
    )


def formula(limit: Limit, pack: RulePack) -> str:
    """How a minute is converted, with the pack's figures; "" where it is not."""
    if pack.reference is None or not limit.pollutant.is_concentration:
        return ""
    reference = pack.reference
    above = reference.o2_base_pct - reference.o2_pct
    return f"c(dry, 273 K, 101325 Pa) * {above:g} / ({reference.o2_base_pct:g} - O2), O2 <= {reference.o2_max_pct:g} %"


def _stretch(period: Periods, limit: Limit) -> tuple[int, int]:
    """The period's minutes within its rows."""
    if limit.averaging in (Averaging.MONTH, Averaging.SHARE_OF_CREMATIONS):
        return 0, len(hours_within(period)[0]) * MINUTES
    spans = spans_of(period, *hours_within(period))
    return int(spans.begin[0]), int(spans.end[0])


def _losses(converted: Converted, begin: int, end: int) -> tuple[Loss, ...]:
    codes, counts = np.unique(converted.cause.ravel()[begin:end], return_counts=True)
    found = zip(codes.tolist(), counts.tolist(), strict=True)
    return tuple(Loss(_why(code), count) for code, count in found if code != Cause.NONE)


def _minutes(
    rows: HourRows, converted: Converted, limit: Limit, begin: int, end: int, start_ms: Int64s
) -> tuple[ExplainedMinute, ...]:
    first_ms = (int(start_ms[0]) + MINUTE_MS // 2) // MINUTE_MS * MINUTE_MS
    measured, o2_pct = rows.concentration.minutes.ravel(), converted.o2_pct.ravel()
    judged, cause = limit.scale.outward(converted.minutes.ravel()), converted.cause.ravel()
    return tuple(
        ExplainedMinute(
            start_ms=first_ms + (at - begin) * MINUTE_MS,
            measured=_known(float(measured[at])),
            o2_pct=_known(float(o2_pct[at])),
            judged=_known(float(judged[at])),
            lost_to="" if cause[at] == Cause.NONE else _why(int(cause[at])),
        )
        for at in range(begin, end)
    )


def _why(code: int) -> str:
    """What a minute was lost to: the cause, but of a phase that the rule leaves out that it does."""
    cause = Cause(code)
    return EXCLUDED_PHASE if cause is Cause.FEW_OPERATING_MINUTES else cause.label


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
