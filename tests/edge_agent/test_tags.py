from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.config import Device, load_site
from edge_agent.deadband import ReportFilter, ReportRule
from edge_agent.devices.profile import Channel, Origin, Profile, ReadLimits
from edge_agent.modbus.value import Encoding, Table, ValueType
from edge_agent.tags import (
    FIRST_NODE_ALIAS,
    NODE_BLOCK_ALIAS,
    DeviceTags,
    datatype_of,
    device_birth,
    node_birth_attributes,
    tag_devices,
)
from edge_agent.wire.birth import decode_birth, encode_birth
from edge_agent.wire.command import parse_payload
from edge_agent.wire.metric import DataType
from edge_agent.wire.sample import Reason
from tests.edge_agent.sites import SITE, write_site


def test_aliases_are_unique_within_the_edge_and_leave_room_for_the_node(tmp_path: Path) -> None:
    tagged = tag_devices(load_site(write_site(tmp_path)))
    used = [alias for tags in tagged for alias in (tags.block_alias, *tags.aliases)]
    assert len(set(used)) == len(used) == 10
    assert min(used) > FIRST_NODE_ALIAS > NODE_BLOCK_ALIAS > 0


def test_a_channel_more_on_one_device_leaves_the_aliases_of_the_next(tmp_path: Path) -> None:
    before = tag_devices(load_site(write_site(tmp_path)))
    wider = (tmp_path / "furnace.toml").read_text(
        encoding="utf-8"
    ) + '\n[[channel]]\nname = "x"\ntable = "coil"\naddress = 1\n'
    (tmp_path / "wider.toml").write_text(wider, encoding="utf-8")
    after = tag_devices(load_site(write_site(tmp_path, site=SITE.replace("furnace.toml", "wider.toml", 1))))
    assert len(after[0].aliases) == len(before[0].aliases) + 1
    assert after[1].aliases == before[1].aliases


def test_when_the_file_changes_devices_keep_their_numbers_and_new_ones_take_the_lowest_free(tmp_path: Path) -> None:
    furnace1, furnace2 = tag_devices(load_site(write_site(tmp_path)))
    third = SITE.replace("furnace2", "furnace3").replace("unit_id = 2", "unit_id = 3")
    added = SITE + third[third.rindex("[[device]]") :]
    swapped = added.replace("furnace1", "new")
    tagged = tag_devices(load_site(write_site(tmp_path, site=swapped)), (furnace1, furnace2))
    assert {tags.device.name: tags.number for tags in tagged} == {"new": 1, "furnace2": 2, "furnace3": 3}
    assert tagged[1].aliases == furnace2.aliases
    only_second = tag_devices(load_site(write_site(tmp_path, site=swapped)), (furnace2,))
    assert {tags.device.name: tags.number for tags in only_second} == {"new": 1, "furnace2": 2, "furnace3": 3}


def test_a_birth_says_what_the_centre_must_know(tmp_path: Path) -> None:
    tags = tag_devices(load_site(write_site(tmp_path)))[1]
    birth = decode_birth(parse_payload(encode_birth(device_birth(tags), seq=1, sent_at_ms=5)))
    assert birth.attributes == {"Furnace": "2", "Profile": "furnace", "NameZh": "二号炉", "NameEn": "Cremator"}
    assert birth.block_alias == tags.block_alias
    co, counter, chamber, door = birth.channels
    assert (co.unit, co.quantity, co.low, co.high, co.period_s) == ("mg/m3", "co", 0.0, 1000.0, None)
    assert (counter.datatype, counter.period_s) == (DataType.UINT16, 1.0)
    assert (chamber.datatype, chamber.period_s) == (DataType.FLOAT, 10.0)
    assert (door.datatype, door.name_zh, door.quantity) == (DataType.BOOLEAN, "炉门", "")


def test_a_node_tells_its_place_and_software(tmp_path: Path) -> None:
    attributes = node_birth_attributes(load_site(write_site(tmp_path)))
    assert attributes["HomeNameZh"] == "松鹤殡仪馆"
    assert attributes["Software"].startswith("clearstack ")
    assert "CityZh" not in attributes


@pytest.mark.parametrize(
    ("encoding", "datatype"),
    [
        (Encoding(type=ValueType.FLOAT32), DataType.FLOAT),
        (Encoding(type=ValueType.FLOAT32, scale=0.1), DataType.DOUBLE),
        (Encoding(type=ValueType.FLOAT64), DataType.DOUBLE),
        (Encoding(type=ValueType.INT16), DataType.INT16),
        (Encoding(type=ValueType.INT16, scale=0.1), DataType.DOUBLE),
        (Encoding(type=ValueType.INT16, offset=-40), DataType.DOUBLE),
        (Encoding(type=ValueType.UINT32), DataType.UINT32),
        (Encoding(type=ValueType.BIT), DataType.BOOLEAN),
        (Encoding(type=ValueType.BIT, scale=-1, offset=1), DataType.BOOLEAN),
        (Encoding(type=ValueType.STRING, length=4), DataType.STRING),
    ],
)
def test_a_value_travels_in_a_type_that_holds_it(encoding: Encoding, datatype: DataType) -> None:
    assert datatype_of(Channel(name="x", table=Table.HOLDING, address=0, encoding=encoding)) is datatype


def profile_of(channel: Channel) -> Profile:
    limits = ReadLimits()
    return Profile(id="p", name_zh="", name_en="", origin=Origin.EXAMPLE, source="", limits=limits, channels=(channel,))


SCANS = st.sampled_from([100, 250, 600, 700, 1_000, 1_500, 10_000, 3_600_000])


@given(SCANS, st.integers(1, 120))
def test_a_channel_that_does_not_change_is_never_silent_for_longer_than_its_birth_says(
    scan_ms: int, period_s: int
) -> None:
    rule = ReportRule(period_ms=period_s * 1_000, slack_ms=min(scan_ms, period_s * 1_000) // 2)
    encoding = Encoding(type=ValueType.FLOAT32)
    channel = Channel(name="x", table=Table.HOLDING, address=0, encoding=encoding, scan_ms=scan_ms, report=rule)
    device = Device(name="d", furnace="1", connection="c", unit_id=1, profile=profile_of(channel))
    [announced] = device_birth(DeviceTags(device, 4096, (4097,))).channels
    keeper = ReportFilter([rule])
    slots = max(3, 3 * period_s * 1_000 // scan_ms)
    said = [at_ms for at_ms in range(0, slots * scan_ms, scan_ms) if keeper.passes(0, 1.0, Reason.GOOD, at_ms)]
    longest_ms = max(after - before for before, after in pairwise(said))
    assert announced.period_s == longest_ms / 1_000
    assert longest_ms <= max(scan_ms, period_s * 1_000 + scan_ms // 2)
