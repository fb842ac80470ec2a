"""When a furnace burns: the phases of one day, drawn from a seed (durations as in the literature on cremators)."""

from enum import IntEnum, StrEnum, unique
from random import Random

import msgspec

DAY_S = 86_400


@unique
class Phase(IntEnum):
    """The phases of a cremation with their codes on the wire."""

    IDLE = 0
    PREHEAT = 1
    CHARGE = 2
    IGNITION = 3
    MAIN = 4
    BURNOUT = 5
    COOLING = 6


@unique
class Rhythm(StrEnum):
    """How a furnace's day looks."""

    WORKING_DAY = "working_day"
    ALWAYS_BURNING = "always_burning"


# Bounds in minutes, with room to the extremes seen in practice for the stretching of a day without idle hours.
COLD_PREHEAT_MIN = (45.0, 75.0)
PHASE_MIN: dict[Phase, tuple[float, float]] = {
    Phase.PREHEAT: (3.0, 8.0),
    Phase.CHARGE: (1.4, 2.6),
    Phase.IGNITION: (7.0, 13.0),
    Phase.MAIN: (31.0, 44.0),
    Phase.BURNOUT: (12.0, 20.0),
    Phase.COOLING: (8.0, 14.0),
}
CYCLES_WORKING_DAY = (6, 7)
CYCLES_ALWAYS_BURNING = 18
_FIRST_CHARGE_MIN = (7 * 60 + 20.0, 7 * 60 + 40.0)


class Schedule(msgspec.Struct, frozen=True):
    """The rhythm and the local time of a furnace; `utc_offset_s` is seconds east of Greenwich."""

    rhythm: Rhythm = Rhythm.WORKING_DAY
    utc_offset_s: int = 8 * 3600


class Span(msgspec.Struct, frozen=True):
    """One phase of a day, in seconds after the day's start; `cycle` counts the day's cremations from 0."""

    phase: Phase
    from_s: float
    to_s: float
    cycle: int | None

    @property
    def length_s(self) -> float:
        """How long it lasts, s."""
        return self.to_s - self.from_s


def cycles_a_day(schedule: Schedule, rng: Random) -> int:
    """How many cremations a furnace does each day; the same every day, so that its totals need no history."""
    if schedule.rhythm is Rhythm.ALWAYS_BURNING:
        return CYCLES_ALWAYS_BURNING
    return rng.randint(*CYCLES_WORKING_DAY)


def day_offset_s(schedule: Schedule, rng: Random) -> int:
    """When a furnace's day begins, seconds after local midnight: apart for furnaces that never stop."""
    return rng.randrange(0, 80 * 60) if schedule.rhythm is Rhythm.ALWAYS_BURNING else 0


def plan_day(schedule: Schedule, cycles: int, rng: Random) -> tuple[Span, ...]:
    """The phases of one day, without gap from 0 to 86 400 s."""
    lengths = [_draw_cycle_s(rng) for _ in range(cycles)]
    if schedule.rhythm is Rhythm.ALWAYS_BURNING:
        stretch = DAY_S / sum(sum(cycle) for cycle in lengths)
        return _lay_out(0.0, [[length * stretch for length in cycle] for cycle in lengths])
    lengths[0][0] = rng.uniform(*COLD_PREHEAT_MIN) * 60.0
    begin_s = rng.uniform(*_FIRST_CHARGE_MIN) * 60.0 - lengths[0][0]
    morning = Span(Phase.IDLE, 0.0, begin_s, None)
    spans = _lay_out(begin_s, lengths)
    return (morning, *spans, Span(Phase.IDLE, spans[-1].to_s, float(DAY_S), None))


def _draw_cycle_s(rng: Random) -> list[float]:
    return [rng.uniform(*bounds) * 60.0 for bounds in PHASE_MIN.values()]


def _lay_out(begin_s: float, lengths: list[list[float]]) -> tuple[Span, ...]:
    """Put the phases of consecutive cycles one behind the other."""
    spans: list[Span] = []
    at_s = begin_s
    for cycle, phase_lengths in enumerate(lengths):
        for phase, length in zip(PHASE_MIN, phase_lengths, strict=True):
            spans.append(Span(phase, at_s, at_s + length, cycle))
            at_s += length
    return tuple(spans)
