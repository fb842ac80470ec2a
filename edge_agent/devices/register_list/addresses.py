"""Addresses as lists write them: 40001, 4x0001, HR0, 0x10, %MW100, 40001.3. Those of a PLC are refused with advice."""

import re
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from edge_agent.devices.profile import AddressBase
from edge_agent.devices.register_list.cells import CellError, unified
from edge_agent.modbus.value import Table

LAST_ADDRESS = 65535
ALLOWED = "40001, 4x0001, HR0, IR0, CO0, DI0, 0x0010, or a number counted from 0; with .3 behind it for bit 3"
_BY_DIGIT = {"0": Table.COIL, "1": Table.DISCRETE, "3": Table.INPUT, "4": Table.HOLDING}
_PREFIXES = {
    Table.HOLDING: ("hr", "holding", "holdingregister", "mw", "保持寄存器"),
    Table.INPUT: ("ir", "input", "inputregister", "输入寄存器"),
    Table.COIL: ("co", "coil", "线圈"),
    Table.DISCRETE: ("di", "discrete", "discreteinput", "离散输入"),
}
_BY_PREFIX = {prefix: table for table, prefixes in _PREFIXES.items() for prefix in prefixes}
_BIT = r"(?:[.:](?P<bit>\d{1,2}))?"
_WITH_X = re.compile(rf"(?P<table>[0134])x[:_]?(?P<number>\d{{1,6}}){_BIT}")
_HEX = re.compile(rf"(?:0x|&h|16#)(?P<number>[0-9a-f]{{1,4}}){_BIT}|(?P<tail>[0-9][0-9a-f]{{0,4}})h")
_PREFIXED = re.compile(rf"%?(?P<prefix>[a-z\u4e00-\u9fff]+)(?P<number>\d{{1,5}}){_BIT}")
_PLAIN = re.compile(rf"(?P<number>\d{{1,6}}){_BIT}")
_SPAN = re.compile(r"(?P<first>.*?\d)(?:-|~|～|—|–|至|to)(?P<last>[0134]x\d+|\d+)")
_PLC = re.compile(r"%?(?:db\d*[.,]?)?(?:dbx|dbb|dbw|dbd)\d+(?:\.\d)?|%?db\d+.*")
_S7_MEMORY = re.compile(r"%?[mviqeap](?:b|w|d|x)?\d+(?:\.\d)?")
_DEVICE = re.compile(r"(?:d|dm|w|r|zr|h|e|cio|t|c|m|x|y|s)\d+(?:\.\d+)?")


class Address(NamedTuple):
    """`number` counts from 0 in `table` (None: not said); `width` is how many registers the list names."""

    table: Table | None
    number: int
    bit: int | None = None
    width: int | None = None


class Style(msgspec.Struct, frozen=True):
    """How a list as a whole writes: what plain numbers count from, and what 0x0001 and 4.0 mean in it."""

    base: AddressBase = AddressBase.ZERO
    zero_x_is_coil: bool = False
    dots_are_offsets: bool = False


def find_style(cells: Iterable[tuple[str, bool]], base: AddressBase | None, tables_are_given: bool) -> Style:
    """The style of a list from its addresses, each with whether its row is one of a bit; `base` overrules."""
    texts = [(_tidy(text), is_bit) for text, is_bit in cells]
    plain = [(found, is_bit) for text, is_bit in texts if (found := _PLAIN.fullmatch(_first_of(text)[0]))]
    numbers = [int(found["number"]) for found, _ in plain]
    return Style(
        base=base if base is not None else _base_of(numbers, tables_are_given),
        zero_x_is_coil=any(_WITH_X.fullmatch(text) and text[0] != "0" for text, _ in texts),
        dots_are_offsets=any(found["bit"] is not None and not is_bit for found, is_bit in plain),
    )


def parse_address(text: str, style: Style) -> Address:
    """The address in a cell. Raises CellError."""
    first, last = _first_of(_tidy(text))
    address = _parse_one(first, style, text)
    if last is None:
        return address
    end = _parse_one(last, style, text)
    if end.number < address.number:
        raise CellError(f'"{text}" ends before it begins', ALLOWED)
    return address._replace(width=end.number - address.number + 1)


def _tidy(text: str) -> str:
    return re.sub(r"\s+", "", unified(text)).replace("bit", ".").replace("..", ".")


def _first_of(text: str) -> tuple[str, str | None]:
    found = _SPAN.fullmatch(text)
    return (found["first"], found["last"]) if found else (text, None)


def _base_of(numbers: list[int], tables_are_given: bool) -> AddressBase:
    """The 40001 style where every number looks like it and no column says the table; else from 0."""
    is_modicon = numbers and all(10_001 <= number <= 49_999 or number >= 100_001 for number in numbers)
    return AddressBase.MODICON if is_modicon and not tables_are_given else AddressBase.ZERO


def _parse_one(text: str, style: Style, written: str) -> Address:
    if (found := _WITH_X.fullmatch(text)) and (text[0] != "0" or style.zero_x_is_coil):
        return _made(_BY_DIGIT[found["table"]], int(found["number"]) - 1, found["bit"], written)
    if found := _HEX.fullmatch(text):
        return _made(None, int(found["number"] or found["tail"], 16), found["bit"], written)
    if found := _PLAIN.fullmatch(text):
        return _parse_plain(int(found["number"]), found["bit"], style, written)
    if (found := _PREFIXED.fullmatch(text)) and found["prefix"] in _BY_PREFIX:
        return _made(_BY_PREFIX[found["prefix"]], int(found["number"]), found["bit"], written)
    raise CellError(*_advice(text, written))


def _parse_plain(number: int, bit: str | None, style: Style, written: str) -> Address:
    if bit is not None and style.dots_are_offsets:
        raise CellError(
            f'"{written}" is a byte offset of a data block: where MB_HOLD_REG points to it, byte n is register n/2',
            f"HR{number // 2} here, if that is so",
        )
    if style.base is not AddressBase.MODICON:
        return _made(None, number - int(style.base), bit, written)
    unit = 100_000 if number > 99_999 else 10_000
    table = _BY_DIGIT.get(str(number // unit))
    if table is None or number % unit == 0:
        raise CellError(
            f"{written} is no address of the 40001 style", "1 to 9999, 10001.., 30001.., 40001.., or six digits"
        )
    return _made(table, number % unit - 1, bit, written)


def _made(table: Table | None, number: int, bit: str | None, written: str) -> Address:
    if not 0 <= number <= LAST_ADDRESS:
        raise CellError(f'"{written}" is out of range: register {number} counted from 0', f"0 to {LAST_ADDRESS}")
    if bit is not None and int(bit) > 15:
        raise CellError(f'"{written}" names bit {int(bit)} of a register', "bit 0 to 15")
    return Address(table, number, None if bit is None else int(bit))


def _advice(text: str, written: str) -> tuple[str, str]:
    if not text:
        return "is missing", ALLOWED
    if _PLC.fullmatch(text):
        return (
            f'"{written}" is an address in a data block, which Modbus does not see: with MB_HOLD_REG pointing to that '
            "block (not optimised), byte n is holding register n/2",
            "HR0 for byte 0, HR2 for byte 4, ...",
        )
    if _S7_MEMORY.fullmatch(text) or _DEVICE.fullmatch(text):
        return (
            f'"{written}" is an address of the PLC itself: look up in its Modbus settings which register shows it',
            "e.g. HR100 where D100 is holding register 100",
        )
    return f'"{written}" is no Modbus address', ALLOWED
