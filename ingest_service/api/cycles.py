"""JSON: the cremations of a furnace, and how sparing furnaces are with gas and electricity."""

from datetime import timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from fastapi import APIRouter, Query

from edge_agent.wire.durations import HOUR_MS
from ingest_service.api.access import Sight
from ingest_service.api.context import Context, Here
from ingest_service.api.errors import InvalidRequest
from ingest_service.api.schemas import ErrorOut, Out
from ingest_service.api.series import From, To
from ingest_service.api.snapshot import found_furnace, found_home
from ingest_service.cycles.ranking import FurnaceUse, Ranking, Standing, rank
from ingest_service.emissions.periods import local
from ingest_service.store import overview
from ingest_service.store.cycles import cycles_of
from ingest_service.store.energy import energy_hours
from ingest_service.store.overview import Reader
from ingest_service.store.rows import FurnaceRow

MAX_SPAN_MS = 366 * 24 * HOUR_MS

router = APIRouter(tags=["cremations"], responses={404: {"model": ErrorOut}, 422: {"model": ErrorOut}})


class CycleOut(Out):
    """One finished cremation; `case_number` holds nothing of a person. Null is what there is no signal for.

    Phases begin where their time says. Concentrations are mg/m3 as measured, masses g, temperatures °C.
    """

    case_number: str
    found_by: str
    start_ms: int
    charge_ms: int
    ignition_ms: int | None
    main_ms: int | None
    burnout_ms: int | None
    cooling_ms: int | None
    end_ms: int
    start_kind: str
    covered_share: float
    chamber2_least_c: float | None
    chamber2_limit_c: float
    chamber2_below_s: float | None
    co_peak: float | None
    co_mean: float | None
    co_first_hour: float | None
    co_half_hour: float | None
    gas_m3: float | None
    electricity_kwh: float | None
    co2_kg: float | None
    co2_kg_per_m3: float
    co_g: float | None
    so2_g: float | None
    nox_g: float | None
    hcl_g: float | None
    dust_g: float | None
    revision: int
    revision_reason: str
    computed_at_ms: int


class StandingOut(Out):
    """One furnace in the ranking; figures of a cremation are means. `gas_all_m3`, idle hours included, orders it."""

    furnace_id: int
    home_id: str
    furnace: str
    place: int | None
    cremations: int
    gas_all_m3: float | None
    gas_m3: float | None
    gas_best_m3: float | None
    gas_over_best_pct: float | None
    gas_over_fleet_pct: float | None
    electricity_kwh: float | None
    electricity_best_kwh: float | None
    co2_kg: float | None
    idle_gas_m3: float | None
    idle_electricity_kwh: float | None
    hot_idle_h: float
    cold_starts: int
    avoidable_cold_starts: int


class RankingOut(Out):
    """The furnaces, most sparing first; of the fleet the median cremation and the best."""

    from_ms: int
    to_ms: int
    standings: list[StandingOut]
    fleet_gas_m3: float | None
    fleet_gas_best_m3: float | None
    fleet_electricity_kwh: float | None
    fleet_co2_kg: float | None
    co2_kg_per_m3: float


@router.get("/homes/{home}/furnaces/{furnace}/cycles", summary="Cremations of a furnace")
def list_cycles(home: str, furnace: str, from_ms: From, to_ms: To, sight: Sight) -> list[CycleOut]:
    """Those that touch [from, to), at most a year, newest revision of each, by start."""
    row = found_furnace(sight, home, furnace)
    check_span(from_ms, to_ms)
    return [CycleOut.model_validate(found) for found in cycles_of(sight, [row.id], from_ms, to_ms)]


@router.get("/energy", summary="Ranking of furnaces by what a cremation costs")
def show_energy(
    from_ms: From,
    to_ms: To,
    here: Here,
    sight: Sight,
    home: Annotated[str | None, Query(description="only this home's furnaces")] = None,
) -> RankingOut:
    """Cremations charged in [from, to) and the whole hours of that time, at most a year."""
    check_span(from_ms, to_ms)
    if home is not None:
        found_home(sight, home)
    ranking, names = ranking_of(here, sight, from_ms, to_ms, home)
    return RankingOut(
        from_ms=from_ms,
        to_ms=to_ms,
        standings=[_standing(one, names[one.furnace_id]) for one in ranking.standings],
        fleet_gas_m3=ranking.fleet_gas_m3,
        fleet_gas_best_m3=ranking.fleet_gas_best_m3,
        fleet_electricity_kwh=ranking.fleet_electricity_kwh,
        fleet_co2_kg=ranking.fleet_co2_kg,
        co2_kg_per_m3=here.config.cremations.co2_kg_per_m3,
    )


def check_span(from_ms: int, to_ms: int) -> None:
    """Raises InvalidRequest where a span is none, or longer than a year."""
    if to_ms <= from_ms:
        raise InvalidRequest("from must lie before to (both ms since 1970 UTC)")
    if to_ms - from_ms > MAX_SPAN_MS:
        raise InvalidRequest("at most a year is sent at once")


def ranking_of(
    here: Context, sight: Reader, from_ms: int, to_ms: int, home: str | None = None
) -> tuple[Ranking, dict[int, FurnaceRow]]:
    """The ranking of the furnaces in sight, and who they are, by id."""
    known = {row.id: row for row in overview.furnaces(sight, home)}
    cycles = [row for row in cycles_of(sight, list(known), from_ms, to_ms) if from_ms <= row.charge_ms < to_ms]
    hours = energy_hours(sight, from_ms, to_ms, list(known))
    offset = local(from_ms, ZoneInfo(here.config.judging.time_zone)).utcoffset() or timedelta()
    uses = [
        FurnaceUse(
            furnace_id=row.id,
            home_id=row.home_id,
            cycles=tuple(one for one in cycles if one.furnace_id == row.id),
            hours=tuple(hour for hour in hours if hour.furnace_id == row.id),
        )
        for row in known.values()
    ]
    return rank(uses, round(offset.total_seconds() * 1000)), known


def _standing(one: Standing, row: FurnaceRow) -> StandingOut:
    return StandingOut.model_validate({**msgspec.structs.asdict(one), "furnace": row.name})
