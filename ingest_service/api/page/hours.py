"""The table of judged hours: a row an hour, a column a pollutant. Pure."""

from collections.abc import Sequence
from itertools import groupby

import msgspec

from ingest_service.api.page.formats import HOUR_MS, Clock, number
from ingest_service.api.page.texts import Texts
from ingest_service.emissions.rulepack import Limit
from ingest_service.store.trends import JudgedPeriod

NOT_JUDGED = "not_judged"
Hour = tuple[int, list[JudgedPeriod | None]]


class Column(msgspec.Struct, frozen=True):
    """A pollutant and its limit."""

    name: str
    limit: str


class Cell(msgspec.Struct, frozen=True):
    """What became of one pollutant in one hour; `why` is the cause in words, "" where there is none."""

    verdict: str
    mean: str
    valid_minutes: int
    why: str


class HourRow(msgspec.Struct, frozen=True):
    """One hour, or a run of hours of a day that were not judged for one and the same `cause`."""

    start_ms: int
    label: str
    cells: list[Cell]
    cause: str


class Day(msgspec.Struct, frozen=True):
    """One day of the table."""

    label: str
    rows: list[HourRow]


class HoursTable(msgspec.Struct, frozen=True):
    """The whole table, newest hour first."""

    columns: list[Column]
    days: list[Day]


def hours_table(
    periods: Sequence[JudgedPeriod], limits: Sequence[Limit], now_ms: int, clock: Clock, t: Texts
) -> HoursTable:
    """The periods of yesterday and today under the limits in force."""
    strictest = {(p.start_ms, p.pollutant): p for p in sorted(periods, key=lambda period: -period.limit)}
    starts = sorted({period.start_ms for period in periods}, reverse=True)
    by_hour: list[Hour] = [(start, [strictest.get((start, limit.pollutant)) for limit in limits]) for start in starts]
    days = groupby(by_hour, key=lambda hour: clock.day_start_ms(hour[0]))
    return HoursTable(
        columns=[_column(limit, t) for limit in limits],
        days=[Day(_day_label(day_ms, now_ms, clock, t), _rows(list(hours), clock, t)) for day_ms, hours in days],
    )


def _rows(by_hour: Sequence[Hour], clock: Clock, t: Texts) -> list[HourRow]:
    """Hours that were not judged at all are drawn together, as long as their cause is the same."""
    rows: list[HourRow] = []
    for cause, hours in groupby(by_hour, key=lambda hour: _common_cause(hour[1])):
        run = list(hours)
        if cause:
            rows.append(HourRow(run[-1][0], _span_label(run[-1][0], run[0][0], clock), [], t.known("cause", cause)))
        else:
            rows += [HourRow(start, _label(start, clock), [_cell(p, t) for p in cells], "") for start, cells in run]
    return rows


def _common_cause(cells: Sequence[JudgedPeriod | None]) -> str:
    """The one cause for which nothing was judged in this hour, "" where anything was or the causes differ."""
    causes = {cell.cause if cell and cell.verdict == NOT_JUDGED else "" for cell in cells}
    return causes.pop() if len(causes) == 1 else ""


def _cell(period: JudgedPeriod | None, t: Texts) -> Cell:
    if period is None or period.verdict == NOT_JUDGED:
        cause = t.known("cause", period.cause) if period and period.cause else ""
        return Cell(NOT_JUDGED, "–", period.valid_minutes if period else 0, cause)
    mean = "–" if period.mean is None else number(period.mean, period.unit)
    return Cell(period.verdict, mean, period.valid_minutes, t.known("cause", period.cause) if period.cause else "")


def _column(limit: Limit, t: Texts) -> Column:
    return Column(t(f"short.{limit.pollutant}"), number(limit.limit, limit.unit).removesuffix(".0"))


def _label(start_ms: int, clock: Clock) -> str:
    return clock.at(start_ms).strftime("%H:%M")


def _span_label(first_ms: int, last_ms: int, clock: Clock) -> str:
    """From the beginning of the first hour to the end of the last, which at midnight is 24:00."""
    end = _label(last_ms + HOUR_MS, clock)
    return f"{_label(first_ms, clock)}–{'24:00' if end == '00:00' else end}"


def _day_label(day_ms: int, now_ms: int, clock: Clock, t: Texts) -> str:
    word = t("hours.today") if day_ms == clock.day_start_ms(now_ms) else t("hours.yesterday")
    return f"{word} {clock.at(day_ms).strftime('%Y-%m-%d')}"
