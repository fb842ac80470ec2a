from datetime import UTC, datetime

import pytest

from edge_agent.errors import ConfigError
from edge_agent.simulator.faults import Fault, FaultKind, FaultyFurnace, parse_fault
from edge_agent.simulator.furnace import FurnaceModel, FurnaceState
from edge_agent.simulator.schedule import Rhythm, Schedule

START_MS = 1_795_500_000_000
HOUR_MS = 3_600_000
MODEL = FurnaceModel(7, 3, Schedule(Rhythm.ALWAYS_BURNING))


def _furnace(kind: FaultKind, channel: str = "", amount: float = 0.0) -> FaultyFurnace:
    fault = Fault(furnace=3, kind=kind, from_ms=START_MS, to_ms=START_MS + HOUR_MS, channel=channel, amount=amount)
    return FaultyFurnace(MODEL, (fault,))


def _pairs(furnace: FaultyFurnace, from_ms: int, to_ms: int) -> list[tuple[FurnaceState, FurnaceState]]:
    return [(furnace.at(at_ms), MODEL.at(at_ms)) for at_ms in range(from_ms, to_ms, 10_000)]


def _converted_mean(furnace: FaultyFurnace, quantity: str) -> float:
    states = [faulty for faulty, _ in _pairs(furnace, START_MS, START_MS + HOUR_MS)]
    return sum(float(getattr(state, quantity)) * 10 / (21 - state.flue_o2) for state in states) / len(states)


@pytest.mark.parametrize("kind", FaultKind)
def test_before_and_long_after_a_fault_nothing_is_changed(kind: FaultKind) -> None:
    furnace = _furnace(kind, "hcl", 5.0)
    for at_ms in (START_MS - 1000, START_MS + 2 * HOUR_MS):
        assert furnace.at(at_ms) == MODEL.at(at_ms)
        assert furnace.broken_channels(at_ms) == ()
        assert furnace.delay_s(at_ms) == 0.0


def test_without_lime_the_hour_means_of_hcl_and_so2_exceed_their_limits() -> None:
    furnace = _furnace(FaultKind.DOSING_STOP)
    assert _converted_mean(furnace, "hcl") > 1.1 * 30.0
    assert _converted_mean(furnace, "so2") > 1.1 * 30.0
    assert furnace.at(START_MS + 60_000).lime_dosing == 0.0


def test_a_dosing_stop_of_one_gas_leaves_the_other_alone() -> None:
    furnace = _furnace(FaultKind.DOSING_STOP, "hcl")
    assert _converted_mean(furnace, "hcl") > 1.1 * 30.0
    assert all(faulty.so2 == true.so2 for faulty, true in _pairs(furnace, START_MS, START_MS + HOUR_MS))


def test_a_dosing_stop_settles_within_minutes_both_ways() -> None:
    furnace = _furnace(FaultKind.DOSING_STOP)
    end_ms = START_MS + HOUR_MS
    risen = [furnace.at(at_ms).hcl / MODEL.at(at_ms).hcl for at_ms in (START_MS + 5_000, START_MS + 600_000)]
    fallen = [furnace.at(at_ms).hcl / MODEL.at(at_ms).hcl for at_ms in (end_ms + 5_000, end_ms + 600_000)]
    assert 1.0 <= risen[0] < 2.0 < 7.0 < risen[1]
    assert fallen[0] > 6.0 > 1.3 > fallen[1]


def test_a_torn_bag_lets_dust_through_and_the_filter_loses_resistance() -> None:
    furnace = _furnace(FaultKind.TORN_BAG)
    assert _converted_mean(furnace, "dust") > 30.0
    faulty, true = furnace.at(START_MS + 1_800_000), MODEL.at(START_MS + 1_800_000)
    assert faulty.filter_pressure_drop < 0.7 * true.filter_pressure_drop


def test_a_stuck_value_stays_while_its_neighbours_move() -> None:
    pairs = _pairs(_furnace(FaultKind.STUCK, "flue_o2"), START_MS, START_MS + HOUR_MS)
    assert {faulty.flue_o2 for faulty, _ in pairs} == {MODEL.at(START_MS).flue_o2}
    assert all(faulty.co == true.co for faulty, true in pairs)


def test_an_offset_is_there_at_once_and_a_drift_grows() -> None:
    offset, drift = _furnace(FaultKind.OFFSET, "flue_o2", 2.0), _furnace(FaultKind.DRIFT, "flue_o2", 2.0)
    for minutes in (0, 15, 45):
        at_ms = START_MS + minutes * 60_000
        true = MODEL.at(at_ms).flue_o2
        assert offset.at(at_ms).flue_o2 - true == pytest.approx(2.0)
        assert drift.at(at_ms).flue_o2 - true == pytest.approx(2.0 * minutes / 60)


def test_a_broken_wire_a_silent_and_a_slow_unit_are_told_to_the_server() -> None:
    assert _furnace(FaultKind.WIRE_BREAK, "chamber_draught").broken_channels(START_MS) == ("chamber_draught",)
    assert _furnace(FaultKind.SILENT).delay_s(START_MS) is None
    assert _furnace(FaultKind.SLOW, amount=0.9).delay_s(START_MS) == 0.9


def test_times_are_seconds_after_the_start_or_instants() -> None:
    fault = parse_fault("furnace=3,channel=hcl,kind=dosing_stop,from=-60,to=2026-11-24T18:00:00+08:00", START_MS)
    assert fault.from_ms == START_MS - 60_000
    assert fault.to_ms == round(datetime(2026, 11, 24, 10, tzinfo=UTC).timestamp() * 1000)
    assert (fault.furnace, fault.kind, fault.channel) == (3, FaultKind.DOSING_STOP, "hcl")


def test_a_fault_without_times_begins_at_once_and_never_ends() -> None:
    fault = parse_fault("furnace=1,kind=silent", START_MS)
    assert fault.holds(START_MS)
    assert fault.holds(START_MS + 10**12)


REFUSED = [
    ("kind=silent", "furnace"),
    ("furnace=x,kind=silent", "furnace"),
    ("furnace=1.5,kind=silent", "furnace"),
    ("furnace=1", "kind"),
    ("furnace=1,kind=explode", "dosing_stop"),
    ("furnace=1,kind=silent,colour=red", "colour"),
    ("furnace=1,kind=stuck", "channel"),
    ("furnace=1,kind=stuck,channel=soul", "flue_o2"),
    ("furnace=1,kind=dosing_stop,channel=co", "hcl"),
    ("furnace=1,kind=offset,channel=co", "amount"),
    ("furnace=1,kind=slow", "amount"),
    ("furnace=1,kind=silent,from=tomorrow", "ISO 8601"),
    ("furnace=1,kind=silent,from=2026-11-24T10:00:00", "time zone"),
    ("furnace=1,kind=silent,from=10,to=5", "not after"),
    ("furnace=1,kind=silent,from=nan", "from"),
    ("furnace=1,kind=offset,channel=co,amount=inf", "amount"),
]


@pytest.mark.parametrize(("text", "said"), REFUSED, ids=[text for text, _ in REFUSED])
def test_a_fault_that_makes_no_sense_is_refused_in_one_line(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as refused:
        parse_fault(text, START_MS)
    assert "\n" not in str(refused.value)
