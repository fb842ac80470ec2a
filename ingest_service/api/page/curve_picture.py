"""One cremation as a picture: temperature of the secondary chamber, oxygen and CO over its phases. Pure."""

import math

import msgspec
import numpy as np

from edge_agent.wire.durations import MINUTE_MS
from ingest_service.columns import Float64s
from ingest_service.cycles.cycle import Cycle

WIDTH, HEIGHT = 360, 120
_TOP, _BOTTOM = 6, 108  # of the plot; below stand the phases
_INNER = ("charge_ms", "ignition_ms", "main_ms", "burnout_ms", "cooling_ms")
_PHASES = ("preheat", "charge", "ignition", "main", "burnout", "cooling")
# What each curve's height means: value at the bottom and at the top. Temperatures stay in one range, so that pictures
# can be compared; CO is cut off at its own peak.
_RANGES = {"chamber2_temperature": (600.0, 1100.0), "flue_o2": (0.0, 21.0)}
_CO_AT_LEAST = 100.0


class Line(msgspec.Struct, frozen=True):
    """One curve: its quantity and the stretches for which it is known, as points of a polyline."""

    quantity: str
    stretches: tuple[str, ...]


class Band(msgspec.Struct, frozen=True):
    """One phase below the curves."""

    phase: str
    x: float
    width: float


class Picture(msgspec.Struct, frozen=True):
    """What is drawn, in units of a box of WIDTH and HEIGHT; `limit_y` is the limit of the secondary chamber."""

    lines: tuple[Line, ...]
    bands: tuple[Band, ...]
    limit_y: float | None
    co_top: float


class Curves(msgspec.Struct, frozen=True):
    """Minute means of the time of a cremation, NaN where unknown, from `start_ms` on (a whole minute)."""

    start_ms: int
    chamber2_c: Float64s
    o2_pct: Float64s
    co: Float64s


def picture(cycle: Cycle, curves: Curves) -> Picture:
    """The picture of a cremation."""
    co_top = max(_CO_AT_LEAST, float(np.nanmax(curves.co)) if np.isfinite(curves.co).any() else 0.0)
    ranges = {**_RANGES, "co": (0.0, co_top)}
    columns = {"chamber2_temperature": curves.chamber2_c, "flue_o2": curves.o2_pct, "co": curves.co}
    lines = tuple(Line(name, _stretches(cycle, curves.start_ms, columns[name], ranges[name])) for name in columns)
    limit_y = _y(cycle.chamber2_limit_c, _RANGES["chamber2_temperature"])
    return Picture(lines, tuple(bands(cycle)), round(limit_y, 1), co_top)


def bands(cycle: Cycle) -> list[Band]:
    """The phases that were seen; one that was not is part of the one before it."""
    begins = [cycle.start_ms, *(getattr(cycle, name) for name in _INNER)]
    known = [(phase, begin) for phase, begin in zip(_PHASES, begins, strict=True) if begin is not None]
    ends = [begin for _, begin in known[1:]] + [cycle.end_ms]
    placed = [(phase, _x(cycle, begin), _x(cycle, end)) for (phase, begin), end in zip(known, ends, strict=True)]
    return [Band(phase, round(x, 1), round(max(0.0, end - x), 1)) for phase, x, end in placed]


def _stretches(cycle: Cycle, start_ms: int, column: Float64s, within: tuple[float, float]) -> tuple[str, ...]:
    """Points of each run of known minutes, at the minutes' middles."""
    found: list[list[str]] = [[]]
    for at, value in enumerate(column.tolist()):
        if math.isfinite(value):
            x = _x(cycle, start_ms + at * MINUTE_MS + MINUTE_MS // 2)
            found[-1].append(f"{x:.1f},{_y(value, within):.1f}")
        elif found[-1]:
            found.append([])
    return tuple(" ".join(points) for points in found if len(points) > 1)


def _x(cycle: Cycle, at_ms: int) -> float:
    share = (at_ms - cycle.start_ms) / max(1, cycle.end_ms - cycle.start_ms)
    return WIDTH * min(1.0, max(0.0, share))


def _y(value: float, within: tuple[float, float]) -> float:
    low, high = within
    share = min(1.0, max(0.0, (value - low) / (high - low)))
    return _BOTTOM - share * (_BOTTOM - _TOP)
