"""What drives a furnace through its day: piecewise linear curves, and the areas below them."""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import msgspec

from edge_agent.simulator.schedule import DAY_S, Phase, Span


class Drivers(NamedTuple):
    """The state that the rest follows from: temperatures (°C), oxygen (% dry), the others as shares from 0 to 1."""

    chamber1_c: float
    chamber2_c: float
    o2_pct: float
    burner1: float
    burner2: float
    air: float
    draw: float
    load: float
    smoke: float


class Areas(NamedTuple):
    """Areas below the curves that totals need, in seconds times share."""

    burner1: float
    burner2: float
    air: float
    draw: float


class Temper(msgspec.Struct, frozen=True):
    """How one cremation differs from the usual: °C hotter, % more oxygen, size of the charge (1 is usual)."""

    heat_c: float
    excess_o2_pct: float
    charge: float


class Curve(msgspec.Struct, frozen=True):
    """Knots in order of time, seconds after the day's start; `areas` are those up to each knot."""

    starts: list[float]
    knots: list[Drivers]
    slopes: list[Drivers]
    areas: list[Areas]

    def at(self, second: float) -> tuple[Drivers, Areas]:
        """The drivers and the areas since the day's start. `second` must lie within the day."""
        index = bisect_right(self.starts, second) - 1
        past = second - self.starts[index]
        knot, slope, area = self.knots[index], self.slopes[index], self.areas[index]
        drivers = Drivers._make([value + change * past for value, change in zip(knot, slope, strict=True)])
        half = past / 2.0
        return drivers, Areas(
            area.burner1 + (knot.burner1 + drivers.burner1) * half,
            area.burner2 + (knot.burner2 + drivers.burner2) * half,
            area.air + (knot.air + drivers.air) * half,
            area.draw + (knot.draw + drivers.draw) * half,
        )


# fmt: off
#                       T1     T2     O2    b1    b2    air   draw  load  smoke
_TURN        = Drivers(700.0, 840.0, 16.0, 0.10, 0.40, 0.40, 0.50, 0.00, 0.00)
_EVENING     = Drivers(540.0, 580.0, 20.3, 0.00, 0.00, 0.10, 0.25, 0.00, 0.00)
_NIGHT       = Drivers(330.0, 340.0, 20.6, 0.00, 0.00, 0.00, 0.12, 0.00, 0.00)
_MORNING     = Drivers(240.0, 250.0, 20.6, 0.00, 0.00, 0.00, 0.12, 0.00, 0.00)

# From cold brickwork: burners up at once, temperatures in their own time.
_COLD_START: tuple[tuple[float, Drivers], ...] = (
    (0.03, Drivers(250.0, 270.0, 16.0, 0.85, 0.95, 0.55, 0.50, 0.00, 0.00)),
    (0.50, Drivers(560.0, 650.0, 14.5, 0.80, 0.90, 0.50, 0.55, 0.00, 0.00)),
    (1.00, Drivers(745.0, 883.0, 13.5, 0.55, 0.60, 0.45, 0.55, 0.00, 0.00)),
)
# The course of each phase: (share of the phase, drivers there). Every cycle begins and ends at the turn.
# T2 is held far enough above 850 °C from the charge to the cooling that about one cremation in ten dips below.
_COURSES: dict[Phase, tuple[tuple[float, Drivers], ...]] = {
    Phase.PREHEAT: (
        (0.15, Drivers(690.0, 835.0, 14.5, 0.60, 0.75, 0.45, 0.50, 0.00, 0.00)),
        (1.00, Drivers(745.0, 883.0, 13.5, 0.55, 0.60, 0.45, 0.55, 0.00, 0.00)),
    ),
    Phase.CHARGE: (
        (0.30, Drivers(690.0, 867.0, 18.0, 0.00, 0.70, 0.25, 0.85, 0.02, 0.05)),
        (1.00, Drivers(640.0, 863.0, 17.0, 0.00, 0.70, 0.30, 0.80, 0.15, 0.35)),
    ),
    Phase.IGNITION: (
        (0.20, Drivers(730.0, 900.0,  9.0, 0.45, 0.50, 0.70, 0.75, 0.75, 0.15)),
        (0.45, Drivers(840.0, 970.0,  4.6, 0.25, 0.30, 0.80, 0.80, 1.00, 0.10)),
        (0.65, Drivers(880.0, 1000.0, 5.0, 0.20, 0.25, 0.85, 0.80, 1.00, 0.08)),
        (1.00, Drivers(900.0, 990.0,  7.2, 0.15, 0.25, 0.85, 0.78, 0.90, 0.02)),
    ),
    Phase.MAIN: (
        (0.35, Drivers(930.0, 960.0,  7.8, 0.10, 0.25, 0.80, 0.75, 0.80, 0.01)),
        (0.75, Drivers(910.0, 930.0,  9.2, 0.15, 0.30, 0.72, 0.70, 0.60, 0.00)),
        (1.00, Drivers(880.0, 905.0, 10.5, 0.30, 0.35, 0.65, 0.65, 0.40, 0.00)),
    ),
    Phase.BURNOUT: (
        (0.20, Drivers(865.0, 890.0, 11.5, 0.55, 0.45, 0.60, 0.62, 0.28, 0.00)),
        (1.00, Drivers(800.0, 873.0, 14.0, 0.45, 0.45, 0.55, 0.58, 0.05, 0.00)),
    ),
    Phase.COOLING: (
        (0.15, Drivers(770.0, 862.0, 17.0, 0.00, 0.40, 0.90, 0.65, 0.00, 0.00)),
        (0.80, Drivers(690.0, 838.0, 17.5, 0.00, 0.38, 0.85, 0.60, 0.00, 0.00)),
        (1.00, _TURN),
    ),
}
# fmt: on
_EVENING_AFTER_S, _DUSK_AFTER_S = 300.0, 7200.0
_TEMPERED = (Phase.IGNITION, Phase.MAIN, Phase.BURNOUT)


