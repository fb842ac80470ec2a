from pathlib import Path

import pytest

from edge_agent.deadband import ReportMode
from edge_agent.devices.files import load_profile, shipped_ids
from edge_agent.devices.profile import AddressRange, Origin
from edge_agent.devices.reads import plan_reads, positions_of, scan_classes
from edge_agent.errors import ConfigError
from edge_agent.modbus.value import Byte, Order, Table, ValueType
from edge_agent.tags import datatype_of
from edge_agent.wire.metric import DataType
from edge_agent.wire.sample import Reason

HEAD = """
[profile]
id = "test"
name_zh = "测试"
name_en = "Test"
origin = "example"
source = "made for a test"
"""
CO = 'name = "co"\nquantity = "co"\naddress = 4\ntype = "float32"\n'


def write(folder: Path, channel: str = CO, modbus: str = "") -> Path:
    path = folder / "test.toml"
    path.write_text(f"{HEAD}\n[modbus]\n{modbus}\n[[channel]]\n{channel}", encoding="utf-8")
    return path


def load(folder: Path, channel: str = CO, modbus: str = "") -> tuple[Table, int]:
    write(folder, channel, modbus)
    loaded = load_profile("test.toml", folder).channels[0]
    return loaded.table, loaded.address


def test_defaults_are_filled_in(tmp_path: Path) -> None:
    write(tmp_path, modbus='order = "CDAB"\nnever_read = [[100, 199]]')
    profile = load_profile("test.toml", tmp_path)
    channel = profile.channels[0]
    assert (profile.origin, profile.limits.never_read) == (Origin.EXAMPLE, (AddressRange(100, 199),))
    assert (channel.unit, channel.name_zh, channel.name_en) == ("mg/m3", "一氧化碳", "Carbon monoxide")
    assert (channel.table, channel.width, channel.encoding.order) == (Table.HOLDING, 2, Order.CDAB)
    assert (channel.scan_ms, channel.report.mode) == (1000, ReportMode.ON_CHANGE_OR_PERIOD)


def test_a_channel_says_otherwise(tmp_path: Path) -> None:
    write(
        tmp_path,
        'name = "state"\naddress = 7\ntable = "input"\ntype = "uint16"\nunit = ""\nstates = {0 = "idle", 3 = "main"}\n'
        'no_value = {65535 = "bad"}\nlow = 0\nhigh = 10\ndeadband_percent = 5\nscan_s = 60\nreport = "always"\n',
    )
    channel = load_profile("test.toml", tmp_path).channels[0]
    assert channel.states == {0: "idle", 3: "main"}
    assert channel.encoding.codes == {0, 3}
    assert channel.encoding.bad_codes == ((65535, Reason.BAD),)
    assert (channel.report.deadband, channel.scan_ms, channel.report.mode) == (0.5, 60_000, ReportMode.ALWAYS)


def test_a_byte_is_the_low_one_of_its_register_unless_the_profile_says_otherwise(tmp_path: Path) -> None:
    channels = (
        'name = "a"\naddress = 4\ntype = "int8"\n[[channel]]\nname = "b"\naddress = 4\ntype = "uint8"\nbyte = "high"'
    )
    write(tmp_path, channels)
    low, high = load_profile("test.toml", tmp_path).channels
    assert (low.encoding.type, low.encoding.byte, low.width) == (ValueType.INT8, Byte.LOW, 1)
    assert (high.encoding.type, high.encoding.byte) == (ValueType.UINT8, Byte.HIGH)
    assert (datatype_of(low), datatype_of(high)) == (DataType.INT8, DataType.UINT8)


def test_a_current_loop_breaks_and_overflows_where_namur_says(tmp_path: Path) -> None:
    keys = "raw_low = 4000\nraw_high = 20000\nlow_eng = 0\nhigh_eng = 100"
    write(tmp_path, f'name = "x"\naddress = 0\ntype = "uint16"\n{keys}')
    span = load_profile("test.toml", tmp_path).channels[0].encoding.span
    assert span is not None
    assert (span.break_below, span.over_above) == (3600, 21000)


