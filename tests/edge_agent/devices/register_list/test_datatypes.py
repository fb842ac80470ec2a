import pytest

from edge_agent.devices.register_list.cells import CellError
from edge_agent.devices.register_list.datatypes import DataType, parse_order, parse_type
from edge_agent.modbus.value import Order, ValueType


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("REAL", ValueType.FLOAT32),
        ("Float", ValueType.FLOAT32),
        ("float(32)", ValueType.FLOAT32),
        ("FLOAT32", ValueType.FLOAT32),
        ("32-bit float", ValueType.FLOAT32),
        ("浮点数", ValueType.FLOAT32),
        ("32位浮点数", ValueType.FLOAT32),
        ("LREAL", ValueType.FLOAT64),
        ("64位浮点", ValueType.FLOAT64),
        ("INT", ValueType.INT16),
        ("Int16", ValueType.INT16),
        ("16位有符号整数", ValueType.INT16),
        ("有符号16位", ValueType.INT16),
        ("signed int 16", ValueType.INT16),
        ("WORD", ValueType.UINT16),
        ("UINT", ValueType.UINT16),
        ("unsigned 16 bit", ValueType.UINT16),
        ("16位无符号整数", ValueType.UINT16),
        ("DINT", ValueType.INT32),
        ("long", ValueType.INT32),
        ("DWORD", ValueType.UINT32),
        ("32位无符号整型", ValueType.UINT32),
        ("ULINT", ValueType.UINT64),
        ("BOOL", ValueType.BIT),
        ("开关量", ValueType.BIT),
    ],
)
def test_a_type_is_read_in_both_languages(text: str, expected: ValueType) -> None:
    assert parse_type(text) == DataType(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("STRING[10]", DataType(ValueType.STRING, 5)),
        ("String(7)", DataType(ValueType.STRING, 4)),
        ("string", DataType(ValueType.STRING)),
        ("BCD", DataType(ValueType.BCD, 1)),
        ("BCD32", DataType(ValueType.BCD, 2)),
        ("Float CDAB", DataType(ValueType.FLOAT32, None, Order.CDAB)),
        ("float (DCBA)", DataType(ValueType.FLOAT32, None, Order.DCBA)),
        ("Float inverse", DataType(ValueType.FLOAT32, None, Order.CDAB)),
    ],
)
def test_length_and_order_may_stand_in_the_type(text: str, expected: DataType) -> None:
    assert parse_type(text) == expected


@pytest.mark.parametrize("text", ["", "SINT", "TIME", "S5TIME", "8 bit", "DATE_AND_TIME"])
def test_an_unknown_type_names_what_is_allowed(text: str) -> None:
    with pytest.raises(CellError) as caught:
        parse_type(text)
    assert "REAL" in caught.value.allowed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ABCD", Order.ABCD),
        ("cd ab", Order.CDAB),
        ("大端", Order.ABCD),
        ("低字在前", Order.CDAB),
        ("little endian", Order.DCBA),
        ("byte swap", Order.BADC),
        ("EFGHABCD", Order.EFGHABCD),
    ],
)
def test_a_byte_order_is_read_in_both_languages(text: str, expected: Order) -> None:
    assert parse_order(text) is expected


def test_an_unknown_byte_order_names_what_is_allowed() -> None:
    with pytest.raises(CellError, match="ACBD"):
        parse_order("ACBD")
