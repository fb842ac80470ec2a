from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.devices.files import load_profile
from edge_agent.devices.profile import AddressBase, Channel
from edge_agent.devices.register_list import ImportedProfile, ListOptions, convert_list
from edge_agent.devices.register_list.columns import find_columns
from edge_agent.devices.register_list.sheet import Row, Sheet
from edge_agent.modbus.value import Order, Table, ValueType

HEADINGS = ("名称", "地址", "类型", "单位", "倍率", "量程", "备注")


def converted(*rows: str, headings: tuple[str, ...] = HEADINGS, options: ListOptions | None = None) -> ImportedProfile:
    """A list of `|`-separated rows under these headings; the headings are row 1."""
    cells = [tuple(cell.strip() for cell in row.split("|")) for row in rows]
    listed = tuple(Row(number, row) for number, row in enumerate(cells, 2))
    return convert_list(
        Sheet("list.csv", headings, find_columns(headings, {}), listed), options or ListOptions(id="plc")
    )


def loaded(imported: ImportedProfile, folder: Path) -> dict[str, Channel]:
    path = folder / "plc.toml"
    path.write_text(imported.text, encoding="utf-8")
    return {channel.name: channel for channel in load_profile("plc.toml", folder).channels}


def test_a_list_becomes_a_profile_that_loads(tmp_path: Path) -> None:
    imported = converted(
        "主燃室温度|40001|REAL|℃||0-1300|",
        "含氧量|40003|INT|%|0.1|0-25|",
        "CO浓度|40004|REAL|ppm||0-1000|",
        "炉门开|40006.3|BOOL||||",
        "火化阶段|40007|WORD||||0=空闲 1=预热",
        "序列号|40008|STRING[10]||||",
        options=ListOptions(id="plc", order=Order.CDAB, basis="dry_standard"),
    )
    assert imported.problems == ()
    channels = loaded(imported, tmp_path)
    assert list(channels) == ["chamber1_temperature", "flue_o2", "co", "charge_door_open", "phase", "序列号"]
    hot, o2, co, door, phase, serial = channels.values()
    assert (hot.address, hot.table, hot.encoding.type, hot.encoding.order) == (
        0,
        Table.HOLDING,
        ValueType.FLOAT32,
        Order.CDAB,
    )
    assert (hot.unit, hot.name_zh, hot.encoding.high) == ("°C", "主燃室温度", 1300)
    assert (o2.encoding.scale, o2.encoding.high) == (0.1, 25)
    assert (co.encoding.scale, co.encoding.high, co.unit, co.basis) == (1.24967, 1249.67, "mg/m3", "dry_standard")
    assert (door.address, door.encoding.type, door.encoding.bit) == (5, ValueType.BIT, 3)
    assert phase.states == {0: "空闲", 1: "预热"}
    assert (serial.encoding.type, serial.encoding.length, serial.quantity) == (ValueType.STRING, 5, "")


def test_an_english_list_of_another_style_becomes_one_too(tmp_path: Path) -> None:
    headings = ("Tag", "FC", "Register", "Data type", "Unit", "Raw range", "Range", "Description")
    imported = converted(
        "TT101|03|100|INT|°C|0-27648|0-400|Stack temperature",
        "XS201|02|7|BOOL||||Ash door open",
        "PT301|04|12|INT|bar||0-10|Steam pressure",
        headings=headings,
    )
    assert imported.problems == ()
    channels = loaded(imported, tmp_path)
    stack = channels["stack_temperature"]
    assert stack.encoding.span is not None
    assert (stack.encoding.span.raw_high, stack.encoding.span.high_eng, stack.name_en) == (27648, 400, "TT101")
    assert (channels["ash_door_open"].table, channels["ash_door_open"].address) == (Table.DISCRETE, 7)
    steam = channels["PT301"]
    assert (steam.table, steam.address, steam.unit, steam.quantity) == (Table.INPUT, 12, "bar", "")


