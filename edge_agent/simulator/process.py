"""What sensors show, from what drives the furnace: chambers, analysers, stack, fans, clean-up plant.

Concentrations begin as mg/m3 at 11 % oxygen and are thinned by the air that is there, as in a real flue.
"""

from typing import NamedTuple

from edge_agent.simulator.character import Character
from edge_agent.simulator.curve import Drivers
from edge_agent.simulator.noise import LANES, Noise

(
    _T1, _T2, _DRAUGHT, _O2, _CO, _SO2, _NOX, _HCL, _DUST, _OPACITY, _STACK_T, _STACK_P, _VELOCITY, _MOISTURE,
    _AIR, _DRAW, _CURRENT, _GAS, _POWER, _COOLER, _FILTER, _PRESSURE_DROP, _DOSING,
) = range(LANES)  # fmt: skip
_STARVED_BELOW_O2_PCT = 6.2
_AIR_O2_PCT, _REFERENCE_O2_PCT = 21.0, 11.0
_CLEANING_EVERY_S = 2_400
_BAG_LIFE_S = 90 * 86_400
# What lime and carbon take out: without them HCl and SO2 are so many times higher.
LIME_SPARES = 8.0


class Chamber(NamedTuple):
    """Temperatures in °C, draught in Pa (negative is suction), oxygen that is really there in % dry."""

    chamber1_c: float
    chamber2_c: float
    draught_pa: float
    true_o2_pct: float
    activity: float


class Stack(NamedTuple):
    """The gas where it leaves, and on its way through the clean-up plant."""

    cooler_c: float
    filter_c: float
    stack_c: float
    pressure_pa: float
    velocity_m_per_s: float
    moisture_pct: float
    pressure_drop_pa: float


class Gas(NamedTuple):
    """Analyser readings: mg/m3 dry at standard conditions, dust as in the stack (wet, hot); O2 and opacity in %."""

    o2_pct: float
    co: float
    so2: float
    nox: float
    hcl: float
    dust: float
    opacity_pct: float


class Plant(NamedTuple):
    """Fans, dosing and meters: Hz, A, kg/h, m3/h, kW."""

    air_hz: float
    draw_hz: float
    draw_a: float
    lime_kg_per_h: float
    carbon_kg_per_h: float
    gas_m3_per_h: float
    power_kw: float


def sense_chamber(drivers: Drivers, noise: Noise, own: Character, *, door_open: int) -> Chamber:
    """Draught follows the induced fan, falls with a fierce fire and collapses when the charge door is open."""
    activity = min(1.0, drivers.burner1 + drivers.burner2 + drivers.load)
    wander = 0.04 + 0.5 * activity
    o2 = drivers.o2_pct + wander * noise.slow(_O2)
    draught = -4.0 - (58.0 * own.draught * drivers.draw - 14.0 * drivers.load) * drivers.draw + 14.0 * door_open
    return Chamber(
        round(drivers.chamber1_c + (2.0 + 7.0 * activity) * noise.both(_T1), 1),
        round(drivers.chamber2_c + (2.0 + 5.0 * activity) * noise.both(_T2), 1),
        round(draught + (0.3 + 2.5 * activity) * noise.both(_DRAUGHT), 1),
        min(20.75, max(2.5, o2)),
        activity,
    )


def sense_stack(drivers: Drivers, noise: Noise, own: Character, second: int) -> Stack:
    """The gas cools from the quench to the stack; the filter's resistance grows with flow, cake and age."""
    cooler = 26.0 + 0.162 * own.heat_loss * drivers.chamber2_c + 2.5 * noise.both(_COOLER)
    filter_c = 24.0 + 0.72 * (cooler - 26.0) + 1.2 * noise.both(_FILTER)
    stack_c = 22.0 + 0.78 * (filter_c - 24.0) + 0.8 * noise.both(_STACK_T)
    velocity = (1.0 + 13.0 * own.flow * drivers.draw) * (273.15 + stack_c) / 400.0
    cake = 120.0 * (second % _CLEANING_EVERY_S) / _CLEANING_EVERY_S
    aged = 1.0 + 0.35 * ((second + own.bag_age_s) % _BAG_LIFE_S) / _BAG_LIFE_S
    moisture = 1.8 + 8.0 * drivers.load + 4.0 * (drivers.burner1 + drivers.burner2)
    return Stack(
        round(cooler, 1),
        round(filter_c, 1),
        round(stack_c, 1),
        round(-6.0 - 75.0 * drivers.draw + 3.0 * noise.both(_STACK_P), 1),
        round(velocity * (1.0 + 0.02 * noise.both(_VELOCITY)), 2),
        round(moisture * (1.0 + 0.03 * noise.both(_MOISTURE)), 2),
        round((25.0 + (820.0 + cake) * aged * drivers.draw) * (1.0 + 0.012 * noise.both(_PRESSURE_DROP)), 0),
    )


