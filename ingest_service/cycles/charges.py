"""When furnaces were charged, to the minute, from minute means: what the exact search begins with. Pure."""

import msgspec
import numpy as np

from edge_agent.wire.durations import MINUTE_MS
from ingest_service.columns import Bools, Float64s, Int64s

NEVER = 1 << 62
_CHARGE, _BURNING_BEFORE = 2, 6  # codes of the phase: charge, and the first one that is no combustion any more
_APART_MINUTES = 10  # doors that open again sooner belong to the same charge
_FOLLOWS_MINUTES = 25  # within so long after a charge the oxygen dips
_RICH_PCT, _DIP_PCT = 12.0, 9.0  # oxygen before a charge, and in the fire of ignition


class Minutes(msgspec.Struct, frozen=True):
    """Minutes of one furnace from `start_ms` on, NaN where unknown: means, and of the phase the highest code."""

    start_ms: int
    phase_low: Float64s
    phase_high: Float64s
    door_open: Float64s
    trolley_in: Float64s
    o2_pct: Float64s


def charges(minutes: Minutes) -> Int64s:
    """The minutes (ms since 1970 UTC) in which a charge began.

    By the phase where the controller tells one; else by door or trolley, as far as a fire followed. A dip of the
    oxygen without either, as after a gap, is a charge as well.
    """
    told = _told(minutes)
    doors = _apart(np.flatnonzero(_moved(minutes)))
    dips = _dips(minutes.o2_pct)
    burnt = np.array([one for one in doors.tolist() if _fire_follows(minutes.o2_pct, one)], np.int64)
    known = np.unique(np.concatenate([told, burnt[~_is_told(minutes, burnt)]]))
    lone = [dip for dip in dips.tolist() if not _near(known, dip) and not _is_told(minutes, np.array([dip]))[0]]
    found = np.unique(np.concatenate([known, np.array(lone, np.int64)]))
    return np.asarray(minutes.start_ms + found * MINUTE_MS)


def _told(minutes: Minutes) -> Int64s:
    """Where the phase comes to charge or combustion from idle, preheating or cooling."""
    low, high = minutes.phase_low, minutes.phase_high
    burning = (high >= _CHARGE) & ~((low < _CHARGE) & (high >= _BURNING_BEFORE)) & ~(low >= _BURNING_BEFORE)
    known = np.flatnonzero(np.isfinite(high))
    began = burning[known] & ~np.concatenate([[True], burning[known][:-1]])
    return np.asarray(known[began])


def _is_told(minutes: Minutes, at: Int64s) -> Bools:
    return np.asarray(np.isfinite(minutes.phase_high[at]))


def _moved(minutes: Minutes) -> Bools:
    return np.asarray((minutes.door_open > 0) | (minutes.trolley_in < 1))


def _apart(at: Int64s) -> Int64s:
    """The first of those that lie near each other."""
    kept: list[int] = []
    last = -NEVER
    for one in at.tolist():
        if one - last > _APART_MINUTES:
            kept.append(one)
        last = one
    return np.array(kept, np.int64)


def _fire_follows(o2_pct: Float64s, at: int) -> bool:
    """Whether oxygen dips after a door was opened; True where oxygen is not known."""
    after = o2_pct[at : at + _FOLLOWS_MINUTES]
    return not np.isfinite(after).any() or bool(np.nanmin(after) < _DIP_PCT)


def _dips(o2_pct: Float64s) -> Int64s:
    """The last minutes with much oxygen before it dips, what is unknown left out."""
    known = np.flatnonzero(np.isfinite(o2_pct))
    value = o2_pct[known]
    state = np.where(value > _RICH_PCT, 1, np.where(value < _DIP_PCT, -1, 0))
    marked = np.flatnonzero(state)
    falls = marked[1:][(state[marked[1:]] < 0) & (state[marked[:-1]] > 0)]
    before = marked[:-1][(state[marked[1:]] < 0) & (state[marked[:-1]] > 0)]
    beyond_gap = known[falls] - known[before] > _FOLLOWS_MINUTES
    return np.where(beyond_gap, known[np.minimum(before + 1, len(known) - 1)], known[before]) if len(falls) else falls


def _near(known: Int64s, dip: int) -> bool:
    """Whether a charge is known a little before the dip."""
    return bool(((known <= dip + _APART_MINUTES) & (known >= dip - _FOLLOWS_MINUTES)).any())
