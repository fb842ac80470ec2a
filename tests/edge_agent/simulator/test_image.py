"""Registers of the simulated furnace, read back with the profile as an agent would."""

from pathlib import Path

import pytest

from edge_agent.devices.files import load_profile
from edge_agent.devices.profile import Channel
from edge_agent.modbus.registers import BitDecoder, BlockDecoder, Point
from edge_agent.modbus.value import Order, Table, ValueType
from edge_agent.simulator.furnace import FurnaceModel, FurnaceState
from edge_agent.simulator.image import RegisterImage
from edge_agent.simulator.schedule import Rhythm, Schedule
from edge_agent.wire.quantity import PHASES, quantities
from edge_agent.wire.sample import Reason

PROFILE = load_profile("simulator", Path())
CHANNELS = {channel.name: channel for channel in PROFILE.channels}
IMAGE = RegisterImage(PROFILE)
START_MS = 1_795_500_000_000
MODEL = FurnaceModel(7, 2, Schedule(Rhythm.WORKING_DAY))
STATES = [MODEL.at(START_MS + hour * 3_600_000 + 1000 * hour) for hour in range(24)]


def _read(channel: Channel, state: FurnaceState, broken: tuple[str, ...] = ()) -> tuple[float | str | None, Reason]:
    table = IMAGE.render(state, broken)[channel.table]
    points = [Point(channel.address - table.first, channel.encoding)]
    decoder = BitDecoder if channel.table.holds_bits else BlockDecoder
    readings = decoder(len(table.cells), points).decode(table.cells)
    return readings.values[0], readings.reasons[0]


def _resolution(channel: Channel) -> float:
    """Half the step between two raw numbers; for floats their relative precision."""
    span = channel.encoding.span
    if span is not None:
        return 0.51 * abs((span.high_eng - span.low_eng) / (span.raw_high - span.raw_low))
    return 0.0 if channel.encoding.type.is_float else 0.51 * channel.encoding.scale


def test_the_profile_has_every_quantity_once_and_nitrogen_oxides_as_one() -> None:
    assert sorted(channel.quantity for channel in PROFILE.channels) == sorted(quantities().keys() - {"no", "no2"})


def test_the_profile_uses_all_tables_and_two_word_orders_for_floats() -> None:
    assert {channel.table for channel in PROFILE.channels} == set(Table)
    floats = {channel.encoding.order for channel in PROFILE.channels if channel.encoding.type is ValueType.FLOAT32}
    assert floats == {Order.ABCD, Order.CDAB}
    types = {channel.encoding.type for channel in PROFILE.channels}
    assert types >= {ValueType.INT16, ValueType.UINT16, ValueType.UINT32, ValueType.FLOAT32, ValueType.BIT}


def test_phases_are_named_as_on_the_wire() -> None:
    assert CHANNELS["phase"].states == PHASES


@pytest.mark.parametrize("name", [name for name in CHANNELS if name != "scan_counter"])
def test_registers_decode_to_what_the_furnace_shows(name: str) -> None:
    channel = CHANNELS[name]
    for state in STATES:
        value, reason = _read(channel, state)
        assert reason is Reason.GOOD
        assert value == pytest.approx(getattr(state, name), rel=1e-6, abs=_resolution(channel))


BROKEN = [
    ("chamber_draught", Reason.WIRE_BREAK),
    ("filter_pressure_drop", Reason.WIRE_BREAK),
    ("flue_o2", Reason.NOT_A_NUMBER),
    ("gas_flow", Reason.NOT_A_NUMBER),
    ("chamber1_temperature", Reason.OUT_OF_RANGE),
]


@pytest.mark.parametrize(("name", "reason"), BROKEN)
def test_a_broken_wire_reads_as_no_value_with_a_reason(name: str, reason: Reason) -> None:
    assert _read(CHANNELS[name], STATES[0], broken=(name,)) == (None, reason)
    assert _read(CHANNELS["co"], STATES[0], broken=(name,)) == _read(CHANNELS["co"], STATES[0])


def test_a_value_beyond_its_register_saturates() -> None:
    hot = FurnaceModel(7, 2).at(START_MS)
    beyond = type(hot)(**{**{key: getattr(hot, key) for key in hot.__struct_fields__}, "chamber1_temperature": 9e9})
    table = IMAGE.render(beyond)[Table.HOLDING]
    assert table.cells[CHANNELS["chamber1_temperature"].address - table.first] == 32_767


def test_addresses_outside_a_table_do_not_exist() -> None:
    table = IMAGE.render(STATES[0])[Table.INPUT]
    end = table.first + len(table.cells)
    assert table.read(table.first, 2) == table.cells[:2]
    assert table.read(end - 1, 1) == table.cells[-1:]
    assert table.read(end - 1, 2) is None
    assert table.read(end, 1) is None
