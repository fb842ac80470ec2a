"""The pages of all homes in sight and of one home."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
import numpy as np
from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from ingest_service.api.fleet import burning, series_of
from ingest_service.api.page.addresses import PageNumber, Word
from ingest_service.api.page.alarm_view import worst
from ingest_service.api.page.asked_homes import AskedHomes, Wanted
from ingest_service.api.page.formats import duration
from ingest_service.api.page.home_states import HomeState, Known, by_exception, home_states
from ingest_service.api.page.paging import Paging
from ingest_service.api.page.rendering import AnyPage, Page
from ingest_service.api.page.summary import FEW_HOMES, places_of, summary_of
from ingest_service.api.page.tiles import TILE_QUANTITIES, HomeView, Situation, by_home, folded, home_view
from ingest_service.api.snapshot import edge_states, found_home, furnace_readings, tile_readings
from ingest_service.store import journal, overview
from ingest_service.store.overview import Reader

HOMES_A_PAGE, TILES_A_PAGE = 40, 60

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


class CityView(msgspec.Struct, frozen=True):
    """All homes of a place in a line; `follows` where the newest of them is the newest of all in sight."""

    name: str
    open_alarms: int
    worst: str
    edges: int
    edges_online: int
    furnaces: int
    burning: int
    newest_at_ms: int | None
    newest_age: str
    follows: bool


@router.get("/")
def show_city(
    page: AnyPage,
    city: Word = "",
    district: Word = "",
    q: Word = "",
    state: Wanted = Wanted.ANY,
    number: Annotated[PageNumber, Query(alias="page")] = 1,
) -> HTMLResponse:
    """Every home in sight that was asked for, what is abnormal first."""
    asked = AskedHomes(city=city, district=district, q=q.strip(), state=state, page=number)
    known = known_of(page)
    states = by_exception(home_states(known), page.t)
    placed = asked.in_place(states)
    named = asked.named(placed)
    wanted = [one for one in named if asked.state.admits(one)]
    paging = Paging.of(len(wanted), HOMES_A_PAGE, asked.page)
    homes = home_views(page, paging.part(wanted))
    return page.render(
        "overview.html",
        "overview",
        f"tiles={','.join(str(tile.id) for home in homes for tile in home.furnaces)}",
        asked=asked,
        places=places_of(asked, placed, page.t),
        city=city_view(page, known, placed),
        summary=summary_of(asked, placed, named, page.t) if len(states) > FEW_HOMES else None,
        homes=homes,
        paging=paging,
    )


@router.get("/homes/{home}")
def show_home(home: str, page: AnyPage) -> HTMLResponse:
    """One home."""
    row = found_home(page.sight, home)
    view = home_view(row, situation(page, page.sight, home), page.clock, page.t)
    return page.render("home.html", "home", f"home={view.href.rpartition('/')[2]}", home=view)


def known_of(page: Page) -> Known:
    """What is known of every home in sight."""
    furnaces = overview.homes_of_furnaces(page.sight)
    return Known(
        homes=overview.homes(page.sight),
        furnaces=furnaces,
        alarms=journal.open_alarms(page.sight),
        edges=edge_states(page.here, page.sight),
        previews=page.here.previews(),
        burning=burning(page.here, np.array([*furnaces], np.int64)),
    )


def home_views(page: Page, states: Sequence[HomeState]) -> list[HomeView]:
    """These homes with their furnaces in small, in their order."""
    homes = [state.home for state in states]
    parts = by_home(situation(page, page.sight.within([home.id for home in homes])))
    return folded([home_view(home, parts[home.id], page.clock, page.t) for home in homes], TILES_A_PAGE)


def situation(page: Page, sight: Reader, home_id: str | None = None) -> Situation:
    """What overview and home are made of, now: the homes in that sight, or one of them in full."""
    furnaces = overview.furnaces(sight, home_id)
    ids = {furnace.id for furnace in furnaces}
    if home_id is None:
        found = tile_readings(page.here, sight, furnaces, TILE_QUANTITIES)
    else:
        found = furnace_readings(page.here, sight, [furnace.id for furnace in furnaces])
    return Situation(
        now_ms=page.now_ms,
        furnaces=furnaces,
        readings=found,
        alarms=journal.open_alarms(sight, home_id),
        edges=edge_states(page.here, sight, home_id),
        previews=[hour for hour in page.here.previews() if hour.furnace_id in ids],
    )


def city_view(page: Page, known: Known, states: Sequence[HomeState]) -> CityView:
    """The line above the homes; of the whole sight it counts the alarms that belong to no home, too."""
    whole, homes = len(states) == len(known.homes), {state.home.id for state in states}
    alarms = [alarm for alarm in known.alarms if whole or alarm.home_id in homes]
    furnaces = [furnace for furnace, home in known.furnaces.items() if whole or home in homes]
    newest_ms = page.here.live.newest_ms(series_of(page.here, np.array(furnaces, np.int64)))
    return CityView(
        name=_city_name(page, known),
        open_alarms=len(alarms),
        worst=worst(alarms),
        edges=sum(state.edges for state in states),
        edges_online=sum(state.edges - state.silent for state in states),
        furnaces=len(furnaces),
        burning=sum(state.burning for state in states),
        newest_at_ms=newest_ms,
        newest_age="" if newest_ms is None else duration(page.now_ms - newest_ms, page.t),
        follows=whole,
    )


def _city_name(page: Page, known: Known) -> str:
    """What all homes in sight have in common, "" where they are of several cities."""
    cities = {page.t.either(home.city_zh, home.city_en) for home in known.homes}
    return cities.pop() if len(cities) == 1 else ""
