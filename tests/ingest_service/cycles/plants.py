"""Simulated furnaces as signals, beside what is true of them: cremations found in one way and known in another."""

from datetime import timedelta, timezone

import msgspec
import numpy as np

from edge_agent.simulator.furnace import FurnaceModel
from edge_agent.simulator.schedule import Rhythm, Schedule
from edge_agent.simulator.truth import TrueCycle, true_cycles
from edge_agent.wire.durations import MINUTE_MS
from ingest_service.columns import Float64s
from ingest_service.cycles.charges import Minutes, charges
from ingest_service.cycles.cycle import Cycle
from ingest_service.cycles.finding import Place, Terms, find
from ingest_service.cycles.masses import Stack
from ingest_service.cycles.signals import QUANTITIES, Signals
from ingest_service.emissions.limits import Basis

HOUR_MS = 3_600_000
T0 = 20_463 * 24 * HOUR_MS  # a midnight UTC
STACK = Stack(area_m2=0.2, barometric_pa=None, bases=(*(Basis.DRY_STANDARD,) * 4, Basis.WET_ACTUAL, None, None))
PLACE = Place(1, "f1", timezone(timedelta(hours=8)), STACK)
TERMS = Terms(chamber2_limit_c=850.0, co2_kg_per_m3=2.0, cold_below_c=500.0)
LOOKS_MS = 3 * HOUR_MS
TOLD = ("phase", "cremations_total")  # what a controller tells rather than a sensor


class Plant(msgspec.Struct, frozen=True):
    """What a furnace showed, and what it did."""

    signals: Signals
    truth: tuple[TrueCycle, ...]

    def without(self, *quantities: str) -> Signals:
        """The signals of a furnace that lacks some."""
        columns = self.signals.columns.copy()
        for name in quantities:
            columns[QUANTITIES.index(name)] = np.nan
        return msgspec.structs.replace(self.signals, columns=columns)


def plant(seed: int, rhythm: Rhythm, hours: int = 24, step_ms: int = 10_000) -> Plant:
    """A furnace from six hours before T0 on; true are the cremations that lie well within."""
    model = FurnaceModel(seed, seed, Schedule(rhythm, 8 * 3600))
    from_ms, to_ms = T0 - 6 * HOUR_MS, T0 + hours * HOUR_MS
    states = [model.at(at_ms) for at_ms in range(from_ms, to_ms, step_ms)]
    columns = np.array([[getattr(state, name, np.nan) for state in states] for name in QUANTITIES], np.float64)
    truth = true_cycles(model, seed, from_ms, to_ms)
    whole = (one for one in truth if one.from_ms >= T0 - 3 * HOUR_MS and one.to_ms <= to_ms - HOUR_MS)
    return Plant(Signals(from_ms, step_ms, columns), tuple(whole))


def minutes_of(signals: Signals) -> Minutes:
    """The same as minute means."""
    size = MINUTE_MS // signals.step_ms

    def blocks(name: str) -> Float64s:
        column = signals.of(name)
        return column[: len(column) // size * size].reshape(-1, size)

    def mean(name: str) -> Float64s:
        return np.asarray(blocks(name).mean(axis=1))

    phase = blocks("phase")
    low, high = phase.min(axis=1), phase.max(axis=1)
    return Minutes(signals.start_ms, low, high, mean("charge_door_open"), mean("trolley_in"), mean("flue_o2"))


def found_in(signals: Signals, place: Place = PLACE) -> list[Cycle]:
    """Every cremation that the signals show."""
    near = charges(minutes_of(signals)).tolist()
    found = []
    for at, near_ms in enumerate(near):
        first = max(near[at - 1] if at else 0, near_ms - LOOKS_MS)
        follows = near[at + 1] if at + 1 < len(near) else near_ms + 2 * LOOKS_MS
        last = min(follows, near_ms + LOOKS_MS)
        cycle = find(signals.between(first, last), near_ms, follows == last, place, TERMS)
        found += [] if cycle is None else [cycle]
    return found


def matched(plant: Plant, found: list[Cycle]) -> list[tuple[TrueCycle, Cycle]]:
    """Each true cremation with the found one whose charge is nearest to its own."""
    return [(true, min(found, key=lambda one: abs(one.charge_ms - charge_of(true)))) for true in plant.truth]


def charge_of(true: TrueCycle) -> int:
    """When it was charged."""
    return next(phase.from_ms for phase in true.phases if phase.phase == "charge")
