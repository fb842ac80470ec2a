"""The page that shows how complete a day of a furnace is: what came, what is missing, and why."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from edge_agent.wire.durations import DAY_MS, HOUR_MS
from ingest_service.api.completeness import read_completeness, whole_hours
from ingest_service.api.coverage import HourCoverage, together, whole
from ingest_service.api.page.alarm_view import furnace_href, home_href
from ingest_service.api.page.formats import Clock, duration
from ingest_service.api.page.furnace import Place
from ingest_service.api.page.rendering import AnyPage, Page
from ingest_service.api.page.shown import series_name
from ingest_service.api.page.texts import Texts
from ingest_service.api.page.tiles import furnace_name, home_name
from ingest_service.api.snapshot import found_furnace, found_home
from ingest_service.store.gaps import KnownGap
from ingest_service.store.overview import KnownSeries

WHOLE, MOST, LITTLE = 0.9995, 0.9, 0.5
_HEIGHT = 12  # of a full bar of the strip
_FROM_THE_BEGINNING = 0

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

Until = Annotated[int | None, Query(ge=0, le=10**14, description="ms since 1970 UTC: the end of the day shown")]


class Bar(msgspec.Struct, frozen=True):
    """One hour in a strip: `height` of 12 is full. `level` names how much of it is covered."""

    level: str
    height: float


class HourLine(msgspec.Struct, frozen=True):
    """One hour of the furnace in words; `why` is "" where nothing is missing."""

    start_ms: int
    label: str
    bar: Bar
    share: str
    why: str


class TagLine(msgspec.Struct, frozen=True):
    """One tag's day."""

    name: str
    bars: list[Bar]
    share: str
    received: str
    expected: str
    late: str
    why: str


class GapLine(msgspec.Struct, frozen=True):
    """One gap record in words."""

    span: str
    where: str
    reason: str
    samples: str


@router.get("/homes/{home}/furnaces/{furnace}/completeness")
def show_completeness(home: str, furnace: str, page: AnyPage, until: Until = None) -> HTMLResponse:
    """The 24 hours up to `until`, or up to now."""
    home_row, row = found_home(page.sight, home), found_furnace(page.sight, home, furnace)
    end_ms = -(-min(until or page.now_ms, page.now_ms) // HOUR_MS) * HOUR_MS
    span = whole_hours(page.here, end_ms - DAY_MS, end_ms)
    found = read_completeness(page.here, page.sight, row, span)
    hours, base = together(found.tags), f"{furnace_href(home, furnace)}/completeness"
    return page.render(
        "completeness.html",
        "furnace",
        home=Place(home_href(home), home_name(home_row, page.t)),
        furnace=Place(furnace_href(home, furnace), furnace_name(row, page.t)),
        day=page.clock.full(span.from_ms)[:16],
        earlier=f"{base}?until={span.from_ms}",
        later=f"{base}?until={end_ms + DAY_MS}" if end_ms < page.now_ms else "",
        summary=why_of(whole(hours), page.t) if hours else "",
        share=share_of(whole(hours)) if hours else "",
        hours=[hour_line(hour, page.clock, page.t) for hour in hours],
        tags=[tag_line(series, tag, page.t) for series, tag in zip(found.series, found.tags, strict=True)],
        gaps=[gap_line([gap], page) for gap in found.gaps],
    )


def hour_line(hour: HourCoverage, clock: Clock, t: Texts) -> HourLine:
    """That hour; seconds are those of all tags together."""
    label = clock.at(hour.start_ms).strftime("%H:%M")
    return HourLine(hour.start_ms, label, bar_of(hour), share_of(hour), why_of(hour, t))


def tag_line(series: KnownSeries, hours: Sequence[HourCoverage], t: Texts) -> TagLine:
    """That tag's day in figures."""
    day = whole(hours)
    return TagLine(
        name=series_name(series, t),
        bars=[bar_of(hour) for hour in hours],
        share=share_of(day),
        received=f"{day.received:,}",
        expected="–" if not series.period_s else f"{day.expected_samples or 0:,}",
        late=f"{day.late:,}",
        why=why_of(day, t),
    )


def bar_of(hour: HourCoverage) -> Bar:
    """How much of the hour is covered."""
    if not hour.expected_s:
        return Bar("none", 0)
    share = hour.covered_share
    level = "whole" if share >= WHOLE else "most" if share >= MOST else "some" if share >= LITTLE else "little"
    return Bar(level, round(_HEIGHT * share, 1))


def share_of(hour: HourCoverage) -> str:
    """The covered share, never rounded up to all of it."""
    if not hour.expected_s:
        return "–"
    return "100 %" if hour.covered_share >= WHOLE else f"{min(99.9, hour.covered_share * 100):.1f} %"


def why_of(hour: HourCoverage, t: Texts) -> str:
    """What is not covered, by its reasons, in shares of what is expected; "" where it all is."""
    if not hour.expected_s or hour.covered_share >= WHOLE:
        return ""
    parts = [(t.known("gap", share.reason), share.seconds) for share in hour.gaps]
    parts += [(t("coverage.bad"), hour.bad_s), (t("coverage.unknown"), hour.unknown_s)]
    told = [f"{name} {seconds / hour.expected_s * 100:.1f} %" for name, seconds in parts if seconds >= 1]
    return t("coverage.and").join(told)


def gap_line(alike: Sequence[KnownGap], page: Page, place: str = "") -> GapLine:
    """Records that differ in their device only, `place` before it; a beginning that nobody knows is said to be so."""
    gap, end = alike[0], page.clock.full(alike[0].to_ms)[:19]
    if gap.from_ms == _FROM_THE_BEGINNING:
        span = page.t("coverage.until", end=end)
    else:
        lasted = duration(gap.to_ms - gap.from_ms, page.t)
        span = page.t("coverage.span", start=page.clock.full(gap.from_ms)[:19], end=end[11:], lasted=lasted)
    devices = sorted(one.device or page.t("coverage.whole_edge", edge=one.edge) for one in alike)
    channels = f" ({', '.join(gap.channels)})" if gap.channels else ""
    samples = sum(one.samples for one in alike)
    reason = page.t.known("gap", gap.reason)
    return GapLine(span, place + ", ".join(devices) + channels, reason, f"{samples:,}" if samples else "–")
