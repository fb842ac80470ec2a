"""The page of the city's energy: which furnace is how sparing with gas and electricity."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from ingest_service.api.cycles import ranking_of
from ingest_service.api.page.addresses import PageNumber
from ingest_service.api.page.alarm_view import furnace_href
from ingest_service.api.page.paging import Paging
from ingest_service.api.page.rendering import AnyPage, Page
from ingest_service.api.page.tiles import furnace_name, home_name
from ingest_service.cycles.ranking import Standing
from ingest_service.store import overview
from ingest_service.store.rows import FurnaceRow

FURNACES_A_PAGE = 100

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


class Span(StrEnum):
    """Which whole local days are ranked: what runs is not judged before it is over."""

    YESTERDAY = "yesterday"
    WEEK = "week"
    MONTH = "month"

    @property
    def days(self) -> int:
        """How many."""
        return {Span.YESTERDAY: 1, Span.WEEK: 7, Span.MONTH: 30}[self]


class Bar(msgspec.Struct, frozen=True):
    """Gas of a cremation in a bar of 100: what burned in it, and the idle hours' share after that."""

    burned: float
    idle: float


class Line(msgspec.Struct, frozen=True):
    """One furnace in the ranking."""

    standing: Standing
    name: str
    home: str
    href: str
    bar: Bar | None


@router.get("/energy")
def show_energy(
    page: AnyPage, span: Span = Span.YESTERDAY, number: Annotated[PageNumber, Query(alias="page")] = 1
) -> HTMLResponse:
    """The ranking of the furnaces in sight."""
    to_ms = page.clock.day_start_ms(page.now_ms)
    from_ms = page.clock.day_start_ms(page.now_ms, span.days)
    ranking, known = ranking_of(page.here, page.sight, from_ms, to_ms)
    homes = {home.id: home_name(home, page.t) for home in overview.homes(page.sight)}
    top = max((one.gas_all_m3 or 0.0 for one in ranking.standings), default=0.0)
    paging = Paging.of(len(ranking.standings), FURNACES_A_PAGE, number)
    lines = [_line(page, one, known[one.furnace_id], homes, top) for one in paging.part(ranking.standings)]
    return page.render(
        "energy.html",
        "energy",
        spans=list(Span),
        span=span,
        from_ms=from_ms,
        to_ms=to_ms,
        ranking=ranking,
        lines=lines,
        paging=paging,
        cremations=sum(one.cremations for one in ranking.standings),
        avoidable=sum(one.avoidable_cold_starts for one in ranking.standings),
        factor=f"{page.here.config.cremations.co2_kg_per_m3:g}",
        decimal=told(1),
        whole=told(0),
    )


def told(decimals: int) -> Callable[[float | None], str]:
    """What writes figures with so many decimals, a dash where there is none."""
    return lambda value: "–" if value is None else f"{value:,.{decimals}f}"


def _line(page: Page, one: Standing, row: FurnaceRow, homes: dict[str, str], top: float) -> Line:
    name, href = furnace_name(row, page.t), f"{furnace_href(row.home_id, row.name)}/cremations"
    return Line(one, name, homes.get(row.home_id, row.home_id), href, _bar(one, top))


def _bar(one: Standing, top: float) -> Bar | None:
    if one.gas_all_m3 is None or one.gas_m3 is None or not top:
        return None
    burned = 100.0 * one.gas_m3 / top
    return Bar(round(burned, 1), round(max(0.0, 100.0 * one.gas_all_m3 / top - burned), 1))
