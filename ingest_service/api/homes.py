"""JSON: homes and furnaces, and what their tags show now."""

from fastapi import APIRouter, Response
from pydantic import Field

from ingest_service.api.access import Charts
from ingest_service.api.context import Here
from ingest_service.api.listing import Limit, Offset, tell_total
from ingest_service.api.readings import Reading, Trust
from ingest_service.api.schemas import EdgeOut, ErrorOut, Out
from ingest_service.api.snapshot import edge_states, found_furnace, found_home, furnace_readings, running_hours
from ingest_service.store import overview
from ingest_service.store.overview import Part

LISTED = 1000

router = APIRouter(tags=["homes"], responses={404: {"model": ErrorOut}})


class HomeOut(Out):
    """A funeral home."""

    id: str
    name_zh: str
    name_en: str
    district_zh: str
    district_en: str
    city_zh: str
    city_en: str


class FurnaceOut(Out):
    """A furnace; `name` is unique within its home."""

    id: int
    home_id: str
    name: str
    name_zh: str
    name_en: str


class TagOut(Out):
    """One channel of a furnace and its newest value; `value` is null where there is none that can be used."""

    series: int
    device: str
    channel: str
    quantity: str
    name_zh: str
    name_en: str
    unit: str
    basis: str
    low: float | None
    high: float | None
    period_s: float | None
    value: float | None
    quality: str = Field(description="good, or the label of what is doubtful or bad")
    trust: Trust
    measured_at_ms: int | None
    age_ms: int | None


class HourSoFarOut(Out):
    """The running hour of one pollutant: its converted mean so far against the limit."""

    rule: str
    pollutant: str
    start_ms: int
    until_ms: int
    mean: float | None
    peak: float | None
    limit: float
    unit: str
    valid_minutes: int
    valid_minutes_needed: int
    cause: str
    forecast_mean: float | None
    exceeds_at_ms: int | None


class HomeDetailOut(HomeOut):
    """A home with what belongs to it."""

    furnaces: list[FurnaceOut]
    edges: list[EdgeOut]


class FurnaceDetailOut(FurnaceOut):
    """A furnace with its newest values and the running hour."""

    tags: list[TagOut]
    hour_so_far: list[HourSoFarOut]


@router.get("/homes", summary="Every funeral home")
def list_homes(response: Response, sight: Charts, limit: Limit = LISTED, offset: Offset = 0) -> list[HomeOut]:
    """The homes in sight, by id."""
    tell_total(response, overview.count_homes(sight))
    return [HomeOut.model_validate(home) for home in overview.homes(sight, part=Part(limit, offset))]


@router.get("/homes/{home}", summary="One home with its furnaces and edges")
def show_home(home: str, here: Here, sight: Charts) -> HomeDetailOut:
    """That home; 404 where there is none."""
    plain = HomeOut.model_validate(found_home(sight, home))
    return HomeDetailOut(
        **plain.model_dump(),
        furnaces=[FurnaceOut.model_validate(furnace) for furnace in overview.furnaces(sight, home)],
        edges=[EdgeOut.model_validate(edge) for edge in edge_states(here, sight, home)],
    )


@router.get("/furnaces", summary="Every furnace")
def list_furnaces(
    response: Response, sight: Charts, home: str | None = None, limit: Limit = LISTED, offset: Offset = 0
) -> list[FurnaceOut]:
    """The furnaces in sight, of one home or of all, by home and name."""
    tell_total(response, overview.count_furnaces(sight, home))
    return [FurnaceOut.model_validate(furnace) for furnace in overview.furnaces(sight, home, Part(limit, offset))]


@router.get("/homes/{home}/furnaces/{furnace}", summary="One furnace with its newest values and the running hour")
def show_furnace(home: str, furnace: str, here: Here, sight: Charts) -> FurnaceDetailOut:
    """That furnace; 404 where there is none."""
    row, now_ms = found_furnace(sight, home, furnace), here.clock()
    plain = FurnaceOut.model_validate(row)
    return FurnaceDetailOut(
        **plain.model_dump(),
        tags=[_tag(reading, now_ms) for reading in furnace_readings(here, sight, [row.id])],
        hour_so_far=[HourSoFarOut.model_validate(hour) for hour in running_hours(here, row.id)],
    )


def _tag(reading: Reading, now_ms: int) -> TagOut:
    series = reading.series
    return TagOut(
        series=series.id,
        device=series.device,
        channel=series.channel,
        quantity=series.quantity,
        name_zh=series.name_zh,
        name_en=series.name_en,
        unit=series.unit,
        basis=series.basis,
        low=series.low,
        high=series.high,
        period_s=series.period_s,
        value=reading.value,
        quality=reading.reason.label,
        trust=reading.trust(now_ms),
        measured_at_ms=reading.measured_at_ms,
        age_ms=reading.age_ms(now_ms),
    )
