"""The pages of the whole city and of one home."""

import msgspec
from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from ingest_service.api.page.alarm_view import worst
from ingest_service.api.page.formats import duration
from ingest_service.api.page.rendering import AnyPage, Page
from ingest_service.api.page.tiles import TILE_QUANTITIES, HomeView, Situation, by_exception, by_home, home_view
from ingest_service.api.snapshot import edge_states, found_home, furnace_readings, tile_readings
from ingest_service.store import journal, overview
from ingest_service.store.rows import HomeRow

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


class CityView(msgspec.Struct, frozen=True):
    """The whole city in a line."""

    name: str
    open_alarms: int
    worst: str
    edges: int
    edges_online: int
    furnaces: int
    burning: int
    newest_at_ms: int | None
    newest_age: str


@router.get("/")
def show_city(page: AnyPage) -> HTMLResponse:
    """Every home in sight, what is abnormal first."""
    now, homes = situation(page), overview.homes(page.sight)
    parts = by_home(now)
    views = by_exception([home_view(home, parts[home.id], page.clock, page.t) for home in homes])
    return page.render("overview.html", "overview", city=city_view(page, homes, now, views), homes=views)


@router.get("/homes/{home}")
def show_home(home: str, page: AnyPage) -> HTMLResponse:
    """One home."""
    row = found_home(page.sight, home)
    view = home_view(row, situation(page, home), page.clock, page.t)
    return page.render("home.html", "home", f"home={view.href.rpartition('/')[2]}", home=view)


def situation(page: Page, home_id: str | None = None) -> Situation:
    """What overview and home are made of, now."""
    furnaces = overview.furnaces(page.sight, home_id)
    if home_id is None:
        found = tile_readings(page.here, page.sight, furnaces, TILE_QUANTITIES)
    else:
        found = furnace_readings(page.here, page.sight, [furnace.id for furnace in furnaces])
    return Situation(
        now_ms=page.now_ms,
        furnaces=furnaces,
        readings=found,
        alarms=journal.open_alarms(page.sight, home_id),
        edges=edge_states(page.here, page.sight, home_id),
        previews=page.here.previews(),
    )


def city_view(page: Page, homes: list[HomeRow], now: Situation, views: list[HomeView]) -> CityView:
    """The line above the homes."""
    cities = {page.t.either(home.city_zh, home.city_en) for home in homes}
    tiles = [tile for view in views for tile in view.furnaces]
    newest_ms = max((tile.newest_at_ms for tile in tiles if tile.newest_at_ms is not None), default=None)
    return CityView(
        name=cities.pop() if len(cities) == 1 else "",
        open_alarms=len(now.alarms),
        worst=worst(now.alarms),
        edges=len(now.edges),
        edges_online=sum(edge.online for edge in now.edges),
        furnaces=len(tiles),
        burning=sum(tile.running for tile in tiles),
        newest_at_ms=newest_ms,
        newest_age="" if newest_ms is None else duration(page.now_ms - newest_ms, page.t),
    )
