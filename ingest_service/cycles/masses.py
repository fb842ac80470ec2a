"""How much of each pollutant left the stack: flow times concentration, step by step. Pure."""

from functools import partial

import msgspec
import numpy as np

from edge_agent.wire.durations import HOUR_MS
from ingest_service.columns import Float64s
from ingest_service.cycles.signals import Signals
from ingest_service.emissions.flow import (
    emitted_kg,
    mass_rate_kg_per_h,
    stack_flow_m3_per_h,
    standard_dry_flow_m3_per_h,
)
from ingest_service.emissions.limits import Basis, Signal
from ingest_service.emissions.measured import Measured, measured
from ingest_service.emissions.units import Oxide, Pollutant

POLLUTANTS = (Pollutant.CO, Pollutant.SO2, Pollutant.NOX, Pollutant.HCL, Pollutant.DUST)
MEASURED: tuple[Pollutant | Oxide, ...] = (*POLLUTANTS, *Oxide)


class Stack(msgspec.Struct, frozen=True):
    """The measuring section: its area, the air pressure there, and the basis of each of MEASURED (None: no channel).

    Without an area there is no flow; the pressure of the standard atmosphere is meant where None is given.
    """

    area_m2: float | None
    barometric_pa: float | None
    bases: tuple[Basis | None, ...]

    def shows(self, signals: Signals, quantity: Pollutant | Oxide) -> Measured:
        """What the channel of one of MEASURED shows; a gas in an unknown unit is unknown in the signals already."""
        basis = self.bases[MEASURED.index(quantity)]
        present = np.array([basis is not None])
        codes = np.array([Basis.UNKNOWN if basis is None else basis], np.int64)
        return Measured(Signal(signals.of(quantity)[None], present), codes, present)


class Flows(msgspec.Struct, frozen=True):
    """The flow of each step for each basis, m3/h."""

    actual: Float64s
    dry: Float64s
    wet: Float64s

    def of(self, basis: Basis) -> Float64s:
        """The flow that belongs to a concentration of that basis; unknown (NaN) where the basis is."""
        match basis:
            case Basis.DRY_STANDARD:
                return self.dry
            case Basis.WET_STANDARD:
                return self.wet
            case Basis.WET_ACTUAL:
                return self.actual
            case Basis.UNKNOWN:
                return np.full_like(self.dry, np.nan)


def emitted_g(signals: Signals, stack: Stack) -> tuple[float | None, ...]:
    """The mass of each of POLLUTANTS that left the stack while it was known, g; None where it never was."""
    if stack.area_m2 is None:
        return (None,) * len(POLLUTANTS)
    flows = flows_of(signals, stack.area_m2, stack.barometric_pa)
    hours = np.full(len(signals), signals.step_ms / HOUR_MS)
    found = [measured(pollutant, partial(stack.shows, signals)) for pollutant in POLLUTANTS]
    rates = [mass_rate_kg_per_h(one.signal.minutes[0], flows.of(Basis(int(one.basis[0])))) for one in found]
    return tuple(emitted_kg(rate, hours) * 1000.0 if np.isfinite(rate).any() else None for rate in rates)


def flows_of(signals: Signals, area_m2: float, barometric_pa: float | None) -> Flows:
    """What flows through the stack."""
    pressure_pa = 101_325.0 if barometric_pa is None else barometric_pa
    actual = stack_flow_m3_per_h(signals.of("stack_velocity"), area_m2)
    state = signals.of("stack_temperature"), signals.of("stack_pressure"), pressure_pa
    moisture = signals.of("stack_moisture")
    dry = standard_dry_flow_m3_per_h(actual, *state, moisture)
    wet = standard_dry_flow_m3_per_h(actual, *state, np.zeros_like(moisture))
    return Flows(actual, dry, wet)
