"""JSON: what a series was: its means, its samples, and the trends of a furnace on one grid."""

import math
from enum import StrEnum
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query
from numpy.typing import NDArray

from edge_agent.wire.durations import HOUR_MS, MINUTE_MS
from ingest_service.api.access import Charts
from ingest_service.api.context import Here
from ingest_service.api.drawn import drawn_means, drawn_series
from ingest_service.api.errors import InvalidRequest, NotFound
from ingest_service.api.numbers import Number
from ingest_service.api.page.formats import zone_of
from ingest_service.api.readings import reason_of
from ingest_service.api.schemas import ErrorOut, JudgementOut, Out
from ingest_service.api.snapshot import found_furnace
from ingest_service.api.usual import Usual, usual_of
from ingest_service.emissions.averages import Averaging
from ingest_service.emissions.local_hours import hour_start_ms
from ingest_service.store import overview, trends
from ingest_service.store.batch import MeanBatch
from ingest_service.store.overview import KnownSeries, Reader

MAX_POINTS = 100_000
MAX_RAW_SPAN_MS = 24 * HOUR_MS
MAX_TREND_SPAN_MS = 7 * 24 * HOUR_MS

router = APIRouter(tags=["series"], responses={404: {"model": ErrorOut}, 422: {"model": ErrorOut}})

From = Annotated[int, Query(alias="from", ge=0, le=10**14, description="ms since 1970 UTC, included")]
To = Annotated[int, Query(alias="to", ge=0, le=10**14, description="ms since 1970 UTC, not included")]


class MeansOut(Out):
    """Means as parallel columns; null where nothing was valid. `covered` (0..1) is the share that a good value held."""

    series: int
    unit: str
    period_ms: int
    start_ms: list[int]
    mean: list[float | None]
    low: list[float | None]
    high: list[float | None]
    covered: list[float]


class RawOut(Out):
    """Samples as parallel columns; `value` is null where `quality` is bad."""

    series: int
    unit: str
    measured_at_ms: list[int]
    value: list[float | None]
    quality: list[str]


class UsualOut(Out):
    """Between which bounds the means of a quantity were expected; null where nothing was."""

    low: list[float | None]
    high: list[float | None]


class TrendLineOut(Out):
    """The minute means of one quantity on the grid of its trend; null where there is none."""

    quantity: str
    unit: str
    mean: list[float | None]
    usual: UsualOut | None = None


class TrendsOut(Out):
    """Minute means of a furnace on one grid, and the hours that were judged in it."""

    start_ms: list[int]
    lines: list[TrendLineOut]
    hours: list[JudgementOut]


class Period(StrEnum):
    """The period lengths of which means are kept."""

    MINUTE = "minute"
    HOUR = "hour"

    @property
    def length_ms(self) -> int:
        """Its length, ms."""
        return MINUTE_MS if self is Period.MINUTE else HOUR_MS


Points = Annotated[int | None, Query(ge=1, le=MAX_POINTS, description="chooses the period: at most so many means")]


@router.get("/series/{series}/means", summary="Minute or hour means of a series")
def show_means(
    series: Number,
    from_ms: From,
    to_ms: To,
    here: Here,
    sight: Charts,
    period: Period | None = None,
    points: Points = None,
) -> MeansOut:
    """The means that start in [from, to), at most 100,000: of minutes, unless `period` or `points` ask for hours."""
    known = _found_series(sight, series)
    period = period or finest_period(to_ms - from_ms, points)
    _check_span(from_ms, to_ms, MAX_POINTS * period.length_ms, f"{MAX_POINTS} {period} means")
    batch = here.store.means(period.length_ms, [series], from_ms, to_ms)
    return MeansOut(
        series=series,
        unit=known.unit,
        period_ms=period.length_ms,
        start_ms=batch.start_ms.tolist(),
        mean=_nullable(batch.mean),
        low=_nullable(batch.low),
        high=_nullable(batch.high),
        covered=[round(float(share), 4) for share in batch.covered],
    )


