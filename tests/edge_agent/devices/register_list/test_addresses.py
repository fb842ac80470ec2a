from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.devices.profile import AddressBase
from edge_agent.devices.register_list.addresses import Address, Style, find_style, parse_address
from edge_agent.devices.register_list.cells import CellError
from edge_agent.modbus.value import Table

MODICON = Style(base=AddressBase.MODICON)
WITH_X = Style(zero_x_is_coil=True)


@pytest.mark.parametrize(
    ("text", "style", "expected"),
    [
        ("40001", MODICON, Address(Table.HOLDING, 0)),
        ("400001", MODICON, Address(Table.HOLDING, 0)),
        ("30005", MODICON, Address(Table.INPUT, 4)),
        ("10001", MODICON, Address(Table.DISCRETE, 0)),
        ("17", MODICON, Address(Table.COIL, 16)),
        ("40001.3", MODICON, Address(Table.HOLDING, 0, 3)),
        ("40001 bit 3", MODICON, Address(Table.HOLDING, 0, 3)),
        ("40001-40002", MODICON, Address(Table.HOLDING, 0, None, 2)),
        ("40001～40002", MODICON, Address(Table.HOLDING, 0, None, 2)),
        ("4x0001", Style(), Address(Table.HOLDING, 0)),
        ("４Ｘ０００１", Style(), Address(Table.HOLDING, 0)),
        ("4x00010.15", Style(), Address(Table.HOLDING, 9, 15)),
        ("3x0012", Style(), Address(Table.INPUT, 11)),
        ("0x0001", WITH_X, Address(Table.COIL, 0)),
        ("0x0001", Style(), Address(None, 1)),
        ("0x1F", Style(), Address(None, 31)),
        ("001Fh", Style(), Address(None, 31)),
        ("HR0", Style(), Address(Table.HOLDING, 0)),
        ("hr 12", Style(), Address(Table.HOLDING, 12)),
        ("IR3", Style(), Address(Table.INPUT, 3)),
        ("CO5", Style(), Address(Table.COIL, 5)),
        ("DI7", Style(), Address(Table.DISCRETE, 7)),
        ("%MW100", Style(), Address(Table.HOLDING, 100)),
        ("保持寄存器10", Style(), Address(Table.HOLDING, 10)),
        ("0", Style(), Address(None, 0)),
        ("1", Style(base=AddressBase.ONE), Address(None, 0)),
        ("12.4", Style(), Address(None, 12, 4)),
        ("0-1", Style(), Address(None, 0, None, 2)),
    ],
)
def test_an_address_is_read_as_lists_write_it(text: str, style: Style, expected: Address) -> None:
    assert parse_address(text, style) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is missing"),
        ("DB1.DBD8", "data block"),
        ("%DB1.DBX0.3", "data block"),
        ("DBW4", "data block"),
        ("DB10.8", "data block"),
        ("MD100", "of the PLC itself"),
        ("VD200", "of the PLC itself"),
        ("IW64", "of the PLC itself"),
        ("D100", "of the PLC itself"),
        ("M0", "of the PLC itself"),
        ("somewhere", "is no Modbus address"),
        ("70000", "is out of range"),
        ("40001.16", "names bit 16"),
        ("9-4", "ends before it begins"),
    ],
)
def test_what_is_no_modbus_address_is_refused_with_advice(text: str, said: str) -> None:
    with pytest.raises(CellError) as caught:
        parse_address(text, Style())
    assert said in caught.value.problem
    assert caught.value.allowed


def test_a_byte_offset_of_a_data_block_comes_with_the_register_it_would_be() -> None:
    style = find_style([("0.0", False), ("4.0", False), ("8.2", True)], None, False)
    with pytest.raises(CellError) as caught:
        parse_address("8.2", style)
    assert "byte offset" in caught.value.problem
    assert caught.value.allowed.startswith("HR4 ")


@pytest.mark.parametrize(
    ("texts", "tables_are_given", "base"),
    [
        (["40001", "40003", "30001"], False, AddressBase.MODICON),
        (["400001", "400003"], False, AddressBase.MODICON),
        (["40001", "40003"], True, AddressBase.ZERO),
        (["0", "2", "4"], False, AddressBase.ZERO),
        (["100", "40001"], False, AddressBase.ZERO),
        (["HR0", "HR2"], False, AddressBase.ZERO),
    ],
)
def test_the_list_as_a_whole_says_what_numbers_count_from(
    texts: list[str], tables_are_given: bool, base: AddressBase
) -> None:
    assert find_style([(text, False) for text in texts], None, tables_are_given).base is base


def test_what_the_user_says_comes_first() -> None:
    assert find_style([("40001", False)], AddressBase.ONE, False).base is AddressBase.ONE


def test_0x_is_a_coil_only_where_other_rows_write_4x() -> None:
    assert find_style([("0x0001", True), ("4x0001", False)], None, False).zero_x_is_coil
    assert not find_style([("0x0001", False), ("0x0003", False)], None, False).zero_x_is_coil


@given(st.integers(0, 65535), st.sampled_from(["hr{}", "HR {}", "0x{:04X}", "{:04X}h", "{}"]))
def test_every_register_can_be_written_in_every_form(number: int, form: str) -> None:
    text = form.format(number)
    if text[0].isalpha() and text.lower().endswith("h"):
        text = "0" + text
    assert parse_address(text, Style()).number == number


@given(st.text(max_size=12))
def test_any_text_is_an_address_or_a_refusal(text: str) -> None:
    number = 0
    with suppress(CellError):
        number = parse_address(text, Style()).number
    assert 0 <= number <= 65535
