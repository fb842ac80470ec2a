from pathlib import Path

import pytest

from edge_agent.devices.files import load_profile
from edge_agent.modbus.registers import BlockDecoder, Point
from edge_agent.modbus.value import Table
from edge_agent.simulator.faults import FaultyFurnace
from edge_agent.simulator.furnace import FurnaceModel
from edge_agent.simulator.unit import SimulatedUnit

PROFILE = load_profile("simulator", Path())
COUNTER = next(channel for channel in PROFILE.channels if channel.name == "scan_counter")
OXYGEN = next(channel for channel in PROFILE.channels if channel.name == "flue_o2")
START_MS = 1_795_500_000_000


def _unit() -> SimulatedUnit:
    return SimulatedUnit(FaultyFurnace(FurnaceModel(7, 1)), PROFILE)


def _counter(unit: SimulatedUnit, at_ms: int, first: int = COUNTER.address, count: int = 2) -> float | str | None:
    registers = unit.read(Table.HOLDING, first, count, at_ms)
    assert registers is not None
    return BlockDecoder(count, [Point(COUNTER.address - first, COUNTER.encoding)]).decode(registers).values[0]


def test_the_scan_counter_runs_without_gap_however_often_it_is_read() -> None:
    unit = _unit()
    times_ms = [START_MS, START_MS + 1, START_MS + 500, START_MS + 1000, START_MS + 61_000]
    assert [_counter(unit, at_ms) for at_ms in times_ms] == [1, 2, 3, 4, 5]


def test_the_scan_counter_counts_reads_of_a_larger_block_but_not_of_others() -> None:
    unit = _unit()
    assert _counter(unit, START_MS, first=0, count=COUNTER.address + 2) == 1
    unit.read(Table.INPUT, 0, 4, START_MS)
    unit.read(Table.HOLDING, 0, 4, START_MS)
    unit.read(Table.HOLDING, COUNTER.address, 1, START_MS)
    assert _counter(unit, START_MS) == 2


def test_registers_hold_for_a_second_and_then_move() -> None:
    unit = _unit()
    reads = [unit.read(Table.INPUT, OXYGEN.address, 2, START_MS + at_ms) for at_ms in (0, 999, 1000)]
    assert reads[0] == reads[1] != reads[2]


@pytest.mark.parametrize("table", Table)
def test_addresses_far_out_do_not_exist(table: Table) -> None:
    assert _unit().read(table, 60_000, 1, START_MS) is None


def test_a_unit_without_faults_answers_at_once() -> None:
    assert _unit().delay_s(START_MS) == 0.0
