"""Shipped profiles against words recorded from devices, printed in manuals, or worked out from IEEE 754."""

from pathlib import Path

import msgspec
import pytest

from edge_agent.devices.files import load_profile, shipped_ids
from edge_agent.devices.profile import Profile
from edge_agent.devices.reads import PlannedRead, plan_reads, positions_of, scan_classes
from edge_agent.modbus.value import Table
from edge_agent.toml_file import read_toml
from edge_agent.wire.sample import Reason

CASES = Path(__file__).parents[2] / "cases" / "devices"
FILES = sorted(CASES.glob("*/*.toml"))
# The simulator has no register list but ours: its tests compare it with a client of another make.
OUR_OWN = {"simulator"}


class Registers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words in hexadecimal from one address on; of a table of bits, its bits."""

    table: Table
    first: int
    words: list[str]

    def numbers(self) -> list[int]:
        text = " ".join(self.words)
        return (
            [int(bit) for bit in text if bit in "01"] if self.table.holds_bits else [int(w, 16) for w in text.split()]
        )


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: str
    registers: list[Registers]
    values: dict[str, float]
    reasons: dict[str, str] = {}

    def memory(self) -> dict[tuple[Table, int], int]:
        return {
            (part.table, part.first + at): number for part in self.registers for at, number in enumerate(part.numbers())
        }


def all_reads(profile: Profile) -> tuple[PlannedRead, ...]:
    return plan_reads(profile, positions_of(profile, scan_classes(profile)))


def decoded(profile: Profile, case: Case) -> tuple[dict[str, object], dict[str, str]]:
    memory = case.memory()
    values: dict[str, object] = {}
    reasons: dict[str, str] = {}
    for read in all_reads(profile):
        block = read.block
        words = [memory[block.table, address] for address in range(block.first, block.first + block.count)]
        readings = read.decoder.decode(words)
        for position, value, reason in zip(read.positions, readings.values, readings.reasons, strict=True):
            name = profile.channels[position].name
            if reason is Reason.GOOD:
                values[name] = value
            else:
                reasons[name] = reason.label
    return values, reasons


@pytest.mark.parametrize("path", FILES, ids=[f"{path.parent.name}: {path.stem}" for path in FILES])
def test_the_words_of_a_device_become_its_values(path: Path) -> None:
    case = read_toml(path, Case)
    values, reasons = decoded(load_profile(path.parent.name, Path()), case)
    assert reasons == case.reasons
    assert values == pytest.approx(case.values, rel=1e-6, abs=1e-9)


def test_every_shipped_profile_has_a_case() -> None:
    assert {path.parent.name for path in FILES} == set(shipped_ids()) - OUR_OWN


@pytest.mark.parametrize("profile_id", shipped_ids())
def test_a_profile_says_where_its_registers_come_from(profile_id: str) -> None:
    profile = load_profile(profile_id, Path())
    assert len(profile.source) > 20
    assert profile.name_zh != profile.name_en
    for channel in profile.channels:
        assert channel.name_zh
        assert channel.name_en
        assert channel.quantity or channel.name_zh != channel.name, f"{channel.name} needs a Chinese name"