REFUSED = [
    ("温度|DB1.DBD8|REAL||||", "地址", "data block"),
    ("温度||REAL||||", "地址", "is missing"),
    ("温度|HR1|SINT||||", "类型", 'unknown type "SINT"'),
    ("温度|HR1|||||", "类型", "is missing"),
    ("|HR1|INT||||", "名称", "is missing"),
    ("温度|HR1|INT||x||", "倍率", '"x" is no scale'),
    ("温度|HR1|INT|||5-1|", "量程", "is an empty range"),
    ("温度|CO1|INT||||", "类型", "cannot lie in the coil table"),
    ("温度|HR1.3|INT||||", "地址", "names a bit"),
    ("温度|HR1-HR1|REAL||||", "地址", "is no Modbus address"),
    ("温度|4x1-4x1|REAL||||", "地址", "1 registers do not fit float32"),
    ("温度|HR65535|REAL||||", "地址", "past the table's last address"),
]


@pytest.mark.parametrize(("row", "column", "said"), REFUSED, ids=[said for _, _, said in REFUSED])
def test_a_row_that_cannot_be_used_is_one_clear_line(row: str, column: str, said: str) -> None:
    imported = converted("好的|HR0|INT||||", row)
    assert [one.row for one in imported.channels] == [2]
    (problem,) = imported.problems
    line = problem.line("list.csv")
    assert line.startswith(f"list.csv: row 3: {column}: ")
    assert said in line
    assert "\n" not in line


def test_no_row_at_all_gives_no_text() -> None:
    imported = converted("温度|DB1.DBD0|REAL||||")
    assert (imported.text, imported.channels, len(imported.problems)) == ("", (), 1)


def test_of_two_rows_for_one_quantity_the_surer_has_it(tmp_path: Path) -> None:
    imported = converted("含氧量|HR0|INT||||", "烟气含氧量|HR1|INT|%|||")
    first, second = imported.channels
    assert (first.channel.quantity, second.channel.quantity) == (None, "flue_o2")
    assert any("which row 3 has" in doubt for doubt in first.doubts)
    assert {channel.unit for channel in loaded(imported, tmp_path).values()} == {"%"}


def test_names_that_occur_twice_get_numbers(tmp_path: Path) -> None:
    imported = converted("备用|HR0|INT||||", "备用|HR1|INT||||", "备用|HR2|INT||||", "备用_2|HR3|INT||||")
    assert list(loaded(imported, tmp_path)) == ["备用", "备用_2", "备用_3", "备用_2_2"]
    assert any("is taken" in doubt for doubt in imported.channels[1].doubts)


def test_guesses_and_unused_columns_are_marked_in_the_file() -> None:
    imported = converted("T1|HR0|INT|℃||||扩展", headings=(*HEADINGS, "扩展列"))
    assert "# row 2: T1, HR0, INT, ℃" in imported.text
    assert "# ? unsure: chamber1_temperature by a code" in imported.text
    assert "# columns not used: 扩展列" in imported.text


def test_a_scale_above_one_may_mean_the_opposite() -> None:
    (one,) = converted("转速|HR0|INT||10||").channels
    assert one.channel.scale == 10
    assert any("where the list means the opposite, 0.1" in doubt for doubt in one.doubts)


@pytest.mark.parametrize(
    ("base", "address"), [(AddressBase.ZERO, 40001), (AddressBase.ONE, 40000), (AddressBase.MODICON, 0)]
)
def test_what_addresses_count_from_can_be_said(base: AddressBase, address: int) -> None:
    (one,) = converted("转速|40001|INT||||", options=ListOptions(id="plc", base=base)).channels
    assert one.channel.address == address


def test_rows_without_a_type_take_the_one_that_was_asked_for() -> None:
    (one,) = converted("转速|HR0|||||", options=ListOptions(id="plc", default_type="UINT")).channels
    assert one.channel.type is ValueType.UINT16
    assert one.doubts == ("no type given: UINT",)


cells = st.text(st.characters(exclude_characters="|\n\r"), max_size=12)
addresses = st.one_of(cells, st.integers(0, 70000).map(str), st.integers(0, 70000).map("HR{}".format))
types = st.one_of(cells, st.sampled_from(["REAL", "INT", "DINT", "BOOL", "STRING[8]", "BCD", "64位浮点"]))
rows = st.tuples(cells, addresses, types, cells, cells, cells, cells).map("|".join)


@settings(max_examples=200, deadline=None)
@given(st.lists(rows, max_size=6))
def test_every_row_of_any_list_is_a_channel_or_a_problem_and_the_profile_loads(listed: list[str]) -> None:
    imported = converted(*listed)
    used = [one.row for one in imported.channels]
    refused = [problem.row for problem in imported.problems]
    assert sorted(used + refused) == list(range(2, len(listed) + 2))
    assert bool(imported.text) == bool(used)
