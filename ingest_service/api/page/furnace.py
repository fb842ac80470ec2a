"""The page of one furnace: what it does now, how that came about, and how its hours were judged."""

from collections.abc import Sequence

import msgspec
import numpy as np
from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from edge_agent.wire.durations import DAY_MS, HOUR_MS
from edge_agent.wire.quantity import PHASES, Concern, quantities
from ingest_service.api.drawn import drawn_means, drawn_series
from ingest_service.api.page.alarm_mark import marks_by_series
from ingest_service.api.page.alarm_view import alarm_view, furnace_href, home_href, urgency
from ingest_service.api.page.charge_view import charge_view
from ingest_service.api.page.emission_view import EMISSIONS, emissions_of, pollution_of
from ingest_service.api.page.formats import duration
from ingest_service.api.page.hours import HoursTable, hours_table
from ingest_service.api.page.rendering import AnyPage, Page
from ingest_service.api.page.shown import Shown, shown
from ingest_service.api.page.standing import standing_of
from ingest_service.api.page.tiles import doubt_text, furnace_name, home_name
from ingest_service.api.page.trend_view import Range, TrendView, plots_of, span_of, table_of, trends_url
from ingest_service.api.readings import Reading, Trust
from ingest_service.api.snapshot import found_furnace, found_home, furnace_readings
from ingest_service.emissions.averages import Averaging
from ingest_service.emissions.local_hours import hour_start_ms
from ingest_service.emissions.rulepack import Limit, RulePack
from ingest_service.emissions.vocabulary import Bound
from ingest_service.store import journal, trends
from ingest_service.store.overview import KnownSeries
from ingest_service.store.rows import FurnaceRow

PHASE_LOOKBACK_MS = 6 * HOUR_MS

# What stands where on the page. A quantity that is in none of these, or a channel without one, goes under "other".
GROUPS: dict[str, tuple[str, ...]] = {
    "combustion": ("chamber1_temperature", "chamber2_temperature", "chamber_draught", "flue_o2", "opacity"),
    "gas_path": (
        "stack_temperature", "stack_pressure", "stack_velocity", "stack_moisture", "cooler_outlet_temperature",
        "filter_inlet_temperature", "filter_pressure_drop", "lime_dosing", "carbon_dosing", "combustion_fan_frequency",
        "induced_fan_frequency", "induced_fan_current", "no", "no2",
    ),
    "doors": (
        "charge_door_open", "ash_door_open", "trolley_in", "burner1_on", "burner2_on", "burner1_modulation",
        "burner2_modulation",
    ),
    "utilities": ("gas_flow", "gas_total", "electricity_power", "electricity_total", "cremations_total"),
    "other": (),
}  # fmt: skip

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


class Place(msgspec.Struct, frozen=True):
    """Something with a page of its own."""

    href: str
    name: str


class PhaseView(msgspec.Struct, frozen=True):
    """The present phase; `code` is None while it is not known, `since_ms` None where its beginning is."""

    shown: Shown
    code: int | None
    since_ms: int | None
    span: str


class Group(msgspec.Struct, frozen=True):
    """Values that belong together; `key` is the heading's text."""

    key: str
    values: list[Shown]


@router.get("/homes/{home}/furnaces/{furnace}")
def show_furnace(home: str, furnace: str, page: AnyPage, range: Range = Range.SIX_HOURS) -> HTMLResponse:
    """One furnace; `range` is the span of its curves."""
    home_row, row = found_home(page.sight, home), found_furnace(page.sight, home, furnace)
    found = furnace_readings(page.here, page.sight, [row.id])
    alarms = sorted(journal.open_alarms(page.sight, furnace_id=row.id), key=urgency)
    packs = page.here.book.of(home, furnace)
    limits = limits_in_force(packs)
    emissions = emissions_of(page, row, found, limits)
    series = [reading.series for reading in found]
    marked = marks_by_series(alarms, series, page.now_ms, page.clock, page.t)
    return page.render(
        "furnace.html",
        "furnace",
        f"furnace={row.id}",
        home=Place(home_href(home), home_name(home_row, page.t)),
        furnace=Place(furnace_href(home, furnace), furnace_name(row, page.t)),
        alarms=[alarm_view(alarm, page.now_ms, page.clock, page.t) for alarm in alarms],
        clock_doubt=doubt_text(found, page.now_ms, page.t),
        phase=phase_view(page, found),
        charge=charge_view(page, row.id),
        phases=list(PHASES.items()),
        marked=marked,
        emissions=emissions,
        standing=standing_of(pollution_of(emissions, marked), page.t),
        groups=groups_of(page, found),
        hour_start_ms=hour_start_ms(page.now_ms, page.clock.zone),
        trend=trend_of(page, row, series, limits, range),
        hours=judged_hours(page, row, limits),
        reference_o2=reference_text(packs),
        rules=[page.t.either(pack.title_zh, pack.title_en) for pack in packs],
    )


