"""The page of a furnace's compliance: a month's hours, its exceedances, marks, and the reports."""

from datetime import date, timedelta
from typing import Annotated
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from ingest_service.api.errors import InvalidRequest
from ingest_service.api.page.alarm_view import furnace_href, home_href
from ingest_service.api.page.calendar_view import (
    SIGNS,
    Found,
    JudgedCremation,
    calendar,
    cremation_counts,
    totals,
)
from ingest_service.api.page.formats import Clock, duration, number, unit_text
from ingest_service.api.page.furnace import Place
from ingest_service.api.page.hour_bar import pollutant_name
from ingest_service.api.page.levels import Level
from ingest_service.api.page.rendering import AnyPage, Page
from ingest_service.api.page.tiles import furnace_name, home_name
from ingest_service.api.snapshot import found_furnace, found_home
from ingest_service.emissions.averages import OF_ONE_CREMATION, Averaging
from ingest_service.emissions.marks import STATES
from ingest_service.emissions.pack import Limit
from ingest_service.emissions.vocabulary import Bound
from ingest_service.people.roles import Right
from ingest_service.reports.forms import Form as FileForm
from ingest_service.reports.overturned import Overturned, overturned
from ingest_service.reports.span import Kind, calendar_span
from ingest_service.store import trends
from ingest_service.store.cycles import cycles_of
from ingest_service.store.marks import MarkRow, marks_of
from ingest_service.store.remarks import ExceedanceCause, Remark, newest_on, remarks_on
from ingest_service.store.rows import FurnaceRow
from ingest_service.store.short_periods import short_periods
from ingest_service.store.trends import OverLimit

MOST_SHOWN = 500
_LONGEST_MS = 86_400_000  # no cremation lasts so long

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

Month = Annotated[str, Query(max_length=7, description="2026-11; this month where it is empty")]


class OverView(msgspec.Struct, frozen=True):
    """An exceedance with what a person said of it."""

    id: int
    name: str
    averaging: str
    start_ms: int
    end_ms: int
    lasted: str
    mean: str
    peak: str
    limit: str
    unit: str
    clause: str
    remark: Remark | None


class OverturnedView(msgspec.Struct, frozen=True):
    """An exceedance that holds no more: what it was, and as what it was judged again, when and why."""

    name: str
    averaging: str
    start_ms: int
    end_ms: int
    mean: str
    limit: str
    unit: str
    judged_at_ms: int
    reason: str
    verdict: str


class MarkView(msgspec.Struct, frozen=True):
    """A mark with its times as a form takes them."""

    row: MarkRow
    start: str
    end: str


class ReportLink(msgspec.Struct, frozen=True):
    """One report and where its files are."""

    name: str
    files: list[Place]


@router.get("/homes/{home}/furnaces/{furnace}/compliance")
def show_compliance(home: str, furnace: str, page: AnyPage, month: Month = "") -> HTMLResponse:
    """One month of one furnace."""
    home_row, row = found_home(page.sight, home), found_furnace(page.sight, home, furnace)
    first = _first_day(page, month)
    found = _on_record(page, row, first)
    remarks = remarks_on(page.sight, [row.id], *_bounds(page, first))
    rows = calendar(first, found, page.now_ms, page.clock, page.t)
    base = f"{furnace_href(home, furnace)}/compliance"
    earlier, later = (first - timedelta(days=1)).replace(day=1), (first + timedelta(days=31)).replace(day=1)
    return page.render(
        "compliance.html",
        "furnace",
        home=Place(home_href(home), home_name(home_row, page.t)),
        furnace=Place(furnace_href(home, furnace), furnace_name(row, page.t)),
        base=base,
        month=first.strftime("%Y-%m"),
        earlier=f"{base}?month={earlier:%Y-%m}",
        later=f"{base}?month={later:%Y-%m}" if page.clock.midnight_ms(later) <= page.now_ms else "",
        days=rows,
        totals=totals(rows),
        burned=cremation_counts(found.cremations, *_bounds(page, first), page.t),
        abnormal=[cell.words for day in rows for cell in day.cells if cell.level in (Level.LOST, Level.EXCEEDED)],
        legend=[(SIGNS[level], level) for level in Level if SIGNS[level]],
        reports_of_days={day.label: _day_report(home, furnace, day.label, page) for day in rows},
        exceedances=[_over(one, remarks, page) for one in found.exceedances],
        overturned=[
            _overturned(one, page) for one in overturned(trends.revisions(page.sight, row.id, *_bounds(page, first)))
        ],
        causes=list(ExceedanceCause),
        marks_found=[_mark(one, page.clock) for one in found.marks],
        states=list(STATES),
        reports=_report_links(page, row, first),
        may_mark=page.may_at(Right.MARK, home),
        now=page.clock.at(page.now_ms).strftime("%Y-%m-%dT%H:%M"),
    )


def _first_day(page: Page, month: str) -> date:
    """The first day of a month, of this one where none is named. Raises InvalidRequest."""
    if not month:
        return page.clock.at(page.now_ms).date().replace(day=1)
    try:
        return page.clock.at(calendar_span(Kind.MONTH, month, page.clock.zone).from_ms).date()
    except ValueError as error:
        raise InvalidRequest(str(error)) from error


