"""Days and months: means of the valid hours of a day, and of the valid days of a month."""

from datetime import tzinfo

import numpy as np

from edge_agent.wire.durations import MINUTE_MS
from ingest_service.columns import Int64s
from ingest_service.emissions import spans as over
from ingest_service.emissions.judging import Found
from ingest_service.emissions.limits import Cause
from ingest_service.emissions.pack import Validity
from ingest_service.emissions.periods import Periods, local
from ingest_service.emissions.spans import Spans
from ingest_service.emissions.vocabulary import Bound

FEBRUARY = 2


def day_means(hours: Found, furnace: Int64s, hour_ms: Int64s, days: Periods, bound: Bound, validity: Validity) -> Found:
    """Days of hours that are sorted by (furnace, start) and have no hole; an hour belongs to the day it begins in."""
    needed = np.full(len(days), validity.valid_hours or 1, np.int64)
    return _of_valid(hours, _within(furnace, hour_ms, days), needed, bound, Cause.FEW_VALID_HOURS)


def month_means(
    day_found: Found, days: Periods, months: Periods, bound: Bound, validity: Validity, zone: tzinfo
) -> Found:
    """Months of days that are sorted by (furnace, start) and have no hole."""
    needed = np.array([_days_needed(int(start_ms), validity, zone) for start_ms in months.start_ms], np.int64)
    return _of_valid(day_found, _within(days.furnace, days.start_ms, months), needed, bound, Cause.FEW_VALID_DAYS)


def _days_needed(start_ms: int, validity: Validity, zone: tzinfo) -> int:
    february = local(start_ms, zone).month == FEBRUARY
    return (validity.valid_days_february if february else validity.valid_days) or 1


def _of_valid(parts: Found, spans: Spans, needed: Int64s, bound: Bound, lacking: Cause) -> Found:
    """The mean of the valid parts of each stretch, and whether there are as many as are needed."""
    counts = parts.counts
    count = over.counts(counts, spans)
    total = over.sums(np.where(counts, parts.mean, 0.0), spans)
    peak = np.where(counts, parts.peak, np.nan)
    never = over.counts(parts.impossible != Cause.NONE, spans) == spans.minutes
    first_reason = over.lowest(parts.impossible.astype(np.float64), spans)
    return Found(
        mean=np.divide(total, count, out=np.full(len(spans), np.nan), where=count > 0),
        peak=over.lowest(peak, spans) if bound is Bound.AT_LEAST else over.highest(peak, spans),
        valid_minutes=over.sums(np.where(counts, parts.valid_minutes, 0).astype(np.float64), spans).astype(np.int64),
        enough=count >= needed,
        impossible=np.where(never, first_reason, Cause.NONE).astype(np.int64),
        lost_to=np.full(len(spans), int(lacking), np.int64),
    )


def _within(furnace: Int64s, start_ms: Int64s, longer: Periods) -> Spans:
    """Which of the parts begin in each longer period."""
    keys = _keys(furnace, start_ms)
    begin = np.searchsorted(keys, _keys(longer.furnace, longer.start_ms))
    return Spans(begin, np.searchsorted(keys, _keys(longer.furnace, longer.end_ms)))


def _keys(furnace: Int64s, at_ms: Int64s) -> Int64s:
    """Furnace and minute in one number."""
    return (furnace << 32) + at_ms // MINUTE_MS