def reference_text(packs: Sequence[RulePack]) -> str:
    """The reference oxygen of the first pack that converts anything, % vol."""
    return next((f"{pack.reference_o2_pct:g}" for pack in packs if pack.reference_o2_pct is not None), "–")


def limits_in_force(packs: Sequence[RulePack]) -> list[Limit]:
    """The strictest upper limit of each pollutant's hour mean, in the packs' order."""
    strictest: dict[str, Limit] = {}
    hourly = (limit for pack in packs for limit in pack.judged if limit.averaging is Averaging.CLOCK_HOUR)
    for limit in (limit for limit in hourly if limit.bound is not Bound.AT_LEAST):
        known = strictest.get(limit.pollutant)
        strictest[limit.pollutant] = limit if known is None or limit.limit < known.limit else known
    return list(strictest.values())


def phase_view(page: Page, found: Sequence[Reading]) -> PhaseView | None:
    """The present phase and how long it has lasted; None where the furnace reports no phase."""
    reading = next((one for one in found if one.series.quantity == "phase"), None)
    if reading is None:
        return None
    known = reading.value is not None and reading.trust(page.now_ms) in (Trust.LIVE, Trust.UNCERTAIN)
    since_ms = phase_since(page, reading) if known else None
    return PhaseView(
        shown=shown(reading, page.now_ms, page.t),
        code=round(reading.value) if known and reading.value is not None else None,
        since_ms=since_ms,
        span="" if since_ms is None else duration(page.now_ms - since_ms, page.t),
    )


def phase_since(page: Page, reading: Reading) -> int | None:
    """The time from which the phase has been what it is; None where that lies further back than we look."""
    batch = page.here.store.raw([reading.series.id], page.now_ms - PHASE_LOOKBACK_MS, page.now_ms + 1)
    others = np.flatnonzero(np.isfinite(batch.value) & (batch.value != reading.value))
    if not len(others):
        return None
    after = batch.measured_at_ms[others[-1] + 1 :]
    return int(after[0]) if len(after) else reading.measured_at_ms


def groups_of(page: Page, found: Sequence[Reading]) -> list[Group]:
    """The values that tell of the furnace, in their groups; those that only their edge can name stand under "other"."""
    placed = {quantity: key for key, members in GROUPS.items() for quantity in members}
    order = {quantity: place for place, quantity in enumerate(placed)}
    elsewhere = {*EMISSIONS, "phase", *technical_quantities()}
    rest = [one for one in found if one.series.quantity not in elsewhere]
    rest.sort(key=lambda one: (order.get(one.series.quantity, len(order)), one.series.id))
    by_group: dict[str, list[Shown]] = {key: [] for key in GROUPS}
    for reading in rest:
        by_group[placed.get(reading.series.quantity, "other")].append(shown(reading, page.now_ms, page.t))
    return [Group(key, values) for key, values in by_group.items() if values]


def technical_quantities() -> list[str]:
    """The quantities that tell nothing of the furnace."""
    return [name for name, known in quantities().items() if known.concerns is Concern.MEASURING]


def judged_hours(page: Page, furnace: FurnaceRow, limits: Sequence[Limit]) -> HoursTable:
    """Yesterday and today."""
    from_ms = page.clock.day_start_ms(page.now_ms, 1)
    periods = trends.judgements(page.sight, furnace.id, from_ms, page.now_ms, Averaging.CLOCK_HOUR)
    needed = {pack.key: pack.validity.valid_minutes for pack in page.here.packs}
    return hours_table(periods, limits, page.now_ms, page.clock, page.t, needed)


def trend_of(
    page: Page, furnace: FurnaceRow, series: Sequence[KnownSeries], limits: Sequence[Limit], wanted: Range
) -> TrendView:
    """The curves of the wanted span, and the hour means of the last day as their table."""
    from_ms, to_ms = span_of(wanted, page.now_ms, page.clock)
    drawn = drawn_series(series)
    hours = drawn_means(page.here.store, series, HOUR_MS, min(from_ms, page.now_ms - DAY_MS), to_ms)
    return TrendView(
        url=trends_url(furnace.home_id, furnace.name),
        from_ms=from_ms,
        to_ms=to_ms,
        follows=wanted is not Range.YESTERDAY,
        range=wanted,
        ranges=list(Range),
        plots=plots_of(series, limits, page.t),
        table=table_of(drawn, hours, page.clock, page.t),
    )