def draw_curve(spans: tuple[Span, ...], tempers: list[Temper]) -> Curve:
    """The curve of a day; `tempers` has one entry per cycle."""
    knots = list(_day_knots(spans, tempers))
    starts = [at_s for at_s, _ in knots]
    values = [drivers for _, drivers in knots]
    slopes = [
        Drivers._make([(b - a) / (to_s - from_s) for a, b in zip(here, there, strict=True)])
        for (from_s, here), (to_s, there) in pairwise(knots)
    ]
    return Curve(starts, values, [*slopes, Drivers._make([0.0] * len(_TURN))], _sum_areas(starts, values))


def _day_knots(spans: tuple[Span, ...], tempers: list[Temper]) -> Iterator[tuple[float, Drivers]]:
    """The first knot is at 0, the last at the day's end; midnights meet."""
    burns_on = spans[0].cycle is not None
    yield 0.0, _TURN if burns_on else _NIGHT
    for before, span in zip((None, *spans), spans, strict=False):
        if before is not None and before.phase is Phase.IDLE:
            yield from _stretched(_COLD_START, span)
        elif span.cycle is not None:
            yield from _span_knots(span, tempers[span.cycle])
        elif span.from_s == 0.0:
            yield span.to_s, _MORNING
        else:
            yield span.from_s + _EVENING_AFTER_S, _cooled(_TURN, _EVENING)
            yield span.from_s + _DUSK_AFTER_S, _EVENING
    if not burns_on:
        yield float(DAY_S), _NIGHT


def _cooled(hot: Drivers, cold: Drivers) -> Drivers:
    """Burners are soon off, the brickwork keeps most of its heat."""
    return cold._replace(chamber1_c=hot.chamber1_c - 20.0, chamber2_c=hot.chamber2_c - 60.0, draw=hot.draw * 0.8)


def _span_knots(span: Span, temper: Temper) -> Iterator[tuple[float, Drivers]]:
    for at_s, drivers in _stretched(_COURSES[span.phase], span):
        yield at_s, _tempered(drivers, temper) if span.phase in _TEMPERED else drivers


def _stretched(course: tuple[tuple[float, Drivers], ...], span: Span) -> Iterator[tuple[float, Drivers]]:
    return ((span.from_s + share * span.length_s, drivers) for share, drivers in course)


def _tempered(drivers: Drivers, temper: Temper) -> Drivers:
    return drivers._replace(
        chamber1_c=drivers.chamber1_c + temper.heat_c,
        chamber2_c=drivers.chamber2_c + 0.6 * temper.heat_c,
        o2_pct=drivers.o2_pct + temper.excess_o2_pct,
        load=drivers.load * temper.charge,
    )


def _sum_areas(starts: list[float], values: list[Drivers]) -> list[Areas]:
    areas = [Areas(0.0, 0.0, 0.0, 0.0)]
    for index in range(1, len(starts)):
        half = (starts[index] - starts[index - 1]) / 2.0
        a, b, last = values[index - 1], values[index], areas[-1]
        areas.append(
            Areas(
                last.burner1 + (a.burner1 + b.burner1) * half,
                last.burner2 + (a.burner2 + b.burner2) * half,
                last.air + (a.air + b.air) * half,
                last.draw + (a.draw + b.draw) * half,
            )
        )
    return areas
