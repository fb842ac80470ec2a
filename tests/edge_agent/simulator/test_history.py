from pathlib import Path

import pytest

from edge_agent.config import Device, OutboxLimits
from edge_agent.devices.files import load_profile
from edge_agent.modbus.registers import BlockDecoder, Point
from edge_agent.outbox.block import Block
from edge_agent.outbox.file import OutboxFile
from edge_agent.simulator.faults import Fault, FaultKind, FaultyFurnace
from edge_agent.simulator.furnace import FurnaceModel
from edge_agent.simulator.history import STEP_MS, Past, past_blocks, whole_steps, write_blocks
from edge_agent.simulator.schedule import Rhythm, Schedule
from edge_agent.simulator.unit import SimulatedUnit
from edge_agent.tags import DeviceTags
from edge_agent.wire.sample import Reason, Sample

PROFILE = load_profile("simulator", Path())
CHANNELS = len(PROFILE.channels)
END_MS = 1_795_500_000_000
START_MS = END_MS - 3_600_000
MODELS = {unit: FurnaceModel(7, unit, Schedule(Rhythm.ALWAYS_BURNING)) for unit in (1, 2)}


def _alias(unit: int, name: str) -> int:
    return unit * 1000 + next(at for at, channel in enumerate(PROFILE.channels) if channel.name == name)


def _past(unit: int, *faults: Fault) -> Past:
    device = Device(name=f"furnace-{unit}", furnace=f"{unit}", connection="plc", unit_id=unit, profile=PROFILE)
    aliases = tuple(range(unit * 1000, unit * 1000 + CHANNELS))
    return Past(FaultyFurnace(MODELS[unit], faults), DeviceTags(device, unit * 1000 - 1, aliases), timeout_s=1.0)


def _fault(kind: FaultKind, amount: float = 0.0) -> Fault:
    return Fault(furnace=1, kind=kind, from_ms=START_MS + 600_000, to_ms=START_MS + 1_200_000, amount=amount)


def _of(samples: list[Sample], alias: int) -> list[Sample]:
    return [sample for sample in samples if sample.alias == alias]


def test_the_past_holds_what_the_furnace_showed_at_every_step() -> None:
    samples = _of(_past(1).samples(START_MS, END_MS), _alias(1, "co"))
    assert [sample.measured_at_ms for sample in samples] == list(range(START_MS, END_MS, STEP_MS))
    for sample in samples:
        assert sample.value == pytest.approx(MODELS[1].at(sample.measured_at_ms).co, rel=1e-6)


def test_the_past_joins_what_is_read_now() -> None:
    channel = next(channel for channel in PROFILE.channels if channel.name == "flue_o2")
    unit = SimulatedUnit(FaultyFurnace(MODELS[1]), PROFILE)
    registers = unit.read(channel.table, channel.address, channel.width, END_MS - STEP_MS + 345)
    assert registers is not None
    read_now = BlockDecoder(2, [Point(0, channel.encoding)]).decode(registers).values[0]
    assert _of(_past(1).samples(START_MS, END_MS), _alias(1, "flue_o2"))[-1].value == read_now


def test_states_are_told_on_change_and_once_a_minute() -> None:
    samples = _of(_past(1).samples(START_MS, END_MS), _alias(1, "phase"))
    assert 60 <= len(samples) <= 70
    for sample in samples:
        assert sample.value == MODELS[1].at(sample.measured_at_ms).phase


def test_a_counter_of_reads_has_no_past() -> None:
    assert _of(_past(1).samples(START_MS, END_MS), _alias(1, "scan_counter")) == []


@pytest.mark.parametrize(("kind", "amount"), [(FaultKind.SILENT, 0.0), (FaultKind.SLOW, 1.5)], ids=["silent", "slow"])
def test_a_unit_that_does_not_answer_in_time_leaves_bad_samples(kind: FaultKind, amount: float) -> None:
    samples = _of(_past(1, _fault(kind, amount)).samples(START_MS, END_MS), _alias(1, "co"))
    bad = [sample for sample in samples if sample.reason.is_bad]
    assert {sample.reason for sample in bad} == {Reason.TIMEOUT}
    assert [sample.measured_at_ms for sample in bad] == list(range(START_MS + 600_000, START_MS + 1_200_000, STEP_MS))


def test_a_unit_that_is_slow_but_in_time_is_read_as_ever() -> None:
    slow = _past(1, _fault(FaultKind.SLOW, 0.9)).samples(START_MS, END_MS)
    assert slow == _past(1).samples(START_MS, END_MS)


def test_blocks_hold_a_minute_of_a_device_and_follow_time_and_number() -> None:
    blocks = list(past_blocks([_past(1), _past(2)], START_MS, END_MS, 17))
    assert [block.number for block in blocks] == list(range(17, 17 + 120))
    assert [block.device for block in blocks[:4]] == ["furnace-1", "furnace-2"] * 2
    assert all(block.to_ms - block.from_ms < 60_000 for block in blocks)
    begins = [block.from_ms for block in blocks]
    assert begins == sorted(begins)


def test_the_outbox_holds_the_past_in_front_of_what_comes_next(tmp_path: Path) -> None:
    limits = OutboxLimits(path=tmp_path / "outbox.db")
    file = OutboxFile.open(limits, END_MS)
    written = list(write_blocks(file, past_blocks([_past(1)], START_MS, END_MS, file.last_number + 1), END_MS))
    file.append([Block(file.last_number + 1, "furnace-1", (Sample(1000, END_MS, 1.0),))], END_MS)
    file.close()
    reopened = OutboxFile.open(limits, END_MS)
    kept = reopened.read(0, reopened.last_number, 1000)
    reopened.close()
    assert len(written) == 60
    assert kept[:60] == written
    assert kept[60].from_ms == END_MS


def test_a_past_begins_with_a_whole_minute_and_ends_before_now() -> None:
    from_ms, to_ms = whole_steps(START_MS + 61_234, END_MS + 19_999)
    assert from_ms % 60_000 == 0
    assert from_ms <= START_MS + 61_234
    assert to_ms == END_MS + 10_000


def test_a_past_can_be_read_and_packed_as_finely_as_an_agent_does() -> None:
    device = Device(name="furnace-1", furnace="1", connection="plc", unit_id=1, profile=PROFILE)
    tags = DeviceTags(device, 999, tuple(range(1000, 1000 + CHANNELS)))
    fine = Past(FaultyFurnace(MODELS[1]), tags, timeout_s=1.0, step_ms=1000)
    blocks = list(past_blocks([fine], START_MS, START_MS + 60_000, 5, block_ms=1000))
    assert [block.number for block in blocks] == list(range(5, 65))
    assert [(block.from_ms, block.to_ms) for block in blocks[:2]] == [
        (START_MS, START_MS),
        (START_MS + 1000, START_MS + 1000),
    ]
    assert sum(len(block.samples) for block in blocks) < 60 * CHANNELS
