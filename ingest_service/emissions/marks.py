"""What people and cycle detection say about a furnace's time: marks of plant state, and cremations."""

from enum import IntEnum, unique

import msgspec
import numpy as np

from edge_agent.wire.durations import HOUR_MS, MINUTE_MS
from ingest_service.columns import Bools, Int64s
from ingest_service.emissions.columns import MINUTES


@unique
class PlantState(IntEnum):
    """What an operator marks. The numbers are stored: never renumber."""

    START_UP = 0
    CALIBRATION = 1
    MAINTENANCE = 2
    FAULT = 3
    STOPPED = 4

    @property
    def label(self) -> str:
        """The name in rule packs, in the store and in the API."""
        return self.name.lower()


STATES = {state.label: state for state in PlantState}


class Marks(msgspec.Struct, frozen=True):
    """Operators' marks that hold, as parallel columns: `state` has codes of `PlantState`; `[start_ms, end_ms)`, UTC."""

    furnace: Int64s
    start_ms: Int64s
    end_ms: Int64s
    state: Int64s

    def __len__(self) -> int:
        return len(self.furnace)


class CycleSpan(msgspec.Struct, frozen=True):
    """Finished cremations as parallel columns, sorted by (furnace, start): `[start_ms, end_ms)`, UTC."""

    furnace: Int64s
    start_ms: Int64s
    end_ms: Int64s

    def __len__(self) -> int:
        return len(self.furnace)


def no_marks() -> Marks:
    """Nothing was marked."""
    nothing = np.empty(0, np.int64)
    return Marks(nothing, nothing, nothing, nothing)


def no_cycles() -> CycleSpan:
    """No cremation is known."""
    nothing = np.empty(0, np.int64)
    return CycleSpan(nothing, nothing, nothing)


def marked_minutes(marks: Marks, furnace: Int64s, hour_ms: Int64s, states: frozenset[PlantState]) -> Bools:
    """Minutes (rows, 60) that a mark of one of `states` touches; a row per (furnace, hour)."""
    found: Bools = np.zeros((len(furnace), MINUTES), np.bool_)
    minute_ms = np.arange(MINUTES, dtype=np.int64) * MINUTE_MS
    wanted = np.isin(marks.state, np.array(sorted(states), np.int64))
    for at in np.flatnonzero(wanted):  # marks are few: people make them
        start_ms, end_ms = marks.start_ms[at], marks.end_ms[at]
        rows = np.flatnonzero((furnace == marks.furnace[at]) & (hour_ms < end_ms) & (hour_ms + HOUR_MS > start_ms))
        begin_ms = hour_ms[rows, None] + minute_ms
        found[rows] |= (begin_ms < end_ms) & (begin_ms + MINUTE_MS > start_ms)
    return found
