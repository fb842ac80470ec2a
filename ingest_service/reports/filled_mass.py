"""The mass that a substituted concentration stands for: apart from what was measured, and never judged. Pure."""

from collections.abc import Sequence

import msgspec
import numpy as np

from ingest_service.columns import Bools, Float64s
from ingest_service.cycles.cycle import Cycle
from ingest_service.cycles.masses import flows_of
from ingest_service.cycles.signals import Signals
from ingest_service.emissions.flow import emitted_kg, mass_rate_kg_per_h
from ingest_service.emissions.normalise import too_much_air, wet_to_dry
from ingest_service.emissions.pack import Reference
from ingest_service.emissions.units import Oxide, Pollutant

_MINUTES_AN_HOUR = 60.0


class FilledMass(msgspec.Struct, frozen=True):
    """What left the stack in `minutes`, kg."""

    kg: float
    minutes: int


class Chimney(msgspec.Struct, frozen=True):
    """The measuring section: area, air pressure (None: the standard atmosphere), and whether O2 is that of wet gas."""

    area_m2: float
    barometric_pa: float | None
    o2_is_wet: bool


def filled_mass(
    pollutant: Pollutant,
    c_mg_per_m3: float,
    reference: Reference | None,
    gas: Signals,
    chimney: Chimney,
    cremations: Sequence[Cycle],
) -> FilledMass:
    """Of the minutes of cremations without a concentration of their own, where oxygen and flow are known.

    `c_mg_per_m3` is of dry gas at standard state and the reference oxygen; the mass is that at the measured oxygen.
    """
    c = np.full(len(gas), c_mg_per_m3)
    if reference is not None:
        c *= (reference.o2_base_pct - _dry_o2(gas, chimney, reference)) / (reference.o2_base_pct - reference.o2_pct)
    rate = mass_rate_kg_per_h(c, flows_of(gas, chimney.area_m2, chimney.barometric_pa).dry)
    rate[~_burning(gas, cremations) | _measured(gas, pollutant)] = np.nan
    return FilledMass(emitted_kg(rate, np.full(len(gas), 1.0 / _MINUTES_AN_HOUR)), int(np.isfinite(rate).sum()))


def _dry_o2(gas: Signals, chimney: Chimney, reference: Reference) -> Float64s:
    o2_pct = gas.of("flue_o2")
    dry = wet_to_dry(o2_pct, gas.of("stack_moisture")) if chimney.o2_is_wet else o2_pct
    return np.where(too_much_air(dry, reference.o2_max_pct), np.nan, dry)


def _burning(gas: Signals, cremations: Sequence[Cycle]) -> Bools:
    """Minutes that begin within a cremation: those whose measured mass is told as the cremations'."""
    found: Bools = np.zeros(len(gas), np.bool_)
    at_ms = gas.start_ms + np.arange(len(gas)) * gas.step_ms
    for one in cremations:
        found |= (at_ms >= one.start_ms) & (at_ms < one.end_ms)
    return found


def _measured(gas: Signals, pollutant: Pollutant) -> Bools:
    """Minutes whose mass was measured."""
    own = np.isfinite(gas.of(pollutant))
    if pollutant is not Pollutant.NOX:
        return own
    return np.asarray(own | (np.isfinite(gas.of(Oxide.NO)) & np.isfinite(gas.of(Oxide.NO2))))
