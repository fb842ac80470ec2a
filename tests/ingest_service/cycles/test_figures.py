"""Figures of one cremation, from signals that are known to the step."""

from datetime import UTC
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.wire.quantity import PHASES
from ingest_service.cycles.cycle import Cycle, StartKind
from ingest_service.cycles.finding import Place, Terms, find, highest_mean
from ingest_service.cycles.masses import Stack, emitted_g
from ingest_service.cycles.meters import used, used_so_far
from ingest_service.cycles.signals import NO_SERIES, QUANTITIES, Feed, Signals, lay_out
from ingest_service.emissions.limits import Basis
from ingest_service.store.batch import SampleBatch

T0 = 495_000 * 3_600_000
MINUTES = {"idle": 5, "preheat": 10, "charge": 2, "ignition": 8, "main": 40, "burnout": 15, "cooling": 10}
CODES = {name: code for code, name in PHASES.items()}
DRY = (*(Basis.DRY_STANDARD,) * 5, None, None)
TERMS = Terms(chamber2_limit_c=850.0, co2_kg_per_m3=2.0, cold_below_c=500.0)


def signals(**columns: object) -> Signals:
    """A cremation told by its controller, steps of a second; other signals as they are given."""
    phase = np.concatenate([np.full(60 * minutes, CODES[name]) for name, minutes in MINUTES.items()])
    phase = np.concatenate([phase, np.zeros(120)])
    table = np.full((len(QUANTITIES), len(phase)), np.nan)
    table[QUANTITIES.index("phase")] = phase
    for name, column in columns.items():
        table[QUANTITIES.index(name)] = np.broadcast_to(np.asarray(column, np.float64), len(phase))
    return Signals(T0, 1_000, table)


def found(area_m2: float | None = 0.5, **columns: object) -> Cycle:
    place = Place(1, "f1", UTC, Stack(area_m2, 101_325.0, DRY))
    cycle = find(signals(**columns), T0 + 15 * 60_000, False, place, TERMS)
    assert cycle is not None
    return cycle


STEPS = len(signals())
SECOND = np.arange(STEPS)


def test_the_times_are_those_that_the_controller_told() -> None:
    cycle = found()
    begins = (cycle.start_ms, cycle.charge_ms, cycle.ignition_ms, cycle.main_ms, cycle.burnout_ms, cycle.cooling_ms)
    assert [0 if one is None else (one - T0) // 60_000 for one in (*begins, cycle.end_ms)] == [
        5,
        15,
        17,
        25,
        65,
        80,
        90,
    ]
    assert cycle.case_number == "f1-20260621-0015"


def test_the_secondary_chamber_counts_from_the_charge_to_the_cooling() -> None:
    chamber2 = np.full(STEPS, 900.0)
    chamber2[: 15 * 60] = 700.0
    chamber2[20 * 60 : 21 * 60] = 830.0
    chamber2[85 * 60 :] = 600.0
    cycle = found(chamber2_temperature=chamber2)
    assert (cycle.chamber2_least_c, cycle.chamber2_below_s, cycle.start_kind) == (830.0, 60.0, StartKind.WARM)


def test_carbon_monoxide_has_a_peak_and_means_over_the_hour_the_worst_half_hour_and_the_whole() -> None:
    co = np.where((SECOND >= 15 * 60) & (SECOND < 30 * 60), 100.0, 10.0)
    co[16 * 60] = 800.0
    cycle = found(co=co)
    assert cycle.co_peak == 800.0
    assert cycle.co_first_hour == pytest.approx((15 * 100.0 + 45 * 10.0) / 60, abs=0.3)
    assert cycle.co_half_hour == pytest.approx(55.0, abs=0.5)
    assert cycle.co_mean == pytest.approx((15 * 100.0 + 60 * 10.0) / 75, abs=0.2)


def test_gas_is_what_the_meter_moved_and_its_carbon_dioxide_follows() -> None:
    cycle = found(gas_total=4_000.0 + SECOND / 60.0, electricity_power=30.0)
    assert (cycle.gas_m3, cycle.co2_kg) == (85.0, 170.0)
    assert cycle.electricity_kwh == pytest.approx(30.0 * 85 / 60, abs=0.01)


def test_what_has_no_signal_is_not_told() -> None:
    cycle = found()
    names = ("chamber2_least_c", "co_peak", "co_half_hour", "gas_m3", "electricity_kwh", "co2_kg", "co_g", "dust_g")
    assert {getattr(cycle, name) for name in names} == {None}
    assert (cycle.start_kind, cycle.covered_share) == (StartKind.UNKNOWN, 0.0)


