"""Where in its cremation a furnace is, minute by minute: the phase and the minute within it, as one cell. Pure."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from edge_agent.wire.durations import MINUTE_MS
from edge_agent.wire.quantity import PHASES
from ingest_service.columns import Bools, Float64s, Int64s

NO_CELL = -1
# How many minutes of each phase are told apart; those after count as the last. Long enough for nearly every cremation.
MINUTES_OF: dict[str, int] = {"charge": 3, "ignition": 13, "main": 45, "burnout": 20}
PHASE_OF = tuple(name for name, minutes in MINUTES_OF.items() for _ in range(minutes))  # by cell
CELLS = len(PHASE_OF)
GAP_MINUTES = 2  # unknown ones in a row; after more, it is not known when a phase began
_CODES = {name: code for code, name in PHASES.items()}
_FIRST = {_CODES[name]: PHASE_OF.index(name) for name in MINUTES_OF}
_COUNT = {_CODES[name]: minutes for name, minutes in MINUTES_OF.items()}


def phase_minutes(low: Float64s, high: Float64s) -> Float64s:
    """The phase code of minutes that lay in one phase from beginning to end, NaN for the others."""
    return np.where(low == high, low, np.nan)


def told_phases(begins_ms: Sequence[int | None], from_ms: int, minutes: int) -> Float64s:
    """The phase codes of so many minutes from `from_ms` on, of a cremation whose phases are known.

    `begins_ms` tells when charge, ignition, main, burnout and cooling began; of a phase whose beginning or end was not
    seen no minute is known. What came before the charge was none of these.
    """
    start_ms = from_ms + MINUTE_MS * np.arange(minutes)
    phase = np.full(minutes, np.nan)
    bounds: list[tuple[int, int | None, int | None]] = [(_CODES["preheat"], from_ms, begins_ms[0])]
    bounds += [(_CODES[name], *pair) for name, pair in zip(MINUTES_OF, pairwise(begins_ms), strict=True)]
    for code, begin_ms, end_ms in bounds:
        if begin_ms is not None and end_ms is not None:
            phase[(start_ms >= begin_ms) & (start_ms + MINUTE_MS <= end_ms)] = code
    return phase


def fire_is_out(phase: Float64s) -> Bools:
    """Of (furnaces, minutes): where every minute's phase is known, and in none of them a fire burns."""
    return np.asarray((np.isfinite(phase) & ~np.isin(phase, list(_FIRST))).all(axis=-1))


def cells(phase: Float64s) -> Int64s:
    """The cell of every minute of (furnaces, minutes), NO_CELL where it is not known or no fire burns.

    `phase` holds codes, NaN where unknown. A phase whose beginning is not among the minutes has no cells.
    """
    place = np.arange(phase.shape[-1])
    known = np.isfinite(phase)
    previous = _last_known(known, place)
    lost = known & ((previous < 0) | (place - previous - 1 > GAP_MINUTES))
    changed = known & (np.take_along_axis(phase, np.maximum(previous, 0), -1) != phase)
    began = np.maximum.accumulate(np.where(lost | changed, place, -1), axis=-1)
    certain = ~np.take_along_axis(lost, np.maximum(began, 0), -1)
    minute = place - began
    found = np.full(phase.shape, NO_CELL, np.int64)
    for code, first in _FIRST.items():
        own = known & certain & (phase == code)
        found[own] = first + np.minimum(minute[own], _COUNT[code] - 1)
    return found


def _last_known(known: Bools, place: Int64s) -> Int64s:
    """The place of the last known minute before each one, -1 where there is none."""
    last = np.maximum.accumulate(np.where(known, place, -1), axis=-1)
    before = np.full(known.shape, -1, np.int64)
    before[..., 1:] = last[..., :-1]
    return before
