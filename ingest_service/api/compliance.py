"""JSON: what was judged against which limits, and what went over them."""

from typing import Annotated

from fastapi import APIRouter, Query

from edge_agent.wire.durations import HOUR_MS
from ingest_service.api.access import Charts, needs
from ingest_service.api.context import Here
from ingest_service.api.errors import InvalidRequest
from ingest_service.api.numbers import Number
from ingest_service.api.schemas import ErrorOut, JudgementOut, Out
from ingest_service.api.series import From, To
from ingest_service.api.snapshot import found_furnace
from ingest_service.emissions.rulepack import RulePack
from ingest_service.people.roles import Right
from ingest_service.store import trends

MAX_JUDGED_SPAN_MS = 31 * 24 * HOUR_MS

router = APIRouter(tags=["compliance"], responses={404: {"model": ErrorOut}, 422: {"model": ErrorOut}})


class ExceedanceOut(Out):
    """One or more periods in a row beyond a limit; `mean` is the worst period mean, `peak` the worst minute."""

    id: int
    home_id: str
    furnace: str
    rule: str
    clause: str
    pollutant: str
    start_ms: int
    end_ms: int
    mean: float
    peak: float
    limit: float
    unit: str
    revision: int
    averaging: str
    bound: str


class LimitOut(Out):
    """One limit in force, with where it stands."""

    pollutant: str
    limit: float
    unit: str
    averaging: str
    clause_zh: str
    clause_en: str
    source: str
    averaging_source: str
    bound: str


class RuleOut(Out):
    """A rule pack that applies. Limits of an unverified pack are shown, never judged."""

    key: str
    title_zh: str
    title_en: str
    jurisdiction: str
    source: str
    verified: str
    reference_o2_pct: float | None
    valid_minutes: int
    judged: bool
    limits: list[LimitOut]


@router.get("/homes/{home}/furnaces/{furnace}/judgements", summary="Judged hours of a furnace")
def list_judgements(home: str, furnace: str, from_ms: From, to_ms: To, sight: Charts) -> list[JudgementOut]:
    """The periods that start in [from, to), newest revision of each, at most 31 days."""
    row = found_furnace(sight, home, furnace)
    if to_ms - from_ms > MAX_JUDGED_SPAN_MS:
        raise InvalidRequest("at most 31 days of judgements are sent at once")
    return [JudgementOut.model_validate(found) for found in trends.judgements(sight, row.id, from_ms, to_ms)]


@router.get("/exceedances", summary="Exceedances, newest first")
def list_exceedances(
    sight: Charts,
    home: str | None = None,
    furnace: Number | None = None,
    from_ms: From = 0,
    to_ms: To = 10**14,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> list[ExceedanceOut]:
    """Those that touch [from, to); `furnace` is a furnace's id."""
    found = trends.exceedances(sight, home, furnace, from_ms, to_ms, limit)
    return [ExceedanceOut.model_validate(row) for row in found]


@router.get("/rules", summary="The limits in force, with clause and source", dependencies=[needs(Right.CHARTS)])
def list_rules(here: Here) -> list[RuleOut]:
    """The rule packs of the configuration."""
    return [_rule(pack) for pack in here.packs]


def _rule(pack: RulePack) -> RuleOut:
    return RuleOut(
        key=pack.key,
        title_zh=pack.title_zh,
        title_en=pack.title_en,
        jurisdiction=pack.jurisdiction,
        source=pack.source,
        verified=pack.verified,
        reference_o2_pct=pack.reference_o2_pct,
        valid_minutes=pack.validity.valid_minutes,
        judged=bool(pack.judged),
        limits=[LimitOut.model_validate(limit) for limit in pack.limit],
    )
