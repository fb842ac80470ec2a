"""Which averaging periods hours of furnaces touch. Pure: the zone and the cremations are arguments."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo

import msgspec
import numpy as np

from edge_agent.wire.durations import HOUR_MS, MINUTE_MS
from ingest_service.columns import Bools, Int64s
from ingest_service.emissions.averages import WIDTHS, Averaging, Window
from ingest_service.emissions.columns import MINUTES
from ingest_service.emissions.local_hours import hour_starts_ms
from ingest_service.emissions.marks import CycleSpan
from ingest_service.emissions.spans import Spans

_HALF_HOUR_MS = HOUR_MS // 2


class Periods(msgspec.Struct, frozen=True):
    """Averaging periods as parallel columns, sorted by (furnace, start), each once: `[start_ms, end_ms)`, UTC."""

    furnace: Int64s
    start_ms: Int64s
    end_ms: Int64s

    def __len__(self) -> int:
        return len(self.furnace)

    def where(self, chosen: Bools) -> "Periods":
        """Those that are chosen."""
        return Periods(self.furnace[chosen], self.start_ms[chosen], self.end_ms[chosen])


def touched(
    averaging: Averaging,
    furnace: Int64s,
    hour_ms: Int64s,
    zone: tzinfo,
    cycles: CycleSpan,
    window: Window | None = None,
) -> Periods:
    """The periods of which a part lies in one of these hours (a row per furnace and hour of UTC), over or not."""
    if averaging in WIDTHS:
        return _equal(furnace, hour_ms, WIDTHS[averaging], zone)
    if averaging is Averaging.ROLLING_HOUR:
        return _rolling(furnace, hour_ms)
    if averaging in (Averaging.DAY, Averaging.OPERATING_DAY):
        return _calendar(furnace, hour_ms, zone, day_bounds)
    if averaging is Averaging.MONTH or window is Window.MONTH:
        return _calendar(furnace, hour_ms, zone, month_bounds)
    if window is Window.YEAR:
        return _calendar(furnace, hour_ms, zone, year_bounds)
    return of_cremations(averaging, _overlapping(cycles, furnace, hour_ms))


def of_cremations(averaging: Averaging, cycles: CycleSpan) -> Periods:
    """The periods of these cremations; the first hour of a short one ends with it."""
    end_ms = np.minimum(cycles.end_ms, cycles.start_ms + HOUR_MS)
    if averaging is Averaging.CREMATION:
        return _distinct(cycles.furnace, cycles.start_ms, cycles.end_ms)
    if averaging is Averaging.FIRST_HOUR_OF_CREMATION:
        return _distinct(cycles.furnace, cycles.start_ms, end_ms)
    if averaging is not Averaging.HALVES_OF_FIRST_HOUR:
        raise ValueError(f"{averaging} is no averaging of one cremation")
    middle_ms = np.minimum(end_ms, cycles.start_ms + _HALF_HOUR_MS)
    start_ms = np.concatenate([cycles.start_ms, middle_ms])
    end_ms = np.concatenate([middle_ms, end_ms])
    furnace, lasts = np.tile(cycles.furnace, 2), end_ms > start_ms
    return _distinct(furnace[lasts], start_ms[lasts], end_ms[lasts])


def clock_hours(longer: Periods, zone: tzinfo) -> Periods:
    """The zone's hours that begin in one of the longer periods, which do not overlap."""
    return within(_equal(*hours_within(longer), MINUTES, zone), longer)


def within(periods: Periods, longer: Periods) -> Periods:
    """Those that begin in one of the longer ones, which do not overlap."""
    at = np.searchsorted(_keys(longer.furnace, longer.start_ms), _keys(periods.furnace, periods.start_ms), "right") - 1
    inside = (longer.furnace[at] == periods.furnace) & (longer.start_ms[at] <= periods.start_ms)
    return periods.where((at >= 0) & inside & (periods.start_ms < longer.end_ms[at]))


def hours_within(periods: Periods) -> tuple[Int64s, Int64s]:
    """Every (furnace, hour of UTC) that the periods need, each once, sorted: the rows in which their minutes lie."""
    first = periods.start_ms // HOUR_MS
    count = (periods.end_ms - 1) // HOUR_MS - first + 1
    furnace = np.repeat(periods.furnace, count)
    step = np.arange(len(furnace)) - np.repeat(np.cumsum(count) - count, count)
    keys = np.unique((furnace << 32) + np.repeat(first, count) + step)
    return keys >> 32, (keys & 0xFFFFFFFF) * HOUR_MS


