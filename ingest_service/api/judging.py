"""JSON: why a mean was judged as it was, and whether a furnace may be charged."""

from typing import Annotated

from fastapi import APIRouter, Query

from ingest_service.api.access import Charts
from ingest_service.api.context import Here
from ingest_service.api.errors import NotFound
from ingest_service.api.schemas import ErrorOut, Out
from ingest_service.api.snapshot import found_furnace
from ingest_service.emissions.units import Pollutant

router = APIRouter(tags=["compliance"], responses={404: {"model": ErrorOut}, 422: {"model": ErrorOut}})


class ExplainedMinuteOut(Out):
    """One minute: as measured, and as judged in the limit's unit; `lost_to` says why it does not count."""

    start_ms: int
    measured: float | None
    o2_pct: float | None
    judged: float | None
    lost_to: str


class LossOut(Out):
    """How many minutes one cause took away."""

    cause: str
    minutes: int


class RevisionOut(Out):
    """What was recorded about the period, and when."""

    revision: int
    reason: str
    verdict: str
    mean: float | None
    computed_at_ms: int


class ExplanationOut(Out):
    """Everything that went into one verdict, computed anew. `mean`, `peak` and `limit` are in `unit`."""

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
    exclusion_zh: str
    exclusion_en: str
    lost: list[LossOut]
    minutes: list[ExplainedMinuteOut]
    revisions: list[RevisionOut]


class ChargeAdviceOut(Out):
    """Whether a furnace may be charged: the mean of the newest minutes of its secondary chamber against the minimum."""

    until_ms: int
    advice: str
    mean_c: float | None
    least_c: float
    rule: str
    clause_zh: str
    clause_en: str


At = Annotated[int, Query(ge=0, le=10**14, description="ms since 1970 UTC")]


@router.get("/homes/{home}/furnaces/{furnace}/explanations", summary="Why a mean was judged as it was")
def list_explanations(
    home: str, furnace: str, pollutant: Pollutant, at_ms: At, here: Here, sight: Charts
) -> list[ExplanationOut]:
    """One for every period of every limit on that pollutant in which the moment lies."""
    row = found_furnace(sight, home, furnace)
    return [ExplanationOut.model_validate(found) for found in here.explain(row.id, pollutant, at_ms)]


@router.get("/homes/{home}/furnaces/{furnace}/charging", summary="Whether the furnace may be charged")
def show_charging(home: str, furnace: str, here: Here, sight: Charts) -> ChargeAdviceOut:
    """Advice, not a release: nothing is switched by it. 404 where no minimum of the secondary chamber is asked for."""
    row = found_furnace(sight, home, furnace)
    found = next((one for one in here.advice() if one.furnace_id == row.id), None)
    if found is None:
        raise NotFound(f"no minimum temperature is asked of furnace {furnace!r} in home {home!r}")
    return ChargeAdviceOut.model_validate(found)
