"""The share of a calendar window's cremations that kept a limit."""

import numpy as np

from ingest_service.columns import Bools, Int64s
from ingest_service.emissions import spans as over
from ingest_service.emissions.limits import Cause, Verdict, Verdicts
from ingest_service.emissions.marks import CycleSpan
from ingest_service.emissions.pack import Share
from ingest_service.emissions.periods import Periods
from ingest_service.emissions.spans import Spans


def share_verdicts(parts: Verdicts, periods: Periods, windows: Periods, cycles: CycleSpan, share: Share) -> Verdicts:
    """Each window's share in percent, from the verdicts on the `periods` of its cremations.

    A cremation broke the limit when one of its periods did; it counts when that is known, or when all were within.
    """
    cremation = np.searchsorted(
        _keys(cycles.furnace, cycles.start_ms), _keys(periods.furnace, periods.start_ms), "right"
    )
    broke = _any(parts.verdict == Verdict.EXCEEDED, cremation - 1, len(cycles))
    unknown = _any(parts.verdict >= Verdict.INVALID, cremation - 1, len(cycles))
    kept = ~broke & ~unknown & _any(np.ones(len(periods), np.bool_), cremation - 1, len(cycles))
    own = _cycles_of(windows, cycles)
    counted, good = over.counts(broke | kept, own), over.counts(kept, own)
    pct = np.divide(100.0 * good, counted, out=np.full(len(windows), np.nan), where=counted > 0)
    verdict = np.where(pct < share.at_least_pct, Verdict.EXCEEDED, Verdict.WITHIN)
    return Verdicts(
        mean=pct,
        peak=pct,
        valid_minutes=_minutes(parts, periods, windows),
        verdict=np.where(counted > 0, verdict, Verdict.NOT_JUDGED).astype(np.int64),
        cause=np.where(counted > 0, Cause.NONE, Cause.NO_CREMATION).astype(np.int64),
    )


def begun_within(windows: Periods, cycles: CycleSpan) -> CycleSpan:
    """The cremations that began in one of the windows; windows of a furnace do not overlap."""
    own = _cycles_of(windows, cycles)
    at = np.concatenate([np.arange(begin, end) for begin, end in zip(own.begin, own.end, strict=True)] or [_none()])
    return CycleSpan(cycles.furnace[at], cycles.start_ms[at], cycles.end_ms[at])


def _cycles_of(windows: Periods, cycles: CycleSpan) -> Spans:
    keys = _keys(cycles.furnace, cycles.start_ms)
    begin = np.searchsorted(keys, _keys(windows.furnace, windows.start_ms))
    return Spans(begin, np.searchsorted(keys, _keys(windows.furnace, windows.end_ms)))


def _minutes(parts: Verdicts, periods: Periods, windows: Periods) -> Int64s:
    """Valid minutes of every window's periods together."""
    keys = _keys(periods.furnace, periods.start_ms)
    begin = np.searchsorted(keys, _keys(windows.furnace, windows.start_ms))
    end = np.searchsorted(keys, _keys(windows.furnace, windows.end_ms))
    total = np.concatenate([[0], np.cumsum(parts.valid_minutes)])
    return np.asarray(total[end] - total[begin])


def _any(marked: Bools, group: Int64s, groups: int) -> Bools:
    found = np.zeros(groups, np.bool_)
    found[group[marked]] = True
    return found


def _none() -> Int64s:
    return np.empty(0, np.int64)


def _keys(furnace: Int64s, at_ms: Int64s) -> Int64s:
    """Furnace and moment in one number: 2^42 ms last until the year 2109."""
    return (furnace << 42) + at_ms