def spans_of(periods: Periods, furnace: Int64s, hour_ms: Int64s) -> Spans:
    """The periods as stretches of the rows' minutes; rows as `hours_within` gives them. To the nearest minute."""
    rows = (furnace << 32) + hour_ms // HOUR_MS
    begin_minute = (periods.start_ms + MINUTE_MS // 2) // MINUTE_MS
    end_minute = np.maximum((periods.end_ms + MINUTE_MS // 2) // MINUTE_MS, begin_minute + 1)
    row = np.searchsorted(rows, (periods.furnace << 32) + periods.start_ms // HOUR_MS)
    begin = row * MINUTES + begin_minute - hour_ms[row] // MINUTE_MS
    last = len(rows) * MINUTES
    begin = np.minimum(begin, last - 1)
    return Spans(begin, np.minimum(begin + end_minute - begin_minute, last))


def day_bounds(at: datetime) -> tuple[datetime, datetime]:
    """The local day of a moment."""
    return _midnight(at, at.date()), _midnight(at, at.date() + timedelta(days=1))


def month_bounds(at: datetime) -> tuple[datetime, datetime]:
    """The local calendar month of a moment."""
    first = at.date().replace(day=1)
    return _midnight(at, first), _midnight(at, (first + timedelta(days=31)).replace(day=1))


def quarter_bounds(at: datetime) -> tuple[datetime, datetime]:
    """The local calendar quarter of a moment."""
    first = date(at.year, (at.month - 1) // 3 * 3 + 1, 1)
    return _midnight(at, first), _midnight(at, (first + timedelta(days=93)).replace(day=1))


def year_bounds(at: datetime) -> tuple[datetime, datetime]:
    """The local calendar year of a moment."""
    return _midnight(at, date(at.year, 1, 1)), _midnight(at, date(at.year + 1, 1, 1))


def local(at_ms: int, zone: tzinfo) -> datetime:
    """A moment (ms since 1970 UTC) in a zone."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone)


def _midnight(at: datetime, day: date) -> datetime:
    return datetime.combine(day, time(), at.tzinfo)


def _equal(furnace: Int64s, hour_ms: Int64s, width: int, zone: tzinfo) -> Periods:
    """They begin with the zone's hours: where its clock is half an hour off UTC's, two of these touch one of UTC."""
    first_ms, last_ms = hour_starts_ms(hour_ms, zone), hour_starts_ms(hour_ms + HOUR_MS - MINUTE_MS, zone)
    begins = [first_ms] if np.array_equal(first_ms, last_ms) else [first_ms, last_ms]
    offsets = np.arange(0, MINUTES, width, dtype=np.int64) * MINUTE_MS
    start_ms = (np.stack(begins)[:, :, None] + offsets).ravel()
    of_hour_ms, of_furnace = (np.tile(np.repeat(one, len(offsets)), len(begins)) for one in (hour_ms, furnace))
    end_ms = start_ms + width * MINUTE_MS
    hit = (start_ms < of_hour_ms + HOUR_MS) & (end_ms > of_hour_ms)
    return _distinct(of_furnace[hit], start_ms[hit], end_ms[hit])


def _rolling(furnace: Int64s, hour_ms: Int64s) -> Periods:
    offsets = np.arange(1 - MINUTES, MINUTES, dtype=np.int64) * MINUTE_MS
    start_ms = (hour_ms[:, None] + offsets).ravel()
    return _distinct(np.repeat(furnace, len(offsets)), start_ms, start_ms + HOUR_MS)


Bounds = Callable[[datetime], tuple[datetime, datetime]]


def _calendar(furnace: Int64s, hour_ms: Int64s, zone: tzinfo, bounds: Bounds) -> Periods:
    moments, at = np.unique(np.concatenate([hour_ms, hour_ms + HOUR_MS - MINUTE_MS]), return_inverse=True)
    found = [bounds(local(int(moment), zone)) for moment in moments]
    limits = np.array([[round(edge.timestamp() * 1000) for edge in pair] for pair in found], np.int64).reshape(-1, 2)
    return _distinct(np.tile(furnace, 2), limits[at, 0], limits[at, 1])


def _overlapping(cycles: CycleSpan, furnace: Int64s, hour_ms: Int64s) -> CycleSpan:
    """The cremations of which a part lies in one of the hours."""
    asked = np.unique((furnace << 32) + hour_ms // HOUR_MS)
    own = cycles.furnace << 32
    first, last = own + cycles.start_ms // HOUR_MS, own + (cycles.end_ms - 1) // HOUR_MS
    hit = np.searchsorted(asked, last, side="right") > np.searchsorted(asked, first)
    return CycleSpan(cycles.furnace[hit], cycles.start_ms[hit], cycles.end_ms[hit])


def _keys(furnace: Int64s, at_ms: Int64s) -> Int64s:
    """Furnace and minute in one number."""
    return (furnace << 32) + at_ms // MINUTE_MS


def _distinct(furnace: Int64s, start_ms: Int64s, end_ms: Int64s) -> Periods:
    order = np.lexsort((end_ms, start_ms, furnace))
    furnace, start_ms, end_ms = furnace[order], start_ms[order], end_ms[order]
    new = np.ones(len(furnace), np.bool_)
    new[1:] = (furnace[1:] != furnace[:-1]) | (start_ms[1:] != start_ms[:-1]) | (end_ms[1:] != end_ms[:-1])
    return Periods(furnace[new], start_ms[new], end_ms[new])