def sense_gas(drivers: Drivers, chamber: Chamber, stack: Stack, noise: Noise, own: Character) -> Gas:
    """What the analysers show; CO shoots up where the fire lacks air, at ignition above all."""
    o2, activity, load = chamber.true_o2_pct, chamber.activity, drivers.load
    thinned = (_AIR_O2_PCT - o2) / (_AIR_O2_PCT - _REFERENCE_O2_PCT) * activity
    starved = max(0.0, _STARVED_BELOW_O2_PCT - o2)
    co = 0.5 + 4.0 * activity + 5.0 * load + own.co_gain * starved * starved + 130.0 * drivers.smoke
    nox11 = (62.0 + 50.0 * load + 0.16 * (drivers.chamber2_c - 850.0)) * own.nox
    dust = 0.3 + (4.0 + 4.5 * load) * own.dust * thinned
    return Gas(
        round(o2 + 0.04 * noise.fast(_O2), 2),
        _reading(co, 0.08, noise, _CO),
        _reading(0.3 + (4.0 + 6.0 * load) * own.so2 * thinned, 0.06, noise, _SO2),
        _reading(0.8 + max(20.0, nox11) * thinned, 0.03, noise, _NOX),
        _reading(0.25 + (4.0 + 6.5 * load) * own.hcl * thinned, 0.06, noise, _HCL),
        _reading(_as_in_stack(dust, stack), 0.07, noise, _DUST),
        _reading(0.6 + 0.9 * activity + 9.0 * drivers.smoke + 0.004 * co, 0.08, noise, _OPACITY),
    )


def sense_plant(drivers: Drivers, noise: Noise, own: Character, activity: float) -> Plant:
    """Fans, dosing and gas; `gas_m3_per_h` and `power_kw` are what the meters integrate, without day factors."""
    working = 1.0 if activity > 0.05 else 0.0
    current = own.fan_current_a * (0.2 + 0.8 * drivers.draw**2) * (1.0 + 0.015 * noise.both(_CURRENT))
    lime = working * (0.5 + 1.2 * drivers.load) * (1.0 + 0.04 * noise.both(_DOSING))
    return Plant(
        round(50.0 * drivers.air + 0.08 * noise.both(_AIR), 2) if drivers.air > 0.02 else 0.0,
        round(50.0 * drivers.draw + 0.1 * noise.both(_DRAW), 2),
        round(current, 2),
        round(lime, 3),
        round(0.25 * lime, 3),
        own.burner1_m3_per_h * drivers.burner1 + own.burner2_m3_per_h * drivers.burner2,
        fan_power_kw(drivers.air, drivers.draw),
    )


def fan_power_kw(air: float, draw: float) -> float:
    """Electric power of both fans at these shares of full speed; linear, so that areas give energy."""
    return 6.5 * air + 21.0 * draw


def metered_gas(gas_m3_per_h: float, noise: Noise) -> float:
    """What a gas flow transmitter shows, m3/h."""
    return max(0.0, round(gas_m3_per_h * (1.0 + 0.015 * noise.both(_GAS)), 2))


def metered_power(power_kw: float, noise: Noise) -> float:
    """What a power meter shows, kW."""
    return round(power_kw * (1.0 + 0.01 * noise.both(_POWER)), 2)


def _reading(value: float, flicker: float, noise: Noise, lane: int) -> float:
    """A reading with noise in proportion to the value, resolution 0.01, never below 0."""
    return round(max(0.0, value * (1.0 + flicker * noise.both(lane))), 2)


def _as_in_stack(dry_standard: float, stack: Stack) -> float:
    """From mg/m3 dry at 273.15 K and 101 325 Pa to mg/m3 as the gas is in the stack."""
    shrink = 273.15 / (273.15 + stack.stack_c) * (101_325.0 + stack.pressure_pa) / 101_325.0
    return dry_standard * shrink * (1.0 - stack.moisture_pct / 100.0)
