"""The page with a furnace's cremations of a day: each with its curves and its figures."""

from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec
import numpy as np
from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from edge_agent.wire.durations import DAY_MS, MINUTE_MS
from ingest_service.api.page.alarm_view import furnace_href, home_href
from ingest_service.api.page.curve_picture import Curves, Picture, picture
from ingest_service.api.page.formats import duration, number, unit_text
from ingest_service.api.page.furnace import Place
from ingest_service.api.page.rendering import AnyPage, Page
from ingest_service.api.page.tiles import furnace_name, home_name
from ingest_service.api.snapshot import found_furnace, found_home
from ingest_service.columns import Float64s
from ingest_service.store import overview
from ingest_service.store.batch import MeanBatch
from ingest_service.store.cycles import CycleRow, cycles_of

_DRAWN = ("chamber2_temperature", "flue_o2", "co")
FIGURES = (
    "chamber2_least", "below", "co_peak", "co_half_hour", "co_first_hour", "co_mean", "gas", "electricity", "co2",
)  # fmt: skip
_MASSES = ("co", "so2", "nox", "hcl", "dust")

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

Until = Annotated[int | None, Query(ge=0, le=10**14, description="ms since 1970 UTC: the end of the day shown")]


class Figure(msgspec.Struct, frozen=True):
    """One figure of a cremation; `key` is its name's text."""

    key: str
    text: str
    unit: str
    is_short: bool = False  # beyond what it should be


class Mass(msgspec.Struct, frozen=True):
    """What left the stack of one pollutant."""

    quantity: str
    text: str


class CremationView(msgspec.Struct, frozen=True):
    """One cremation as the page shows it."""

    row: CycleRow
    picture: Picture
    span: str
    length: str
    figures: list[Figure]
    masses: list[Mass]


@router.get("/homes/{home}/furnaces/{furnace}/cremations")
def show_cremations(home: str, furnace: str, page: AnyPage, until: Until = None) -> HTMLResponse:
    """Those of the 24 hours up to `until`, or up to now, newest first."""
    home_row, row = found_home(page.sight, home), found_furnace(page.sight, home, furnace)
    end_ms = min(until or page.now_ms, page.now_ms)
    found = cycles_of(page.sight, [row.id], end_ms - DAY_MS, end_ms)
    base = f"{furnace_href(home, furnace)}/cremations"
    later_ms = end_ms + DAY_MS
    return page.render(
        "cremations.html",
        "furnace",
        home=Place(home_href(home), home_name(home_row, page.t)),
        furnace=Place(furnace_href(home, furnace), furnace_name(row, page.t)),
        from_ms=end_ms - DAY_MS,
        until_ms=end_ms,
        cremations=list(reversed(list(views(page, row.id, found)))),
        earlier=f"{base}?until={end_ms - DAY_MS}",
        later="" if end_ms >= page.now_ms else f"{base}?until={later_ms}" if later_ms < page.now_ms else base,
    )


def views(page: Page, furnace_id: int, found: Sequence[CycleRow]) -> Iterator[CremationView]:
    """Each cremation with its curves."""
    if not found:
        return
    series = {known.quantity: known.id for known in reversed(overview.series(page.sight, [furnace_id]))}
    drawn = [series.get(name, -1) for name in _DRAWN]
    from_ms = min(one.start_ms for one in found) // MINUTE_MS * MINUTE_MS
    to_ms = max(one.end_ms for one in found)
    means = page.here.store.means(MINUTE_MS, [one for one in drawn if one >= 0], from_ms, to_ms)
    for one in found:
        yield view(page, one, curves_of(one, drawn, means))


def view(page: Page, row: CycleRow, curves: Curves) -> CremationView:
    """One cremation in words."""
    clock = page.clock
    span = f"{clock.at(row.start_ms):%m-%d %H:%M}–{clock.at(row.end_ms):%H:%M}"
    length = duration(row.end_ms - row.start_ms, page.t)
    return CremationView(row, picture(row, curves), span, length, list(figures(row)), list(masses(row)))


def curves_of(row: CycleRow, series: Sequence[int], means: MeanBatch) -> Curves:
    """The minutes of a cremation."""
    start_ms = row.start_ms // MINUTE_MS * MINUTE_MS
    length = -(-(row.end_ms - start_ms) // MINUTE_MS)

    def column(one: int) -> Float64s:
        mine = (means.series == one) & (means.start_ms >= start_ms) & (means.start_ms < row.end_ms)
        values = np.full(length, np.nan)
        values[(means.start_ms[mine] - start_ms) // MINUTE_MS] = means.mean[mine]
        return values

    return Curves(start_ms, *(column(one) for one in series))


def figures(row: CycleRow) -> Iterator[Figure]:
    """The figures that are known, in the page's order."""
    short = bool(row.chamber2_below_s)
    known = (
        (row.chamber2_least_c, "°C", short),
        (row.chamber2_below_s, "s", short),
        (row.co_peak, "mg/m3", False),
        (row.co_half_hour, "mg/m3", False),
        (row.co_first_hour, "mg/m3", False),
        (row.co_mean, "mg/m3", False),
        (row.gas_m3, "m3", False),
        (row.electricity_kwh, "kWh", False),
        (row.co2_kg, "kg", False),
    )
    for key, (value, unit, is_short) in zip(FIGURES, known, strict=True):
        if value is not None:
            yield Figure(key, _figure_text(value, unit), unit_text(unit), is_short)


def _figure_text(value: float, unit: str) -> str:
    """Seconds whole, kilograms with one decimal, the rest as everywhere."""
    return f"{value:,.0f}" if unit == "s" else f"{value:,.1f}" if unit == "kg" else number(value, unit)


def masses(row: CycleRow) -> Iterator[Mass]:
    """What left the stack, as far as its flow is known."""
    for name in _MASSES:
        value: float | None = getattr(row, f"{name}_g")
        if value is not None:
            yield Mass(name, f"{value:.1f}" if value < 100 else f"{value:.0f}")
