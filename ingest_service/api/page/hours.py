"""The table of judged hours: a row an hour, a column a pollutant. Pure."""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType

import msgspec

from edge_agent.wire.durations import HOUR_MS
from ingest_service.api.page.formats import Clock, number
from ingest_service.api.page.texts import Texts
from ingest_service.emissions.rulepack import Limit
from ingest_service.store.trends import JudgedPeriod

NOT_JUDGED, INVALID = "not_judged", "invalid"
NOTHING_KNOWN: Mapping[str, int] = MappingProxyType({})
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
    """One hour, or a run of hours of a day that have no valid mean for one and the same `cause`."""

    start_ms: int
    label: str
    cells: list[Cell]
    cause: str
    verdict: str = ""


class Day(msgspec.Struct, frozen=True):
    """One day of the table."""

    label: str
    rows: list[HourRow]


class HoursTable(msgspec.Struct, frozen=True):
    """The whole table, newest hour first."""

    columns: list[Column]
    days: list[Day]


def why_text(period: JudgedPeriod, needed_minutes: int | None, t: Texts) -> str:
    """Why a period has no valid mean, in words: with the minutes that it had and needed; "" where nothing is to say."""
    cause = t.known("cause", period.cause) if period.cause else ""
    if period.verdict != INVALID or needed_minutes is None:
        return cause
    return t("report.too_few", n=period.valid_minutes, needed=needed_minutes, why=cause)


def hours_table(
    periods: Sequence[JudgedPeriod],
    limits: Sequence[Limit],
    now_ms: int,
    clock: Clock,
    t: Texts,
    needed_minutes: Mapping[str, int] = NOTHING_KNOWN,
) -> HoursTable:
    """The periods of yesterday and today under the limits in force; `needed_minutes` are those of an hour, by rule."""
    strictest = {(p.start_ms, p.pollutant): p for p in sorted(periods, key=lambda period: -period.limit)}
    starts = sorted({period.start_ms for period in periods}, reverse=True)

    def tell(period: JudgedPeriod) -> str:
        return why_text(period, needed_minutes.get(period.rule), t)

    by_hour: list[Hour] = [(start, [strictest.get((start, limit.pollutant)) for limit in limits]) for start in starts]
    days = groupby(by_hour, key=lambda hour: clock.day_start_ms(hour[0]))
    return HoursTable(
        columns=[_column(limit, t) for limit in limits],
        days=[Day(_day_label(day_ms, now_ms, clock, t), _rows(list(hours), tell, clock)) for day_ms, hours in days],
    )


def _rows(by_hour: Sequence[Hour], tell: Callable[[JudgedPeriod], str], clock: Clock) -> list[HourRow]:
    """Hours without any valid mean are drawn together, as long as they have none for the same reason."""
    rows: list[HourRow] = []
    for (verdict, why), hours in groupby(by_hour, key=lambda hour: _common_reason(hour[1], tell)):
        run = list(hours)
        if verdict:
            rows.append(HourRow(run[-1][0], _span_label(run[-1][0], run[0][0], clock), [], why, verdict))
        else:
            rows += [HourRow(start, _label(start, clock), [_cell(p, tell) for p in cells], "") for start, cells in run]
    return rows


def _common_reason(cells: Sequence[JudgedPeriod | None], tell: Callable[[JudgedPeriod], str]) -> tuple[str, str]:
    """Verdict and reason of an hour without any valid mean; "" twice where there is one, or the reasons differ."""
    reasons = {
        (cell.verdict, tell(cell)) if cell and cell.verdict in (INVALID, NOT_JUDGED) else ("", "") for cell in cells
    }
    verdict, why = reasons.pop() if len(reasons) == 1 else ("", "")
    return (verdict, why) if why else ("", "")


def _cell(period: JudgedPeriod | None, tell: Callable[[JudgedPeriod], str]) -> Cell:
    if period is None or period.verdict == NOT_JUDGED:
        return Cell(NOT_JUDGED, "–", period.valid_minutes if period else 0, tell(period) if period else "")
    mean = "–" if period.mean is None else number(period.mean, period.unit)
    return Cell(period.verdict, mean, period.valid_minutes, tell(period))


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
