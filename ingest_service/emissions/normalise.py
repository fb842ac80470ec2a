"""Emission arithmetic: from what an analyser shows to dry gas at standard state and reference oxygen. Vectorised.

Formulas as in HJ 75-2017 and HJ 1045-2019 Annex A, as quoted in public code. NaN in gives NaN out.
"""

import numpy as np

from ingest_service.columns import Float64s

STANDARD_TEMPERATURE_K = 273.0  # as the quoted formulas write it
STANDARD_PRESSURE_PA = 101_325.0
MOLAR_VOLUME_L = 22.4  # of an ideal gas at standard state, as the quoted formulas write it

# g/mol, rounded as the quoted formulas round them.
MOLAR_MASS_G: dict[str, float] = {"co": 28.0, "so2": 64.0, "no": 30.0, "no2": 46.0, "hcl": 36.5}


def nox_as_no2(no: Float64s, no2: Float64s) -> Float64s:
    """Nitrogen oxides as NO2, mg/m3, from NO and NO2 in mg/m3 of the same gas: NO * 46 / 30 + NO2 (HJ 75-2017)."""
    return np.asarray(no * (MOLAR_MASS_G["no2"] / MOLAR_MASS_G["no"]) + no2)


def nox_as_no2_of_ppm(no_ppm: Float64s, no2_ppm: Float64s) -> Float64s:
    """Nitrogen oxides as NO2, mg/m3 at standard state, from parts per million by volume: (NO + NO2) * 46 / 22.4."""
    return np.asarray((no_ppm + no2_ppm) * (MOLAR_MASS_G["no2"] / MOLAR_VOLUME_L))


def to_reference_oxygen(
    c: Float64s, o2_pct: Float64s, reference_o2_pct: float, base_pct: float = 21.0, o2_max_pct: float = 20.0
) -> Float64s:
    """Concentration (dry) at reference oxygen: c * (base - reference) / (base - O2); O2 in % vol, dry.

    Above `o2_max_pct` the factor runs away (for 11 %: 10 at 20 %, 100 at 20.9 %): NaN there, see `too_much_air`.
    """
    refused = too_much_air(o2_pct, o2_max_pct)
    distance = np.where(refused, np.nan, base_pct - o2_pct)
    return np.asarray(c * (base_pct - reference_o2_pct) / distance)


def too_much_air(o2_pct: Float64s, o2_max_pct: float) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Where oxygen (% vol, dry) is too near that of air for a conversion; False where it is unknown (NaN)."""
    return np.asarray(o2_pct > o2_max_pct)


def wet_to_dry(c: Float64s, moisture_pct: Float64s) -> Float64s:
    """Concentration or oxygen of wet gas as of dry gas: c / (1 - X/100); NaN where X is not in [0, 100)."""
    possible = (moisture_pct >= 0.0) & (moisture_pct < 100.0)
    return np.asarray(c / np.where(possible, 1.0 - moisture_pct / 100.0, np.nan))


def standard_state(
    c: Float64s, stack_temperature_c: Float64s, stack_pressure_pa: Float64s, barometric_pa: float
) -> Float64s:
    """Concentration at 273 K and 101 325 Pa: c * 101325 / (Ba + Ps) * (273 + t) / 273; Ps is relative to Ba."""
    absolute_pa = barometric_pa + stack_pressure_pa
    warmth = (STANDARD_TEMPERATURE_K + stack_temperature_c) / STANDARD_TEMPERATURE_K
    return np.asarray(c * STANDARD_PRESSURE_PA / np.where(absolute_pa > 0, absolute_pa, np.nan) * warmth)
