"""Flue gas for tests: hours of dry gas at 11 % oxygen, so that what is measured is what is judged."""

from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import NDArray

from ingest_service.emissions.assessment import Evidence
from ingest_service.emissions.averages import Averaging
from ingest_service.emissions.limits import Basis, HourRows, Signal
from ingest_service.emissions.marks import CycleSpan, no_cycles
from ingest_service.emissions.pack import Limit, RulePack, Share
from ingest_service.emissions.rulepack import load_pack
from ingest_service.emissions.units import Pollutant
from ingest_service.emissions.vocabulary import Bound
from tests.ingest_service.emissions.zones import SHANGHAI

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]
# The value of every minute: (furnace, minute since 1970 UTC) arrays in, mg/m3 out (NaN: missing).
Signals = Callable[[Int64s, Int64s], Float64s]

PACK = load_pack("gb13801-2015-table2")


def hours_of(values: Float64s, excluded: NDArray[np.bool_] | None = None) -> HourRows:
    """Rows (hours, 60) of dry gas at 11 % oxygen."""
    rows, nothing = len(values), np.zeros(values.shape, np.bool_)
    present = np.ones(rows, np.bool_)
    absent = Signal(np.full(values.shape, np.nan), ~present)
    return HourRows(
        concentration=Signal(values, present),
        basis=np.full(rows, int(Basis.DRY_STANDARD), np.int64),
        unit_known=present,
        o2=Signal(np.full(values.shape, 11.0), present),
        o2_is_wet=~present,
        moisture=absent,
        stack_temperature=absent,
        stack_pressure=absent,
        excluded=nothing if excluded is None else excluded,
        marked=nothing,
    )


def evidence(signal: Signals, cycles: CycleSpan | None = None, idle: Signals | None = None) -> Evidence:
    """Minutes as `signal` says; those where `idle` is above 0 are excluded."""

    def laid_out(furnace: Int64s, hour_ms: Int64s) -> HourRows:
        minute = hour_ms[:, None] // 60_000 + np.arange(60)
        furnaces = np.broadcast_to(furnace[:, None], minute.shape)
        excluded = None if idle is None else idle(furnaces, minute) > 0
        return hours_of(signal(furnaces, minute), excluded)

    return Evidence(laid_out, no_cycles() if cycles is None else cycles, SHANGHAI, None)


def limit_over(
    averaging: Averaging, limit: float = 50.0, bound: Bound = Bound.AT_MOST, share: Share | None = None
) -> Limit:
    """A limit of carbon monoxide over another averaging than the pack's."""
    known = next(one for one in PACK.limit if one.pollutant is Pollutant.CO)
    return msgspec.structs.replace(known, averaging=averaging, limit=limit, bound=bound, share=share)


def pack_of(*limits: Limit) -> RulePack:
    """Table 2 with other limits."""
    return msgspec.structs.replace(PACK, limit=limits)


def ids(*values: int) -> Int64s:
    return np.array(values, np.int64)


def cycles(*spans: tuple[int, int, int]) -> CycleSpan:
    """Cremations: (furnace, start, end)."""
    columns = [np.array(column, np.int64) for column in zip(*sorted(spans), strict=True)]
    return CycleSpan(*columns)
