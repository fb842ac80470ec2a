"""The means of a span against their limit as bars: hours of a day, days of a month, months of a year. Pure."""

from collections.abc import Sequence

import msgspec

from edge_agent.wire.durations import HOUR_MS
from ingest_service.emissions.averages import Averaging
from ingest_service.emissions.limits import Verdict
from ingest_service.emissions.local_hours import hour_start_ms
from ingest_service.emissions.vocabulary import Bound
from ingest_service.reports.model import FurnacePart, LimitLine, Report
from ingest_service.reports.span import Kind
from ingest_service.reports.statistics import is_lost, subject_of
from ingest_service.reports.telling import Telling, unit

HEIGHT, FLOOR, TOP = 130, 110, 14
WIDTH, LEFT = 640, 4
_HEADROOM = 1.25


class Bar(msgspec.Struct, frozen=True):
    """One period: `level` is within, over or lost; a lost one has no height. `words` say what it shows."""

    x: float
    y: float
    width: float
    height: float
    level: str
    words: str


class Tick(msgspec.Struct, frozen=True):
    """A name below the bars."""

    x: float
    text: str


class Chart(msgspec.Struct, frozen=True):
    """The bars of one limit of one furnace; `limit_y` is where its line lies."""

    title: str
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    limit_y: float
    limit: str


class _Point(msgspec.Struct, frozen=True):
    start_ms: int
    value: float | None
    level: str


def charts_of(report: Report, part: FurnacePart, tell: Telling) -> list[Chart]:
    """A chart a limit on clock hours, of those that had anything to show."""
    lines = [line for line in part.limits if line.subject.averaging == Averaging.CLOCK_HOUR]
    found = [(line, _points(report, part, line)) for line in lines]
    return [_chart(report, line, points, tell) for line, points in found if points and line.valid]


def _points(report: Report, part: FurnacePart, line: LimitLine) -> list[_Point]:
    """Hour means, or the worst hour of each day or month."""
    if report.span.kind in (Kind.MONTH, Kind.YEAR):
        own = [one for one in part.parts if one.subject == line.subject]
        return [_Point(one.start_ms, one.highest, "over" if one.exceeded else "within") for one in own]
    periods = [period for period in part.hours if subject_of(period) == line.subject]
    over = Verdict.EXCEEDED.label
    return [
        _Point(one.start_ms, one.mean, "lost" if is_lost(one) else "over" if one.verdict == over else "within")
        for one in periods
    ]


def _chart(report: Report, line: LimitLine, points: Sequence[_Point], tell: Telling) -> Chart:
    values = [point.value for point in points if point.value is not None]
    scale = (FLOOR - TOP) / (max([line.subject.limit, *values]) * _HEADROOM)
    slots = _slots(report, tell)
    width = (WIDTH - 2 * LEFT) / len(slots)
    places = {slot: place for place, slot in enumerate(slots)}
    bars = [
        _bar(point, LEFT + places[slot] * width, width, scale, line, tell)
        for point in points
        if (slot := _slot(report, point.start_ms, tell)) in places
        and (point.value is not None or point.level == "lost")
    ]
    return Chart(
        title=f"{tell.pollutant(line.subject.pollutant)} {unit(line.subject.unit)}",
        bars=tuple(bars),
        ticks=tuple(Tick(LEFT + place * width, slot) for place, slot in enumerate(slots) if place % 2 == 0),
        limit_y=round(FLOOR - line.subject.limit * scale, 1),
        limit=tell.limit(line.subject, Bound(line.bound)),
    )


def _bar(point: _Point, x: float, width: float, scale: float, line: LimitLine, tell: Telling) -> Bar:
    height = round(max(0.0, point.value or 0.0) * scale, 1)
    told = tell.words("report.no_mean") if point.value is None else f"{point.value:.1f} {unit(line.subject.unit)}"
    words = f"{tell.iso(point.start_ms)} {told}"
    return Bar(round(x + 1, 1), round(FLOOR - height, 1), round(width - 2, 1), height, point.level, words)


def _slots(report: Report, tell: Telling) -> list[str]:
    """The names of every bar's place, in order; a step begins in the middle of a day or month, whatever its length."""
    shape, step_ms = _shape(report)
    whole_ms = hour_start_ms(report.span.from_ms, tell.zone)
    first_ms = whole_ms if step_ms == HOUR_MS else whole_ms + step_ms // 2
    at_ms = range(first_ms, report.span.to_ms, step_ms)
    return list(dict.fromkeys(tell.at(one).strftime(shape) for one in at_ms))


def _slot(report: Report, at_ms: int, tell: Telling) -> str:
    return tell.at(at_ms).strftime(_shape(report)[0])


def _shape(report: Report) -> tuple[str, int]:
    """How a place is named, and a step (ms) that leaves none out."""
    match report.span.kind:
        case Kind.MONTH:
            return "%d", 24 * HOUR_MS
        case Kind.YEAR:
            return "%m", 28 * 24 * HOUR_MS
        case _:
            return "%H", HOUR_MS