def _bounds(page: Page, first: date) -> tuple[int, int]:
    span = calendar_span(Kind.MONTH, first.strftime("%Y-%m"), page.clock.zone)
    return span.from_ms, span.to_ms


def _on_record(page: Page, furnace: FurnaceRow, first: date) -> Found:
    bounds = _bounds(page, first)
    return Found(
        periods=trends.judgements(page.sight, furnace.id, *bounds, Averaging.CLOCK_HOUR),
        cremations=_judged_cremations(page, furnace, *bounds),
        short=short_periods(page.sight, furnace.id, *bounds),
        minima=_minima(page),
        known_before=trends.judged_before(page.sight, furnace.id, bounds[0]),
        exceedances=trends.exceedances(page.sight, None, furnace.id, *bounds, MOST_SHOWN),
        marks=marks_of(page.sight, [furnace.id], *bounds),
        needed_minutes={pack.key: pack.validity.valid_minutes for pack in page.here.packs},
    )


def _minima(page: Page) -> frozenset[tuple[str, str, str]]:
    """Rule, pollutant and averaging of the limits from below."""
    limits = [(pack, limit) for pack in page.here.packs for limit in pack.limit if limit.bound is Bound.AT_LEAST]
    return frozenset((pack.key, str(limit.pollutant), str(limit.averaging)) for pack, limit in limits)


def _judged_cremations(page: Page, furnace: FurnaceRow, from_ms: int, to_ms: int) -> list[JudgedCremation]:
    """The cremations that began in the month, as far as a limit asks for means of single ones."""
    periods = trends.judgements(page.sight, furnace.id, from_ms, to_ms + _LONGEST_MS, *OF_ONE_CREMATION)
    if not periods:
        return []
    burned = [one for one in cycles_of(page.sight, [furnace.id], from_ms, to_ms) if from_ms <= one.start_ms < to_ms]
    return [
        JudgedCremation(one.start_ms, [period for period in periods if one.start_ms <= period.start_ms < one.end_ms])
        for one in burned
    ]


def _over(found: OverLimit, remarks: list[Remark], page: Page) -> OverView:
    packs = page.here.packs
    limit = next(
        (limit for pack in packs if pack.key == found.rule for limit in pack.limit if _same(limit, found)), None
    )
    return OverView(
        id=found.id,
        name=pollutant_name(found.pollutant, page.t),
        averaging=page.t.known("averaging", found.averaging),
        start_ms=found.start_ms,
        end_ms=found.end_ms,
        lasted=duration(found.end_ms - found.start_ms, page.t),
        mean=number(found.mean, found.unit),
        peak=number(found.peak, found.unit),
        limit=number(found.limit, found.unit).removesuffix(".0"),
        unit=unit_text(found.unit),
        clause=page.t.either(limit.clause_zh, limit.clause_en) if limit else found.clause,
        remark=newest_on(remarks, found),
    )


def _overturned(found: Overturned, page: Page) -> OverturnedView:
    before, now, t = found.before, found.now, page.t
    return OverturnedView(
        name=pollutant_name(before.pollutant, t),
        averaging=t.known("averaging", before.averaging),
        start_ms=before.start_ms,
        end_ms=before.end_ms,
        mean="–" if before.mean is None else number(before.mean, before.unit),
        limit=number(before.limit, before.unit).removesuffix(".0"),
        unit=unit_text(before.unit),
        judged_at_ms=now.computed_at_ms,
        reason=t.known("revision_reason", now.revision_reason),
        verdict=t.known("verdict", now.verdict),
    )


def _same(limit: Limit, found: OverLimit) -> bool:
    return (limit.pollutant, limit.averaging) == (found.pollutant, found.averaging)


def _mark(row: MarkRow, clock: Clock) -> MarkView:
    start, end = (clock.at(at_ms).strftime("%Y-%m-%dT%H:%M") for at_ms in (row.start_ms, row.end_ms))
    return MarkView(row, start, end)


def _report_links(page: Page, furnace: FurnaceRow, first: date) -> list[ReportLink]:
    """The month's and the year's reports of the furnace, and the month's of the home."""
    month, year = (Kind.MONTH, first.strftime("%Y-%m")), (Kind.YEAR, first.strftime("%Y"))
    own = quote(furnace.name, safe="")
    return [
        _report_link(page, furnace, month, f"furnace={own}&", page.t("compliance.report_month", label=month[1])),
        _report_link(page, furnace, year, f"furnace={own}&", page.t("compliance.report_year", label=year[1])),
        _report_link(page, furnace, month, "", page.t("compliance.report_home", label=month[1])),
    ]


def _report_link(page: Page, furnace: FurnaceRow, which: tuple[Kind, str], query: str, name: str) -> ReportLink:
    base = f"/api/v1{home_href(furnace.home_id)}/reports/{which[0]}/{which[1]}?{query}lang={page.locale}"
    return ReportLink(name, [Place(f"{base}&format={form}", form.upper()) for form in FileForm])


def _day_report(home: str, furnace: str, day: str, page: Page) -> str:
    return f"/api/v1{home_href(home)}/reports/{Kind.DAY}/{day}?furnace={quote(furnace, safe='')}&lang={page.locale}"
