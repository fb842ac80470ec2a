"""Energy of hours, cold starts that were not needed, and the ranking."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.wire.durations import HOUR_MS, MINUTE_MS
from ingest_service.columns import Float64s
from ingest_service.cycles.cycle import Cycle, FoundBy, StartKind
from ingest_service.cycles.energy import MeterMinutes, avoidable, hour_use
from ingest_service.cycles.ranking import FurnaceUse, rank

T0 = 495_000 * HOUR_MS
NOTHING = np.full(120, np.nan)


def cycle(
    start_h: float, end_h: float, furnace: int = 1, kind: StartKind = StartKind.WARM, gas_m3: float | None = None
) -> Cycle:
    start_ms = T0 + round(start_h * HOUR_MS)
    return Cycle(
        furnace_id=furnace,
        case_number=f"{furnace}-{start_h}",
        found_by=FoundBy.PHASE,
        start_ms=start_ms,
        charge_ms=start_ms + 60_000,
        end_ms=T0 + round(end_h * HOUR_MS),
        start_kind=kind,
        chamber2_limit_c=850.0,
        gas_m3=gas_m3,
        co2_kg_per_m3=2.0,
    )


def meters(gas_total: Float64s = NOTHING, gas_rate: Float64s = NOTHING, chamber2_c: Float64s = NOTHING) -> MeterMinutes:
    return MeterMinutes(gas_total, gas_rate, NOTHING, NOTHING, chamber2_c)


def test_what_is_used_within_cremations_is_told_from_the_rest_to_the_second() -> None:
    total = np.arange(120, dtype=np.float64)  # one m3 a minute
    use = hour_use(1, T0, meters(total), [cycle(-1, 0.25), cycle(0.5, 2)], 600.0)
    assert (use.gas_m3, use.gas_in_cycles_m3, use.burning_s) == (60.0, 45.0, 2700.0)
    half = hour_use(1, T0, meters(total), [cycle(0.5, 0.5 + 0.5 / 60)], 600.0)
    assert (half.gas_in_cycles_m3, half.burning_s) == (0.5, 30.0)


def test_a_meter_that_was_replaced_counts_from_nought() -> None:
    total = np.concatenate([np.full(90, 5_000.0), np.arange(1.0, 31.0)])
    assert hour_use(1, T0, meters(total), [], 600.0).gas_m3 == 30.0


def test_what_a_meter_moved_in_a_gap_counts_when_it_is_seen_again() -> None:
    total = np.arange(120, dtype=np.float64)
    total[50:80] = np.nan
    assert hour_use(1, T0, meters(total), [], 600.0).gas_m3 == 70.0


def test_without_a_totaliser_the_flow_is_added_up_and_without_either_nothing_is_told() -> None:
    assert hour_use(1, T0, meters(gas_rate=np.full(120, 30.0)), [], 600.0).gas_m3 == 30.0
    assert hour_use(1, T0, meters(chamber2_c=np.full(120, 700.0)), [], 600.0).gas_m3 is None


def test_only_a_heated_and_hot_furnace_without_a_cremation_is_kept_hot_idle() -> None:
    flow = np.concatenate([np.zeros(90), np.full(30, 20.0)])
    hot = np.concatenate([np.full(60, 500.0), np.full(60, 700.0)])
    use = hour_use(1, T0, meters(gas_rate=flow, chamber2_c=hot), [cycle(0.75, 2)], 600.0)
    assert use.hot_idle_s == 15 * 60.0


@settings(max_examples=60, deadline=None)
@given(
    edges=st.lists(st.integers(0, 24 * 60), min_size=2, max_size=12, unique=True),
    step=st.floats(0.0, 3.0),
    from_minute=st.integers(0, 600),
)
def test_cremations_and_idle_time_of_a_day_add_up_to_the_day(edges: list[int], step: float, from_minute: int) -> None:
    edges.sort()
    pairs = list(zip(edges[::2], edges[1::2], strict=False))
    cycles = [cycle(begin / 60, end / 60) for begin, end in pairs]
    minutes = np.arange(25 * 60, dtype=np.float64)
    total = np.where(minutes < from_minute, 0.0, (minutes - from_minute) * step)
    hours = [hour_use(1, T0 + at * HOUR_MS, meters(total[at * 60 : at * 60 + 120]), cycles, 600.0) for at in range(24)]
    whole, burned = sum(one.gas_m3 or 0.0 for one in hours), sum(one.gas_in_cycles_m3 or 0.0 for one in hours)
    assert whole == pytest.approx(total[-1] - total[59], abs=0.05)
    in_each = sum(total[60 + end - 1] - total[60 + begin - 1] for begin, end in pairs)
    assert burned == pytest.approx(in_each, abs=0.05)
    assert sum(one.burning_s for one in hours) == pytest.approx(sum(end - begin for begin, end in pairs) * 60.0)
    assert burned <= whole + 0.05


COLD = StartKind.COLD


@pytest.mark.parametrize(
    ("cycles", "spared"),
    [
        pytest.param([cycle(8, 10, kind=COLD)], 0, id="the first start of a day is needed"),
        pytest.param([cycle(8, 10, kind=COLD), cycle(14, 16, kind=COLD)], 1, id="the furnace had burned before"),
        pytest.param([cycle(8, 10), cycle(10.5, 12, 2, COLD)], 1, id="another one was warm and free"),
        pytest.param([cycle(8, 10), cycle(12.5, 14, 2, COLD)], 0, id="the other one was cold by then"),
        pytest.param([cycle(8, 10), cycle(10, 12), cycle(10.5, 12, 2, COLD)], 0, id="the other one was busy"),
        pytest.param([cycle(8, 11), cycle(10.5, 12, 2, COLD)], 0, id="the other one was still burning"),
        pytest.param([cycle(8, 10), cycle(10.5, 12, 2)], 0, id="a warm start is none"),
    ],
)
def test_a_cold_start_is_avoidable(cycles: list[Cycle], spared: int) -> None:
    assert len(avoidable(cycles)) == spared


def use(furnace: int, cycles: list[Cycle], home: str = "h1") -> FurnaceUse:
    return FurnaceUse(furnace_id=furnace, home_id=home, cycles=tuple(cycles), hours=())


def test_a_furnace_without_a_meter_or_a_cremation_has_no_place() -> None:
    uses = [use(1, []), use(2, [cycle(8, 9, 2)]), use(3, [cycle(8, 9, 3, gas_m3=20.0)])]
    ranking = rank(uses)
    assert [(one.furnace_id, one.place) for one in ranking.standings] == [(3, 1), (1, None), (2, None)]
    assert ranking.fleet_gas_m3 == 20.0
    assert rank([]).fleet_gas_m3 is None


def test_a_cold_start_is_judged_by_the_plan_of_its_own_home_and_local_day() -> None:
    late, early = cycle(22, 23, gas_m3=20.0), cycle(26, 28, kind=COLD, gas_m3=40.0)
    elsewhere = cycle(9, 10, 2, gas_m3=20.0), cycle(10.5, 12, 3, COLD, gas_m3=40.0)
    uses = [use(1, [late, early]), use(2, [elsewhere[0]]), use(3, [elsewhere[1]], "h2")]
    of = {one.furnace_id: one.avoidable_cold_starts for one in rank(uses).standings}
    assert of == {1: 0, 2: 0, 3: 0}
    shifted = {one.furnace_id: one.avoidable_cold_starts for one in rank(uses, -4 * HOUR_MS).standings}
    assert shifted[1] == 1  # both on one local day
    assert MINUTE_MS * 60 == HOUR_MS