@router.get("/series/{series}/raw", summary="Samples of a series as the edge sent them")
def show_raw(series: Number, from_ms: From, to_ms: To, here: Here, sight: Charts) -> RawOut:
    """The samples in [from, to): at most 24 hours and 100,000 samples."""
    known = _found_series(sight, series)
    _check_span(from_ms, to_ms, MAX_RAW_SPAN_MS, "24 hours of samples")
    batch = here.store.raw([series], from_ms, to_ms)
    if len(batch) > MAX_POINTS:
        raise InvalidRequest(
            f"{len(batch)} samples lie in that span; at most {MAX_POINTS} are sent: ask for a shorter one"
        )
    return RawOut(
        series=series,
        unit=known.unit,
        measured_at_ms=batch.measured_at_ms.tolist(),
        value=_nullable(batch.value),
        quality=[reason_of(int(code)).label for code in batch.reason],
    )


@router.get(
    "/homes/{home}/furnaces/{furnace}/trends", summary="Minute means of a furnace on one grid, with judged hours"
)
def show_trends(home: str, furnace: str, from_ms: From, to_ms: To, here: Here, sight: Charts) -> TrendsOut:
    """The quantities that the page draws, in [from, to), at most 7 days."""
    row = found_furnace(sight, home, furnace)
    _check_span(from_ms, to_ms, MAX_TREND_SPAN_MS, "7 days of trends")
    first_ms = from_ms - from_ms % MINUTE_MS
    grid = np.arange(first_ms, to_ms, MINUTE_MS, dtype=np.int64)
    known = overview.series(sight, [row.id])
    batch = drawn_means(here.store, known, MINUTE_MS, first_ms, to_ms)
    hours_from_ms = hour_start_ms(from_ms, zone_of(here.config))
    hours = trends.judgements(sight, row.id, hours_from_ms, to_ms, Averaging.CLOCK_HOUR)
    usual = usual_of(here.derived, row, first_ms, len(grid))
    return TrendsOut(
        start_ms=grid.tolist(),
        lines=[_line(one, batch, first_ms, len(grid), usual.get(one.quantity)) for one in drawn_series(known)],
        hours=[JudgementOut.model_validate(hour) for hour in hours],
    )


def finest_period(span_ms: int, points: int | None) -> Period:
    """The finest period of which a span holds at most so many; minutes where nobody minds, hours where none does."""
    return Period.MINUTE if points is None or span_ms <= points * MINUTE_MS else Period.HOUR


def _found_series(sight: Reader, series: int) -> KnownSeries:
    for known in overview.series(sight, series_ids=[series]):
        return known
    raise NotFound(f"no series {series}")


def _check_span(from_ms: int, to_ms: int, longest_ms: int, allowed: str) -> None:
    if to_ms <= from_ms:
        raise InvalidRequest("from must lie before to (both ms since 1970 UTC)")
    if to_ms - from_ms > longest_ms:
        raise InvalidRequest(f"the span from {from_ms} to {to_ms} is too long: at most {allowed} are sent at once")


def _line(known: KnownSeries, batch: MeanBatch, first_ms: int, length: int, usual: Usual | None) -> TrendLineOut:
    """The series' means at their places on the grid, and what they usually are."""
    mine = batch.series == known.id
    column = np.full(length, np.nan)
    column[(batch.start_ms[mine] - first_ms) // MINUTE_MS] = batch.mean[mine]
    bounds = UsualOut(low=_nullable(usual.low), high=_nullable(usual.high)) if usual else None
    return TrendLineOut(quantity=known.quantity, unit=known.unit, mean=_nullable(column), usual=bounds)


def _nullable(column: NDArray[np.float64]) -> list[float | None]:
    """JSON knows no NaN; four decimals are beyond any instrument here."""
    return [round(value, 4) if math.isfinite(value) else None for value in column.tolist()]
