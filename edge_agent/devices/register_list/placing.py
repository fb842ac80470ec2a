"""Where a row's value lies and how it is encoded; table, address, type, bit and length must agree with each other."""

import re

import msgspec

from edge_agent.devices.register_list.addresses import Address, Style, parse_address
from edge_agent.devices.register_list.cells import CellError, unified
from edge_agent.devices.register_list.columns import Column
from edge_agent.devices.register_list.datatypes import DataType, parse_order, parse_type
from edge_agent.devices.register_list.row import RowCells, WrongCell, whole_number
from edge_agent.devices.register_list.vocabulary import by_word, vocabulary
from edge_agent.modbus.value import Order, Table, ValueType

_BY_TABLE_WORD = {word: Table(name) for word, name in by_word(vocabulary().tables).items()}
_BY_FUNCTION = {1: Table.COIL, 2: Table.DISCRETE, 3: Table.HOLDING, 4: Table.INPUT}
_FUNCTIONS = re.compile(r"(?:(?:fc|f|功能码)?(?:0x)?\d{1,2}h?[/,、+&;]?)+")


class Place(msgspec.Struct, frozen=True):
    """A value's place; `bit` and `length` only where the type needs them."""

    table: Table
    address: int
    type: ValueType
    order: Order | None
    bit: int | None
    length: int | None


def place_of(cells: RowCells, style: Style, default_type: str) -> Place:
    """The place that a row names. Raises WrongCell."""
    address = cells.read(Column.ADDRESS, lambda text: parse_address(text, style))
    named = _named_table(cells, address)
    datatype = _datatype(cells, named, address, default_type)
    table = _table(cells, named, datatype.type, address)
    return Place(
        table=table,
        address=address.number,
        type=datatype.type,
        order=cells.read_optional(Column.ORDER, parse_order) or datatype.order,
        bit=_bit(cells, datatype.type, table, address),
        length=_length(cells, datatype, address),
    )


def parse_table(text: str) -> Table:
    """The table in a cell: a name, 4x, or the function code that reads it. Raises CellError."""
    plain = re.sub(r"[\s_]+", "", unified(text))
    if (table := _BY_TABLE_WORD.get(plain)) is not None:
        return table
    if _FUNCTIONS.fullmatch(plain):
        codes = [int(code) for code in re.findall(r"\d+", plain.replace("0x", ""))]
        for code in codes:
            if code in _BY_FUNCTION:
                return _BY_FUNCTION[code]
    raise CellError(
        f'"{text}" is no table that can be read', "holding, input, coil, discrete, 4x, 3x, 0x, 1x, 01 to 04"
    )


def _named_table(cells: RowCells, address: Address) -> Table | None:
    given = cells.read_optional(Column.TABLE, parse_table)
    if given and address.table and given is not address.table:
        raise WrongCell(
            Column.TABLE, f"{given} does not go with the address, which lies in {address.table}", address.table
        )
    return address.table or given


def _datatype(cells: RowCells, table: Table | None, address: Address, default_type: str) -> DataType:
    text = cells.text(Column.TYPE)
    if not text and (address.bit is not None or (table is not None and table.holds_bits)):
        return DataType(ValueType.BIT)
    if not text and default_type:
        cells.doubt(f"no type given: {default_type}")
    return cells.read(Column.TYPE, lambda written: parse_type(written or default_type))


def _table(cells: RowCells, named: Table | None, kind: ValueType, address: Address) -> Table:
    """The table; where nothing says it, a lone bit is a coil and all else a holding register."""
    if named is not None:
        if named.holds_bits and kind is not ValueType.BIT:
            raise WrongCell(Column.TYPE, f"{kind} cannot lie in the {named} table", "BOOL")
        return named
    if kind is ValueType.BIT and address.bit is None and not cells.text(Column.BIT):
        cells.doubt("one bit at a plain number: taken for a coil")
        return Table.COIL
    return Table.HOLDING


def _bit(cells: RowCells, kind: ValueType, table: Table, address: Address) -> int | None:
    if kind is not ValueType.BIT or table.holds_bits:
        if address.bit is not None:
            raise WrongCell(
                Column.ADDRESS, f"names a bit, but the type is {kind} in the {table} table", "BOOL in a register"
            )
        return None
    given = cells.read_optional(Column.BIT, whole_number) if address.bit is None else address.bit
    if given is None:
        cells.doubt("which bit is not said: bit 0")
    return given or 0


def _length(cells: RowCells, datatype: DataType, address: Address) -> int | None:
    """Registers of text and BCD; for all others, what the list says must agree with the type."""
    kind, fixed = datatype.type, datatype.type.fixed_registers
    listed = cells.read_optional(Column.LENGTH, whole_number) or address.width
    if fixed is not None:
        if kind is not ValueType.BIT and listed not in (None, fixed, 2 * fixed):  # lists count registers or bytes
            where = Column.LENGTH if cells.text(Column.LENGTH) else Column.ADDRESS
            raise WrongCell(where, f"{listed} registers do not fit {kind}, which takes {fixed}", str(fixed))
        return None
    if kind is ValueType.BCD:
        return listed or datatype.length
    if datatype.length is None and listed is None:
        raise WrongCell(Column.TYPE, "the length of a text is not said", "STRING[n], n bytes")
    return datatype.length or listed