@pytest.mark.parametrize(
    ("base", "address", "expected"),
    [
        pytest.param("0", "4", (Table.HOLDING, 4), id="zero-based as in the protocol"),
        pytest.param("1", "4", (Table.HOLDING, 3), id="one-based as in many manuals"),
        pytest.param("40001", "40005", (Table.HOLDING, 4), id="40001 is the first holding register"),
        pytest.param("40001", "30001", (Table.INPUT, 0), id="30001 is the first input register"),
        pytest.param("40001", "465536", (Table.HOLDING, 65535), id="six digits reach the last register"),
    ],
)
def test_addresses_of_every_style_count_from_zero(
    tmp_path: Path, base: str, address: str, expected: tuple[Table, int]
) -> None:
    channel = f'name = "x"\naddress = {address}\ntype = "uint16"'
    assert load(tmp_path, channel, f"address_base = {base}") == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        pytest.param("17", (Table.COIL, 16), id="coils"),
        pytest.param("10001", (Table.DISCRETE, 0), id="discrete inputs"),
    ],
)
def test_the_first_digit_names_a_table_of_bits(tmp_path: Path, address: str, expected: tuple[Table, int]) -> None:
    assert load(tmp_path, f'name = "x"\naddress = {address}', "address_base = 40001") == expected


BAD_CHANNELS = [
    ('name = "co"\nadress = 4\ntype = "float32"', 'channel[1] "co".adress: unknown key, did you mean "address"?'),
    ('name = "co"\naddress = "4"\ntype = "float32"', 'channel[1] "co".address: expected a whole number, got text'),
    ('name = "co"\naddress = 4\ntype = "flot32"', "type: invalid enum value 'flot32' (allowed: int8"),
    ('name = "co"\naddress = 4', 'channel[1] "co".type: is missing (allowed: int8'),
    ('name = "co"\ntype = "uint16"', 'channel[1] "co".address: is missing'),
    ("address = 1", "channel[1].name: is missing"),
    ('name = "co"\naddress = 65536\ntype = "uint16"', "65536 is out of range (allowed: 0 to 65535)"),
    ('name = "co"\naddress = 65535\ntype = "float32"', "the value ends at 65536"),
    ('name = "co"\naddress = 101\ntype = "uint16"', "lies in never_read [100, 110]"),
    ('name = "co"\naddress = 99\ntype = "float32"', "lies in never_read [100, 110]"),
    (CO + CO.replace("name", "[[channel]]\nname", 1), 'channel: two are named "co"'),
    ('name = "co"\nquantity = "carbon"\naddress = 4\ntype = "uint16"', 'unknown quantity "carbon"'),
    ('name = "co"\nquantity = "flue_02"\naddress = 4\ntype = "uint16"', 'did you mean "flue_o2"?'),
    ('name = "co"\naddress = 4\ntype = "uint16"\nbasis = "dry"', 'unknown basis "dry"'),
    ('name = "a/b"\naddress = 4\ntype = "uint16"', '"a/b" is no name'),
    ('name = "co"\naddress = 4\ntype = "uint16"\nbit = 3', "bit: has no meaning for type uint16"),
    ('name = "co"\naddress = 4\ntype = "bit"\nbit = 16', "16 is out of range (allowed: 0 to 15)"),
    ('name = "co"\naddress = 4\ntype = "bits"\nbit = 14\nwidth = 3', "3 bits from bit 14 do not fit"),
    ('name = "co"\naddress = 4\ntype = "bits"\nbit = 14\nwidth = 0', "0 bits from bit 14 do not fit"),
    ('name = "co"\naddress = 4\ntype = "string"', "length: is missing"),
    ('name = "co"\naddress = 4\ntype = "bcd"\nlength = 3', "3 registers do not fit bcd (allowed: 1, 2, 4)"),
    ('name = "co"\naddress = 4\ntype = "float32"\norder = "EFGHABCD"', "needs a value of four registers"),
    ('name = "co"\naddress = 4\ntype = "uint16"\nbyte = "high"', "byte: has no meaning for type uint16"),
    ('name = "co"\naddress = 4\ntype = "int8"\nbyte = "upper"', "invalid enum value 'upper' (allowed: high, low)"),
    ('name = "co"\naddress = 4\ntype = "uint16"\ntable = "coil"', "uint16 cannot lie in the coil table"),
    ('name = "co"\naddress = 4\ntype = "uint16"\nscale = 0', "0 makes every value the same"),
    ('name = "co"\naddress = 4\ntype = "uint16"\nraw_low = 0', "go together"),
    ('name = "co"\naddress = 4\ntype = "uint16"\nlow = 5\nhigh = 5', "5 is not below high = 5"),
    ('name = "co"\naddress = 4\ntype = "uint16"\nscan_s = 0.01', "0.01 is out of range (allowed: 0.1 to 86400)"),
    ('name = "co"\naddress = 4\ntype = "uint16"\nperiod_s = 0', "period_s: 0 is out of range"),
    ('name = "co"\naddress = 4\ntype = "uint16"\ndeadband = -1', "is negative"),
    ('name = "co"\naddress = 4\ntype = "uint16"\ndeadband_percent = 1', "low and high must be given"),
    ('name = "co"\naddress = 4\ntype = "uint16"\nstates = {a = "idle"}', "states: expected a whole number, got text"),
]  # fmt: skip


