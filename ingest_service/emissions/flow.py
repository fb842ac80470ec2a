"""Flue gas flow and emitted mass. Vectorised; NaN in gives NaN out.

The ideal gas law and unit identities, written with the constants of `normalise`.
"""

import numpy as np

from ingest_service.columns import Float64s
from ingest_service.emissions.normalise import STANDARD_PRESSURE_PA, STANDARD_TEMPERATURE_K, wet_to_dry

SECONDS_AN_HOUR = 3600.0


def stack_flow_m3_per_h(velocity_m_per_s: Float64s, area_m2: float) -> Float64s:
    """Flow at stack conditions, wet: 3600 * v * F."""
    return np.asarray(velocity_m_per_s * area_m2 * SECONDS_AN_HOUR)


def standard_dry_flow_m3_per_h(
    flow_m3_per_h: Float64s,
    stack_temperature_c: Float64s,
    stack_pressure_pa: Float64s,
    barometric_pa: float,
    moisture_pct: Float64s,
) -> Float64s:
    """Flow of dry gas at 273 K and 101 325 Pa: Q * 273 / (273 + t) * (Ba + Ps) / 101325 * (1 - X / 100)."""
    cold = STANDARD_TEMPERATURE_K / (STANDARD_TEMPERATURE_K + stack_temperature_c)
    absolute = (barometric_pa + stack_pressure_pa) / STANDARD_PRESSURE_PA
    dryness = 1.0 / wet_to_dry(np.ones_like(moisture_pct), moisture_pct)
    return np.asarray(flow_m3_per_h * cold * np.where(absolute > 0, absolute, np.nan) * dryness)


def mass_rate_kg_per_h(c_mg_per_m3: Float64s, flow_m3_per_h: Float64s) -> Float64s:
    """Mass rate: concentration (dry, standard state, at the measured oxygen) times flow (dry, standard state) / 10^6.

    The converted concentration must not be used: at reference oxygen it belongs to another flow.
    """
    return np.asarray(c_mg_per_m3 * flow_m3_per_h * 1e-6)


def emitted_kg(rate_kg_per_h: Float64s, covered_h: Float64s) -> float:
    """Mass of a stretch: the sum of rate times covered hours. What is unknown (NaN) adds nothing: see substitution."""
    return float(np.nansum(rate_kg_per_h * covered_h))
