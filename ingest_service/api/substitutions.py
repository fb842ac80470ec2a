"""JSON: what rules for missing hours put in their place, over a month; apart from what was measured and judged."""

from fastapi import APIRouter

from ingest_service.api.access import Sight
from ingest_service.api.context import Here
from ingest_service.api.errors import InvalidRequest
from ingest_service.api.page.formats import zone_of
from ingest_service.api.schemas import ErrorOut, Out
from ingest_service.api.snapshot import found_furnace
from ingest_service.emissions.substitution import Label
from ingest_service.reports.gathering import Records, month_filled, rules_of
from ingest_service.reports.model import Filled, FilledGap, Filling, RuleLine
from ingest_service.reports.span import Kind, calendar_span

router = APIRouter(tags=["compliance"], responses={404: {"model": ErrorOut}, 422: {"model": ErrorOut}})


class FillingRuleOut(Out):
    """What a rule pack says of missing hours; the notes say why it is not in force."""

    rule: str
    filling: Filling
    source: str
    note_zh: str
    note_en: str


class SubstitutedOut(Out):
    """Operating hours on end without a valid mean; `value` is the highest of the `of_hours` valid hours before them."""

    label: str
    start_ms: int
    end_ms: int
    hours: int
    value: float
    of_hours: int


class FilledOut(Out):
    """A pollutant by one rule, in `unit`; `due`, `filled` and `missing` are operating hours of the month.

    `mass_kg` is what the hours filled in stand for in `mass_minutes` of cremations; null where nothing tells a flow.
    """

    pollutant: str
    rule: str
    clause_zh: str
    clause_en: str
    unit: str
    due: int
    filled: int
    missing: int
    capture_pct: float | None
    mean: float | None
    mean_with_filled: float | None
    mass_kg: float | None
    mass_minutes: int
    gaps: list[SubstitutedOut]


class SubstitutionsOut(Out):
    """The rules that hold for the furnace, and what those in force fill in: nothing of it is judged."""

    rules: list[FillingRuleOut]
    filled: list[FilledOut]


@router.get("/homes/{home}/furnaces/{furnace}/substitutions/{month}", summary="Missing hours that a rule fills in")
def show_substitutions(home: str, furnace: str, month: str, here: Here, sight: Sight) -> SubstitutionsOut:
    """`month` is 2026-11. Where no rule is in force nothing is filled in."""
    row, zone = found_furnace(sight, home, furnace), zone_of(here.config)
    site = here.config.cremations, here.config.judging.barometric_pa
    records = Records(sight, here.store, here.book, zone, here.version, here.awaits, *site)
    try:
        span = calendar_span(Kind.MONTH, month, zone)
    except ValueError as error:
        raise InvalidRequest(str(error)) from error
    return SubstitutionsOut(
        rules=[_rule(rule) for rule in rules_of(records, row)],
        filled=[_filled(found) for found in month_filled(records, row, span)],
    )


def _rule(rule: RuleLine) -> FillingRuleOut:
    return FillingRuleOut(
        rule=rule.key,
        filling=rule.filling,
        source=rule.filling_source,
        note_zh=rule.filling_zh,
        note_en=rule.filling_en,
    )


def _filled(found: Filled) -> FilledOut:
    return FilledOut(
        pollutant=found.subject.pollutant,
        rule=found.subject.rule,
        clause_zh=found.clause_zh,
        clause_en=found.clause_en,
        unit=found.subject.unit,
        due=found.due,
        filled=found.filled,
        missing=found.missing,
        capture_pct=found.capture_pct,
        mean=found.mean,
        mean_with_filled=found.mean_with_filled,
        mass_kg=found.mass_kg,
        mass_minutes=found.mass_minutes,
        gaps=[_gap(gap) for gap in found.gaps],
    )


def _gap(gap: FilledGap) -> SubstitutedOut:
    return SubstitutedOut(
        label=Label.SUBSTITUTED.name.lower(),
        start_ms=gap.start_ms,
        end_ms=gap.end_ms,
        hours=gap.hours,
        value=gap.value,
        of_hours=gap.of_hours,
    )
