"""A report with something in every table, made without a store."""

from zoneinfo import ZoneInfo

import msgspec

from edge_agent.wire.gap import GapReason
from ingest_service.alarms.vocabulary import Locale
from ingest_service.api.page.texts import texts
from ingest_service.cycles.cycle import FoundBy, StartKind
from ingest_service.emissions.rulepack import load_pack
from ingest_service.reports.model import FurnacePart, Operation, Report, RuleLine, Said, Stage
from ingest_service.reports.operation import masses_of
from ingest_service.reports.span import Kind, ReportSpan, calendar_span
from ingest_service.reports.statistics import limit_lines, losses_of
from ingest_service.reports.telling import Telling
from ingest_service.store.cycles import CycleRow
from ingest_service.store.gaps import KnownGap
from ingest_service.store.marks import MarkRow
from ingest_service.store.remarks import Remark
from ingest_service.store.rows import FurnaceRow, HomeRow
from ingest_service.store.trends import JudgedPeriod, OverLimit

ZONE = ZoneInfo("Asia/Shanghai")
HOUR_MS, MINUTE_MS = 3_600_000, 60_000
DAY = calendar_span(Kind.DAY, "2026-03-09", ZONE)
PACK = load_pack("gb13801-2015-table2")
HOSTILE = '=HYPERLINK("http://example.org")'


def telling(locale: Locale = Locale.EN) -> Telling:
    return Telling(texts(locale), ZONE)


def period(
    hour: int, mean: float | None = 20.0, verdict: str = "within", cause: str = "", **other: object
) -> JudgedPeriod:
    start_ms = DAY.from_ms + hour * HOUR_MS
    known: dict[str, object] = {
        "furnace_id": 1, "rule": PACK.key, "pollutant": "hcl", "start_ms": start_ms, "end_ms": start_ms + HOUR_MS,
        "mean": mean, "peak": None if mean is None else mean * 1.5, "limit": 30.0, "unit": "mg/m3", "valid_minutes": 58,
        "verdict": verdict, "cause": cause, "revision": 0, "revision_reason": "", "computed_at_ms": start_ms + HOUR_MS,
    }  # fmt: skip
    return msgspec.convert(known | other, JudgedPeriod)


def over(hour: int, hours: int = 1, mean: float = 41.83) -> OverLimit:
    start_ms = DAY.from_ms + hour * HOUR_MS
    times = (start_ms, start_ms + hours * HOUR_MS)
    return OverLimit(1, "beishan", 1, "furnace-1", PACK.key, "clause", "hcl", *times, mean, 66.2, 30.0, "mg/m3", 0)


def cremation(hour: int, **other: object) -> CycleRow:
    start_ms = DAY.from_ms + hour * HOUR_MS
    known: dict[str, object] = {
        "id": hour, "furnace_id": 1, "case_number": f"20260309-{hour:02d}", "found_by": FoundBy.PHASE,
        "start_ms": start_ms, "charge_ms": start_ms, "end_ms": start_ms + 75 * MINUTE_MS, "start_kind": StartKind.WARM,
        "covered_share": 1.0, "chamber2_least_c": 861.4, "chamber2_limit_c": 850.0, "chamber2_below_s": 0.0,
        "co_peak": 320.0, "co_mean": 22.0, "co_first_hour": 31.0, "co_half_hour": 40.0, "gas_m3": 24.5,
        "electricity_kwh": 41.0, "co2_kg": 53.0, "co2_kg_per_m3": 2.16, "hcl_g": 12.0, "co_g": None, "revision": 0,
        "revision_reason": "", "computed_at_ms": start_ms, "withdrawn": False,
    }  # fmt: skip
    return msgspec.convert(known | other, CycleRow)


HOURS = [
    period(7, None, "invalid", "few_operating_minutes", valid_minutes=20),
    period(8),
    period(9, 41.83, "exceeded"),
    period(10, None, "invalid", "marked", valid_minutes=31, revision=1, revision_reason="marks"),
    period(11, 18.0),
    *(period(hour, None, "not_judged", "not_operating", valid_minutes=0) for hour in range(12, 24)),
]
REMARK = Remark(
    furnace_id=1, rule=PACK.key, pollutant="hcl", averaging="clock_hour", start_ms=over(9).start_ms,
    end_ms=over(9).end_ms, cause="control_equipment", detail="lime feeder empty", action=HOSTILE, who="李敏",
    recorded_at_ms=DAY.to_ms,
)  # fmt: skip
MARK = MarkRow(
    id=4, home_id="beishan", furnace_id=1, furnace="furnace-1", act="entered",
    replaces=None, replaced_by=None, state="calibration",
    start_ms=DAY.from_ms + 10 * HOUR_MS, end_ms=DAY.from_ms + 11 * HOUR_MS, reason="+span gas", who="-x",
    recorded_at_ms=DAY.from_ms + 12 * HOUR_MS,
)  # fmt: skip
GAP = KnownGap(
    home_id="beishan", edge="gateway", device="furnace-1", channels=(), from_ms=DAY.from_ms + HOUR_MS,
    to_ms=DAY.from_ms + 2 * HOUR_MS, samples=0, reason=GapReason.AGENT_STOPPED, received_at_ms=DAY.to_ms,
)  # fmt: skip


def full_part() -> FurnacePart:
    """A furnace that had one of everything."""
    cremations = (cremation(8), cremation(10, gas_m3=None))
    return FurnacePart(
        furnace=FurnaceRow(id=1, home_id="beishan", name="furnace-1", name_zh="1号炉", name_en="Furnace 1"),
        until_ms=DAY.to_ms,
        limits=limit_lines(HOURS, [over(9)], [PACK]),
        parts=(),
        hours=tuple(HOURS),
        losses=losses_of(HOURS),
        exceedances=(Said(over(9), REMARK), Said(over(9), None)),
        cremations=cremations,
        operation=Operation(operating_minutes=305, gas_m3=61.25, electricity_kwh=None, masses=masses_of(cremations)),
        marks=(MARK,),
        gaps=(GAP,),
        alarms=(),
        revisions=(HOURS[3],),
    )


def empty_part() -> FurnacePart:
    """A furnace of which nothing is known."""
    return FurnacePart(
        furnace=FurnaceRow(id=2, home_id="beishan", name="furnace-2"), until_ms=None, limits=(), parts=(), hours=(),
        losses=(), exceedances=(), cremations=(),
        operation=Operation(operating_minutes=None, gas_m3=None, electricity_kwh=None, masses=()), marks=(), gaps=(),
        alarms=(), revisions=(),
    )  # fmt: skip


def report(*parts: FurnacePart, span: ReportSpan = DAY) -> Report:
    return Report(
        span=span,
        home=HomeRow(id="beishan", name_zh="北山殡仪馆", name_en="Beishan Funeral Home"),
        zone=ZONE.key,
        software="0.1.0",
        stage=Stage.FINAL,
        rules=(RuleLine(key=PACK.key, title_en=PACK.title_en, title_zh=PACK.title_zh, valid_minutes=45),),
        furnaces=parts or (full_part(),),
    )