def test_a_mass_is_flow_times_concentration_of_the_same_gas() -> None:
    state = {"stack_velocity": 2.0, "stack_temperature": 0.0, "stack_pressure": 0.0, "stack_moisture": 50.0}
    cycle = found(dust=100.0, **state)  # 0.5 m2 * 2 m/s * 3600 = 3600 m3/h, half of it dry
    assert cycle.dust_g == pytest.approx(100.0 * 1_800.0 / 1000.0 * 85 / 60, rel=1e-4)
    assert found(area_m2=None, dust=100.0, **state).dust_g is None
    assert found(dust=100.0).dust_g is None
    wet = Stack(0.5, 101_325.0, (*DRY[:4], Basis.WET_STANDARD, None, None))
    unknown = Stack(0.5, 101_325.0, (*DRY[:4], Basis.UNKNOWN, None, None))
    whole = signals(dust=100.0, **state)
    dry_g, wet_g = emitted_g(whole, Stack(0.5, 101_325.0, DRY))[4], emitted_g(whole, wet)[4]
    assert wet_g is not None
    assert dry_g == pytest.approx(wet_g / 2)
    assert emitted_g(whole, unknown)[4] is None


DRY_GAS, WET_GAS = Basis.DRY_STANDARD, Basis.WET_STANDARD
APART = {"no": 60.0, "no2": 8.0}


@pytest.mark.parametrize(
    ("columns", "bases", "expected"),
    [
        pytest.param(APART, (None, DRY_GAS, DRY_GAS), 100.0, id="the sum as NO2"),
        pytest.param({"nox": 90.0, **APART}, (DRY_GAS,) * 3, 90.0, id="a channel of their own goes first"),
        pytest.param(APART, (DRY_GAS,) * 3, None, id="also where nothing can be made of what it shows"),
        pytest.param({"no": 60.0}, (None, DRY_GAS, None), None, id="NO alone is not all of it"),
        pytest.param(APART, (None, DRY_GAS, WET_GAS), None, id="of two bases no sum is formed"),
    ],
)
def test_the_mass_of_nitrogen_oxides_is_also_told_where_they_are_measured_apart(
    columns: dict[str, float], bases: tuple[Basis | None, ...], expected: float | None
) -> None:
    state = {"stack_velocity": 2.0, "stack_temperature": 0.0, "stack_pressure": 0.0, "stack_moisture": 50.0}
    nox, *apart = bases
    stack = Stack(0.5, 101_325.0, (*DRY[:2], nox, *DRY[3:5], *apart))
    whole = signals(**columns, **state)
    hours = len(whole) / 3600
    found = emitted_g(whole, stack)[2]
    assert found == (None if expected is None else pytest.approx(expected * 1_800.0 / 1000.0 * hours, rel=1e-6))


def test_the_highest_mean_needs_three_quarters_of_its_time() -> None:
    column = np.array([1.0, 1.0, np.nan, 9.0, np.nan, np.nan, 2.0, 2.0])
    assert highest_mean(column, 4) == pytest.approx(11 / 3)
    assert highest_mean(column[:2], 4) == 1.0
    assert highest_mean(np.full(8, np.nan), 4) is None
    assert highest_mean(np.empty(0), 4) is None


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 50), min_size=5, max_size=40), st.lists(st.integers(0, 40), min_size=1, max_size=8))
def test_parts_of_a_stretch_add_up_to_the_whole(moves: list[float], cuts: list[int]) -> None:
    total = np.cumsum(moves)
    total[len(total) // 2 :] -= total[len(total) // 2]  # the meter is replaced
    table = np.full((len(QUANTITIES), len(total)), np.nan)
    table[QUANTITIES.index("gas_total")] = total
    own = Signals(T0, 1_000, table)
    so_far = used_so_far(own, "gas_total", "gas_flow")
    edges = sorted({0, len(total), *(cut for cut in cuts if cut <= len(total))})
    parts = [used(so_far, own, own.at_ms(first), own.at_ms(last)) for first, last in pairwise(edges)]
    whole = used(so_far, own, own.at_ms(0), own.at_ms(len(total)))
    assert sum(part or 0.0 for part in parts) == pytest.approx(whole)
    assert all((part or 0.0) >= -1e-9 for part in parts)


def test_samples_hold_until_the_next_one_but_not_for_ever() -> None:
    series = np.full(len(QUANTITIES), NO_SERIES, np.int64)
    series[QUANTITIES.index("co")] = 7
    ones = np.ones(len(QUANTITIES))
    feed = Feed(series, np.full(len(QUANTITIES), 3_000, np.int64), 2.0 * ones, 0.0 * ones)
    samples = SampleBatch(
        np.full(4, 7, np.int32),
        np.array([T0 - 1_000, T0 + 2_000, T0 + 8_000, T0 + 9_000], np.int64),
        np.array([1.0, 2.0, 3.0, np.nan]),
        np.array([0, 0, 0, 255], np.uint8),
    )
    co = lay_out(samples, feed, T0, T0 + 11_000).of("co")
    assert np.nan_to_num(co, nan=-1.0).tolist() == [2, 2, 4, 4, 4, -1, -1, -1, 6, -1, -1]
    assert msgspec.structs.asdict(feed)["factor"][0] == 2.0
