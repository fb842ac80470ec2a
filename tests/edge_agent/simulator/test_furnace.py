"""The furnace model: laws that hold at any time, and figures of normal running against GB 13801-2015, Table 2."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.simulator.furnace import FurnaceModel, FurnaceState
from edge_agent.simulator.schedule import Phase, Rhythm, Schedule
from edge_agent.simulator.truth import true_cycles
from edge_agent.wire.quantity import quantities

DAY_START_MS = round(datetime(2026, 11, 23, 16, tzinfo=UTC).timestamp() * 1000)  # midnight at UTC+8
DAY_MS = 86_400_000
BURNING = Schedule(Rhythm.ALWAYS_BURNING)
WORKING = Schedule(Rhythm.WORKING_DAY)
LIMITS = {"dust": 30.0, "so2": 30.0, "nox": 200.0, "co": 150.0, "hcl": 30.0}
ANALYSERS = ("flue_o2", "co", "so2", "nox", "hcl", "dust", "opacity")
TOTALS = ("gas_total", "electricity_total", "cremations_total")


def _day(model: FurnaceModel, step_s: int = 10, length_ms: int = DAY_MS) -> list[FurnaceState]:
    return [model.at(DAY_START_MS + at_ms) for at_ms in range(0, length_ms, step_s * 1000)]


def _converted(state: FurnaceState, quantity: str) -> float:
    """mg/m3 dry, 273.15 K, 101 325 Pa, at 11 % oxygen."""
    value = float(getattr(state, quantity))
    if quantity == "dust":
        value *= (273.15 + state.stack_temperature) / 273.15 * 101_325 / (101_325 + state.stack_pressure)
        value /= 1 - state.stack_moisture / 100
    return value * (21 - 11) / (21 - state.flue_o2)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def test_a_furnace_shows_every_quantity_but_the_counter_of_reads_and_the_two_oxides_apart() -> None:
    assert set(FurnaceState.__struct_fields__) == set(quantities()) - {"scan_counter", "no", "no2"}


@settings(max_examples=40, deadline=None)
@given(
    at_ms=st.integers(DAY_START_MS, DAY_START_MS + 300 * DAY_MS),
    seed=st.integers(0, 5),
    burning=st.sampled_from(Rhythm),
)
def test_the_same_seed_and_time_give_the_same_values_in_any_order(at_ms: int, seed: int, burning: Rhythm) -> None:
    asked, fresh = FurnaceModel(seed, 1, Schedule(burning)), FurnaceModel(seed, 1, Schedule(burning))
    for before in (at_ms + DAY_MS, at_ms - 7_000):
        asked.at(before)
    assert asked.at(at_ms) == fresh.at(at_ms)


def test_furnaces_and_seeds_differ() -> None:
    states = [FurnaceModel(seed, index).at(DAY_START_MS) for seed in (1, 2) for index in (1, 2)]
    assert len({state.gas_total for state in states}) == 4


def test_time_before_the_meters_began_is_refused() -> None:
    with pytest.raises(ValueError, match="2024"):
        FurnaceModel(1, 1).at(1_600_000_000_000)


@pytest.mark.parametrize("schedule", [BURNING, WORKING], ids=["always burning", "working day"])
@pytest.mark.parametrize("index", [1, 2, 3])
def test_totals_never_fall_and_go_on_through_midnight(schedule: Schedule, index: int) -> None:
    states = _day(FurnaceModel(4, index, schedule), step_s=60, length_ms=2 * DAY_MS)
    for total in TOTALS:
        values = [getattr(state, total) for state in states]
        steps = [b - a for a, b in pairwise(values)]
        assert min(steps) >= 0
        assert max(steps) <= 1.5
        assert values[-1] > values[0]


def test_the_gas_meter_counts_what_flows() -> None:
    states = _day(FurnaceModel(4, 1, BURNING))
    flowed_m3 = sum(state.gas_flow for state in states) * 10 / 3600
    assert states[-1].gas_total - states[0].gas_total == pytest.approx(flowed_m3, rel=0.01)


def test_the_electricity_meter_counts_what_is_drawn() -> None:
    states = _day(FurnaceModel(4, 1, WORKING))
    used_kwh = sum(state.electricity_power for state in states) * 10 / 3600
    assert states[-1].electricity_total - states[0].electricity_total == pytest.approx(used_kwh, rel=0.01)


@pytest.mark.parametrize("schedule", [BURNING, WORKING], ids=["always burning", "working day"])
@pytest.mark.parametrize("index", range(1, 8))
def test_hour_means_of_normal_running_keep_a_wide_distance_from_the_limits(schedule: Schedule, index: int) -> None:
    states = _day(FurnaceModel(7, index, schedule))
    for quantity, limit in LIMITS.items():
        for hour in range(24):
            values = [_converted(state, quantity) for state in states[hour * 360 : hour * 360 + 360]]
            assert _mean(values) < 0.75 * limit, (quantity, hour)


@pytest.mark.parametrize("index", [1, 2, 3])
def test_every_analyser_moves_every_second_while_the_furnace_burns(index: int) -> None:
    model = FurnaceModel(7, index, BURNING)
    states = [model.at(DAY_START_MS + second * 1000) for second in range(5400)]
    for quantity in ANALYSERS:
        values = [getattr(state, quantity) for state in states]
        still = sum(a == b for a, b in pairwise(values))
        assert still / len(values) < 0.2, quantity


# What each phase looks like (mean over the phase, from the literature on cremators).
PHASE_FIGURES = [
    (Phase.IGNITION, "flue_o2", 3.0, 9.0),
    (Phase.IGNITION, "chamber1_temperature", 750.0, 950.0),
    (Phase.IGNITION, "chamber2_temperature", 880.0, 1050.0),
    (Phase.MAIN, "flue_o2", 6.0, 12.0),
    (Phase.MAIN, "co", 4.0, 50.0),
    (Phase.MAIN, "chamber1_temperature", 800.0, 1000.0),
    (Phase.MAIN, "chamber2_temperature", 850.0, 1000.0),
    (Phase.MAIN, "induced_fan_frequency", 25.0, 45.0),
    (Phase.MAIN, "stack_velocity", 8.0, 15.0),
    (Phase.MAIN, "stack_moisture", 5.0, 15.0),
    (Phase.MAIN, "cooler_outlet_temperature", 140.0, 210.0),
    (Phase.MAIN, "stack_temperature", 100.0, 160.0),
    (Phase.MAIN, "chamber_draught", -50.0, -10.0),
    (Phase.MAIN, "filter_pressure_drop", 500.0, 1500.0),
    (Phase.BURNOUT, "flue_o2", 10.0, 15.0),
    (Phase.BURNOUT, "co", 1.0, 20.0),
    (Phase.BURNOUT, "gas_flow", 10.0, 32.0),
    (Phase.COOLING, "flue_o2", 14.0, 20.0),
    (Phase.COOLING, "chamber1_temperature", 600.0, 800.0),
]


@pytest.mark.parametrize(("phase", "quantity", "low", "high"), PHASE_FIGURES)
def test_phases_look_as_in_a_real_furnace(phase: Phase, quantity: str, low: float, high: float) -> None:
    states = [state for state in _day(FurnaceModel(9, 2, BURNING), step_s=30) if state.phase == phase]
    assert low <= _mean([float(getattr(state, quantity)) for state in states]) <= high


def test_carbon_monoxide_peaks_when_oxygen_dips_at_ignition() -> None:
    states = _day(FurnaceModel(9, 2, BURNING), step_s=5)
    highest = max(states, key=lambda state: state.co)
    assert highest.phase == Phase.IGNITION
    assert highest.flue_o2 < 5.0
    assert 100.0 < highest.co < 2000.0


def test_charging_opens_the_door_cools_the_chamber_and_brings_air() -> None:
    states = _day(FurnaceModel(9, 2, BURNING), step_s=5)
    charging = [state for state in states if state.phase == Phase.CHARGE]
    assert {state.charge_door_open for state in charging} == {0, 1}
    assert {state.trolley_in for state in charging} == {0, 1}
    assert all(state.charge_door_open == 0 for state in states if state.phase != Phase.CHARGE)
    assert all(state.ash_door_open == 0 for state in states if state.phase != Phase.COOLING)
    assert max(state.flue_o2 for state in charging) > 16.5
    assert 50.0 < charging[0].chamber1_temperature - charging[-1].chamber1_temperature + 45.0 < 200.0


def test_about_one_cremation_in_ten_dips_below_850_degrees_while_it_burns() -> None:
    dipped = []
    for index in range(1, 5):
        model = FurnaceModel(7, index, BURNING)
        for cycle in true_cycles(model, index, DAY_START_MS, DAY_START_MS + DAY_MS):
            times = range(cycle.phases[1].from_ms, cycle.phases[-1].from_ms, 20_000)
            dipped.append(min(model.at(at_ms).chamber2_temperature for at_ms in times) < 850.0)
    assert 0.02 < _mean(dipped) < 0.2


def test_draught_follows_the_induced_fan() -> None:
    states = [state for state in _day(FurnaceModel(9, 2, WORKING), step_s=60) if not state.charge_door_open]
    strong = [state.chamber_draught for state in states if state.induced_fan_frequency > 35]
    weak = [state.chamber_draught for state in states if state.induced_fan_frequency < 15]
    assert _mean(strong) < _mean(weak) - 15.0


def test_burners_say_on_exactly_when_they_burn() -> None:
    for state in _day(FurnaceModel(9, 2, WORKING), step_s=60):
        assert state.burner1_on == (state.burner1_modulation > 2.0)
        assert state.burner2_on == (state.burner2_modulation > 2.0)
