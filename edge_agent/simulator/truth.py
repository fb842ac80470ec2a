"""What really happened: the cremations and phases of a furnace, against which their detection can be judged."""

from collections.abc import Iterator
from itertools import groupby

import msgspec

from edge_agent.simulator.furnace import Day, FurnaceModel
from edge_agent.simulator.schedule import Span
from edge_agent.wire.quantity import PHASES


class TruePhase(msgspec.Struct, frozen=True):
    """One phase, by its name on the wire; ms since 1970 UTC, the end excluded."""

    phase: str
    from_ms: int
    to_ms: int


class TrueCycle(msgspec.Struct, frozen=True):
    """One cremation from the preheating for it to the end of cooling. `cremation` is the counter after it."""

    furnace: int
    cremation: int
    from_ms: int
    to_ms: int
    phases: tuple[TruePhase, ...]


def true_cycles(model: FurnaceModel, furnace: int, from_ms: int, to_ms: int) -> Iterator[TrueCycle]:
    """The cremations that overlap a stretch of time, oldest first."""
    for number in range(model.day_number(from_ms), model.day_number(to_ms - 1) + 1):
        day = model.day(number)
        for cycle in _cycles_of(model, day, furnace):
            if cycle.from_ms < to_ms and cycle.to_ms > from_ms:
                yield cycle


def _cycles_of(model: FurnaceModel, day: Day, furnace: int) -> Iterator[TrueCycle]:
    start_ms = model.day_start_ms(day.number)
    before = model.cremations_before(day.number)
    for cycle, spans in groupby(day.spans, key=lambda span: span.cycle):
        if cycle is not None:
            phases = tuple(_phase(span, start_ms) for span in spans)
            yield TrueCycle(furnace, before + cycle + 1, phases[0].from_ms, phases[-1].to_ms, phases)


def _phase(span: Span, start_ms: int) -> TruePhase:
    return TruePhase(PHASES[span.phase], start_ms + round(span.from_s * 1000.0), start_ms + round(span.to_s * 1000.0))
