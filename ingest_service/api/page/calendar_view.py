"""The hours of a month as a calendar: a row a day, a cell an hour, the worst of all limits in each. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import dropwhile

import msgspec

from edge_agent.wire.durations import HOUR_MS
from ingest_service.api.page.formats import Clock
from ingest_service.api.page.hours import why_text
from ingest_service.api.page.levels import ORDER, Level, level_of
from ingest_service.api.page.short_view import short_lines
from ingest_service.api.page.texts import Texts
from ingest_service.store.marks import MarkRow
from ingest_service.store.short_periods import ShortPeriods
from ingest_service.store.trends import JudgedPeriod, OverLimit

SIGNS = {
    Level.NONE: "", Level.IDLE: "–", Level.SHORT: "◦", Level.WITHIN: "●", Level.LOST: "×", Level.EXCEEDED: "▲",
}  # fmt: skip


class HourCell(msgspec.Struct, frozen=True):
    """One hour: its sign, whether a person marked it, and all of it in words."""

    level: Level
    sign: str
    marked: bool
    words: str


class Count(msgspec.Struct, frozen=True):
    """How many cremations became what, as a sign and in words."""

    level: Level
    sign: str
    n: int
    words: str


class DayRow(msgspec.Struct, frozen=True):
    """One day with its hours, and the cremations of it that were judged; `label` is its name in a report's address."""

    label: str
    day: str
    cells: list[HourCell]
    cremations: list[Count]
    words: str

    @property
    def has_any(self) -> bool:
        """True where anything is on record of the day."""
        return bool(self.cremations) or any(cell.marked or cell.level is not Level.NONE for cell in self.cells)


class JudgedCremation(msgspec.Struct, frozen=True):
    """One cremation with the periods of it that limits on cremations judge."""

    start_ms: int
    periods: Sequence[JudgedPeriod]


class Totals(msgspec.Struct, frozen=True):
    """How many hours of a month were what."""

    within: int
    exceeded: int
    lost: int
    capture: str


class Found(msgspec.Struct, frozen=True):
    """What is on record of a month."""

    periods: Sequence[JudgedPeriod]
    exceedances: Sequence[OverLimit]
    marks: Sequence[MarkRow]
    needed_minutes: Mapping[str, int]  # valid minutes that an hour needs, by rule
    cremations: Sequence[JudgedCremation] = ()
    short: Sequence[ShortPeriods] = ()
    minima: frozenset[tuple[str, str, str]] = frozenset()  # rule, pollutant and averaging of limits from below
    known_before: bool = True  # whether anything was judged before the month: then a day without anything is a loss


def calendar(first: date, found: Found, now_ms: int, clock: Clock, t: Texts) -> list[DayRow]:
    """The days of the month of `first`, as far as they have begun; none where nothing was ever on record."""
    by_hour: dict[int, list[JudgedPeriod]] = {}
    for period in found.periods:
        by_hour.setdefault(period.start_ms, []).append(period)
    short: dict[int, list[ShortPeriods]] = {}
    for one in found.short:
        short.setdefault(one.start_ms, []).append(one)
    rows, day = [], first
    while day.month == first.month and clock.midnight_ms(day) <= now_ms:
        hours = range(clock.midnight_ms(day), clock.midnight_ms(day + timedelta(days=1)), HOUR_MS)
        cells = [
            _cell(start_ms, by_hour.get(start_ms, []), short.get(start_ms, []), found, clock, t) for start_ms in hours
        ]
        burned = cremation_counts(found.cremations, hours.start, hours.stop, t)
        rows.append(DayRow(day.isoformat(), f"{day.day}", cells, burned, _sentence(cells, burned, t)))
        day += timedelta(days=1)
    return rows if found.known_before else list(dropwhile(lambda row: not row.has_any, rows))


def cremation_counts(judged: Sequence[JudgedCremation], from_ms: int, to_ms: int, t: Texts) -> list[Count]:
    """What became of the cremations that began in `[from_ms, to_ms)`, the worst of all limits on each, worst first."""
    levels = [
        max(map(level_of, one.periods), key=ORDER.index, default=Level.NONE)
        for one in judged
        if from_ms <= one.start_ms < to_ms
    ]
    counts = [(level, levels.count(level)) for level in reversed(ORDER) if level not in (Level.NONE, Level.IDLE)]
    return [Count(level, SIGNS[level], n, t(f"cremations_judged.{level}", n=n)) for level, n in counts if n]


def totals(rows: Sequence[DayRow]) -> Totals:
    """The month in figures."""
    levels = [cell.level for row in rows for cell in row.cells]
    within, exceeded, lost = (levels.count(level) for level in (Level.WITHIN, Level.EXCEEDED, Level.LOST))
    due = within + exceeded + lost
    return Totals(within, exceeded, lost, f"{100 * (within + exceeded) / due:.1f} %" if due else "–")


def _cell(
    start_ms: int,
    periods: Sequence[JudgedPeriod],
    short: Sequence[ShortPeriods],
    found: Found,
    clock: Clock,
    t: Texts,
) -> HourCell:
    end_ms = start_ms + HOUR_MS
    over = [one for one in found.exceedances if one.start_ms < end_ms and one.end_ms > start_ms]
    marks = [one for one in found.marks if one.holds and one.start_ms < end_ms and one.end_ms > start_ms]
    within_hour = short_lines(short, found.minima, t)
    level = max([Level.NONE, *map(level_of, periods), *(one.level for one in within_hour)], key=ORDER.index)
    level = Level.EXCEEDED if over else level
    worst = [period for period in periods if level_of(period) is level]
    told = [t(f"calendar.{level}"), *_details(level, worst, over, found, t)]
    told += [one.words for one in within_hour if one.words]
    told += [t("calendar.marked", state=t(f"plant_state.{mark.state}")) for mark in marks]
    label = clock.at(start_ms).strftime("%m-%d %H:%M")
    return HourCell(level, SIGNS[level], bool(marks), f"{label} {t('calendar.and').join(dict.fromkeys(told))}")


def _details(
    level: Level, worst: Sequence[JudgedPeriod], over: Sequence[OverLimit], found: Found, t: Texts
) -> list[str]:
    if level is Level.EXCEEDED:
        names = {one.pollutant for one in over} | {one.pollutant for one in worst}
        return [t(f"short.{name}") for name in sorted(names)]
    if level not in (Level.LOST, Level.SHORT):
        return []
    whys = [(period.pollutant, why_text(period, found.needed_minutes.get(period.rule), t)) for period in worst]
    if len({why for _, why in whys}) == 1:
        return [whys[0][1]]
    return [f"{t(f'short.{pollutant}')} {why}" for pollutant, why in whys]


def _sentence(cells: Sequence[HourCell], burned: Sequence[Count], t: Texts) -> str:
    """A day in words, for those who cannot see its cells."""
    counts = [
        (level, sum(cell.level is level for cell in cells)) for level in reversed(ORDER) if level is not Level.NONE
    ]
    told = [t("calendar.count", what=t(f"calendar.{level}"), n=n) for level, n in counts if n]
    return t("calendar.and").join([*told, *(count.words for count in burned)])