@pytest.mark.parametrize(("channel", "message"), BAD_CHANNELS, ids=[message for _, message in BAD_CHANNELS])
def test_a_wrong_channel_is_one_clear_line(tmp_path: Path, channel: str, message: str) -> None:
    path = write(tmp_path, channel, "never_read = [[100, 110]]")
    with pytest.raises(ConfigError) as caught:
        load_profile("test.toml", tmp_path)
    text = str(caught.value)
    assert message in text
    assert text.startswith(f"{path}: ")
    assert "\n" not in text


@pytest.mark.parametrize(
    ("modbus", "message"),
    [
        ("max_registers = 126", "modbus.max_registers: 126 is out of range (allowed: 1 to 125)"),
        ("max_registers = 1", "2 registers exceed modbus.max_registers = 1"),
        ("max_hole = -1", "modbus.max_hole: -1 is out of range"),
        ("never_read = [[5, 4]]", "modbus.never_read[1]: [5, 4] is no range"),
        ("never_read = [[5]]", "modbus.never_read[1]: expected a list of length 2, got 1"),
        ("address_base = 2", "modbus.address_base: invalid enum value 2 (allowed: 0, 1, 40001)"),
        ("address_base = 40001", "20004 is no address of the 40001 style"),
        ("order = ABCD", "is not TOML: "),
    ],
)
def test_a_wrong_modbus_table_is_one_clear_line(tmp_path: Path, modbus: str, message: str) -> None:
    write(tmp_path, CO.replace("address = 4", "address = 20004"), modbus)
    with pytest.raises(ConfigError) as caught:
        load_profile("test.toml", tmp_path)
    assert message in str(caught.value)


def test_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no file .*nowhere\.toml"):
        load_profile("nowhere.toml", tmp_path)


@pytest.mark.parametrize("profile_id", shipped_ids())
def test_a_shipped_profile_loads_and_can_be_read(profile_id: str) -> None:
    profile = load_profile(profile_id, Path("/"))
    assert profile.id == profile_id
    reads = plan_reads(profile, positions_of(profile, scan_classes(profile)))
    assert sorted(at for read in reads for at in read.positions) == list(range(len(profile.channels)))
    assert all(channel.encoding.type in ValueType for channel in profile.channels)
