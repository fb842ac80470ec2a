"""One furnace as a pure function of time: `FurnaceModel(seed, index).at(at_ms)`."""

from bisect import bisect_right
from random import Random

import msgspec

from edge_agent.simulator import process
from edge_agent.simulator.character import Character, draw_character, draw_temper
from edge_agent.simulator.curve import Areas, Curve, Drivers, draw_curve
from edge_agent.simulator.noise import Noise, draw_rings
from edge_agent.simulator.schedule import DAY_S, Phase, Schedule, Span, cycles_a_day, day_offset_s, plan_day

# Meters count from here: 2024-01-01 as days since 1970.
FIRST_DAY = 19_723
_ON_ABOVE = 0.02
_HOUR_S = 3600.0


class FurnaceState(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What every sensor shows at one second. The fields are the names, their units those of quantities.toml."""

    chamber1_temperature: float
    chamber2_temperature: float
    chamber_draught: float
    flue_o2: float
    co: float
    so2: float
    nox: float
    hcl: float
    dust: float
    opacity: float
    stack_temperature: float
    stack_pressure: float
    stack_velocity: float
    stack_moisture: float
    burner1_on: int
    burner2_on: int
    burner1_modulation: float
    burner2_modulation: float
    combustion_fan_frequency: float
    induced_fan_frequency: float
    induced_fan_current: float
    charge_door_open: int
    ash_door_open: int
    trolley_in: int
    gas_flow: float
    gas_total: float
    electricity_power: float
    electricity_total: float
    cooler_outlet_temperature: float
    filter_inlet_temperature: float
    filter_pressure_drop: float
    lime_dosing: float
    carbon_dosing: float
    phase: int
    cremations_total: int


class Day(msgspec.Struct, frozen=True):
    """One day of one furnace: its phases, its curve, and how gas and fans run beside an average day."""

    number: int
    spans: tuple[Span, ...]
    begins: list[float]
    curve: Curve
    gas_factor: float
    power_factor: float

    def span_at(self, second: float) -> Span:
        """The phase that holds at a second of the day."""
        return self.spans[bisect_right(self.begins, second) - 1]


class Doors(msgspec.Struct, frozen=True):
    """Doors and trolley as their switches show them, 0 or 1."""

    charge_open: int
    ash_open: int
    trolley_in: int


class FurnaceModel:
    """A furnace drawn from seed and index; any second from 2024 on can be asked for, in any order."""

    def __init__(self, seed: int, index: int, schedule: Schedule | None = None) -> None:
        self._schedule = schedule or Schedule()
        self._key = f"{seed}:{index}:{self._schedule.rhythm}"
        rng = Random(f"{seed}:{index}")
        self._own = draw_character(rng)
        self._rings = draw_rings(rng)
        self.cycles = cycles_a_day(self._schedule, rng)
        self._shift_s = self._schedule.utc_offset_s - day_offset_s(self._schedule, rng)
        self._reference = self._draw_curve("reference")[1].areas[-1]
        self._day = self._draw_day(FIRST_DAY)

    def at(self, at_ms: int) -> FurnaceState:
        """What the sensors show in the second of `at_ms` (ms since 1970 UTC). Raises ValueError before 2024."""
        second = at_ms // 1000
        number, of_day = divmod(second + self._shift_s, DAY_S)
        day = self.day(number)
        drivers, areas = day.curve.at(float(of_day))
        return self._show(day, day.span_at(of_day), drivers, areas, self._rings.at(second), second)

    def day(self, number: int) -> Day:
        """The day of that number (days since 1970 in the furnace's own time)."""
        if number != self._day.number:
            if number < FIRST_DAY:
                raise ValueError("a simulated furnace has no time before 2024")
            self._day = self._draw_day(number)
        return self._day

    def day_number(self, at_ms: int) -> int:
        """The furnace's day that holds at `at_ms`."""
        return (at_ms // 1000 + self._shift_s) // DAY_S

    def day_start_ms(self, number: int) -> int:
        """When the furnace's day begins, ms since 1970 UTC."""
        return (number * DAY_S - self._shift_s) * 1000

    def cremations_before(self, number: int) -> int:
        """What the counter of cremations shows when that day begins."""
        return self._own.cremations_read + (number - FIRST_DAY) * self.cycles

    def _draw_curve(self, name: str) -> tuple[tuple[Span, ...], Curve]:
        rng = Random(f"{self._key}:{name}")
        spans = plan_day(self._schedule, self.cycles, rng)
        return spans, draw_curve(spans, [draw_temper(rng) for _ in range(self.cycles)])

    def _draw_day(self, number: int) -> Day:
        spans, curve = self._draw_curve(str(number))
        used, usual, own = curve.areas[-1], self._reference, self._own
        return Day(
            number,
            spans,
            [span.from_s for span in spans],
            curve,
            _gas_m3(usual, own) / _gas_m3(used, own),
            process.fan_power_kw(usual.air, usual.draw) / process.fan_power_kw(used.air, used.draw),
        )

    def _show(self, day: Day, span: Span, drivers: Drivers, areas: Areas, noise: Noise, second: int) -> FurnaceState:
        own = self._own
        doors = _doors(span, (second + self._shift_s) % DAY_S)
        chamber = process.sense_chamber(drivers, noise, own, door_open=doors.charge_open)
        stack = process.sense_stack(drivers, noise, own, second)
        gas = process.sense_gas(drivers, chamber, stack, noise, own)
        plant = process.sense_plant(drivers, noise, own, chamber.activity)
        return FurnaceState(
            chamber1_temperature=chamber.chamber1_c,
            chamber2_temperature=chamber.chamber2_c,
            chamber_draught=chamber.draught_pa,
            flue_o2=gas.o2_pct,
            co=gas.co,
            so2=gas.so2,
            nox=gas.nox,
            hcl=gas.hcl,
            dust=gas.dust,
            opacity=gas.opacity_pct,
            stack_temperature=stack.stack_c,
            stack_pressure=stack.pressure_pa,
            stack_velocity=stack.velocity_m_per_s,
            stack_moisture=stack.moisture_pct,
            burner1_on=int(drivers.burner1 > _ON_ABOVE),
            burner2_on=int(drivers.burner2 > _ON_ABOVE),
            burner1_modulation=round(100.0 * drivers.burner1, 1),
            burner2_modulation=round(100.0 * drivers.burner2, 1),
            combustion_fan_frequency=plant.air_hz,
            induced_fan_frequency=plant.draw_hz,
            induced_fan_current=plant.draw_a,
            charge_door_open=doors.charge_open,
            ash_door_open=doors.ash_open,
            trolley_in=doors.trolley_in,
            gas_flow=process.metered_gas(plant.gas_m3_per_h * day.gas_factor, noise),
            gas_total=self._gas_total(day, areas),
            electricity_power=process.metered_power(own.standby_kw + plant.power_kw * day.power_factor, noise),
            electricity_total=self._electricity_total(day, areas, second),
            cooler_outlet_temperature=stack.cooler_c,
            filter_inlet_temperature=stack.filter_c,
            filter_pressure_drop=stack.pressure_drop_pa,
            lime_dosing=plant.lime_kg_per_h,
            carbon_dosing=plant.carbon_kg_per_h,
            phase=int(span.phase),
            cremations_total=self._cremations_total(day, span),
        )

    def _gas_total(self, day: Day, areas: Areas) -> float:
        """The meter in m3: every day adds what the reference day used, so no history is needed."""
        days_m3 = (day.number - FIRST_DAY) * _gas_m3(self._reference, self._own)
        return round(self._own.gas_read_m3 + days_m3 + day.gas_factor * _gas_m3(areas, self._own), 1)

    def _electricity_total(self, day: Day, areas: Areas, second: int) -> float:
        """The meter in kWh: standby and fans."""
        past_s = second + self._shift_s - FIRST_DAY * DAY_S
        usual, today = self._reference, areas
        fans_kws = (day.number - FIRST_DAY) * process.fan_power_kw(usual.air, usual.draw)
        fans_kws += day.power_factor * process.fan_power_kw(today.air, today.draw)
        return round(self._own.electricity_read_kwh + (self._own.standby_kw * past_s + fans_kws) / _HOUR_S, 1)

    def _cremations_total(self, day: Day, span: Span) -> int:
        """The counter moves when a cremation ends."""
        if span.cycle is not None:
            return self.cremations_before(day.number) + span.cycle
        return self.cremations_before(day.number) + (0 if span.from_s == 0.0 else self.cycles)


def _gas_m3(areas: Areas, own: Character) -> float:
    return (own.burner1_m3_per_h * areas.burner1 + own.burner2_m3_per_h * areas.burner2) / _HOUR_S


def _doors(span: Span, second: float) -> Doors:
    """The charge door opens for the trolley, the ash door while the chamber cools."""
    share = (second - span.from_s) / span.length_s
    if span.phase is Phase.CHARGE:
        return Doors(int(0.1 < share < 0.85), 0, int(share > 0.6))
    return Doors(0, int(span.phase is Phase.COOLING and 0.3 < share < 0.7), 1)
