"""A whole list becomes a profile: its style, its rows, names and quantities that occur once, and TOML that loads."""

from collections.abc import Container, Iterable, Sequence
from pathlib import Path

import msgspec

from edge_agent.devices.files import WrittenProfile, resolve_profile
from edge_agent.devices.profile import AddressBase, Origin
from edge_agent.devices.register_list.addresses import Style, find_style
from edge_agent.devices.register_list.cells import CellError, RowProblem
from edge_agent.devices.register_list.columns import Column, unused_headings
from edge_agent.devices.register_list.datatypes import parse_type
from edge_agent.devices.register_list.meaning import Certainty
from edge_agent.devices.register_list.row import RowCells, WrongCell
from edge_agent.devices.register_list.rows import ListedChannel, channel_of
from edge_agent.devices.register_list.sheet import Sheet
from edge_agent.devices.register_list.text import profile_text
from edge_agent.devices.resolve import resolve_channel, resolve_limits
from edge_agent.devices.tables import ModbusTable, ProfileFile, ProfileTable
from edge_agent.errors import ConfigError
from edge_agent.modbus.value import Order, Table, ValueType
from edge_agent.toml_file import Place, parse_toml
from edge_agent.wire.quantity import quantities


class ListOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the list itself does not say. `base` None: found out; `default_type` "": a row without a type is refused."""

    id: str
    order: Order = Order.ABCD
    base: AddressBase | None = None
    default_type: str = ""
    basis: str = ""


class ImportedProfile(msgspec.Struct, frozen=True):
    """The profile's text ("" where no row can be used), its channels, the rows that are not in it, and notes."""

    text: str
    channels: tuple[ListedChannel, ...]
    problems: tuple[RowProblem, ...]
    notes: tuple[str, ...]


def convert_list(sheet: Sheet, options: ListOptions) -> ImportedProfile:
    """The list as a profile: each row is a channel or a problem. Raises ConfigError for options that do not hold."""
    rows = [RowCells(row, sheet.columns) for row in sheet.rows]
    style = _style(rows, sheet, options)
    listed: list[ListedChannel] = []
    problems: list[RowProblem] = []
    modbus = ModbusTable(order=options.order, max_hole=0)
    for cells in rows:
        try:
            found = channel_of(cells, style, options.default_type, options.basis)
            _check(found, modbus)
            listed.append(found)
        except WrongCell as error:
            heading = _heading(sheet, error.column)
            problems.append(RowProblem(cells.number, heading, error.problem, error.allowed))
    channels = tuple(_named_once(_meant_once(listed)))
    notes = (*sheet.notes, *_notes(sheet, style, channels))
    text = _text(sheet, options, modbus, channels, notes) if channels else ""
    return ImportedProfile(text, channels, tuple(problems), notes)


def _style(rows: Sequence[RowCells], sheet: Sheet, options: ListOptions) -> Style:
    addresses = [(cells.text(Column.ADDRESS), _is_bit(cells, options.default_type)) for cells in rows]
    return find_style(addresses, options.base, Column.TABLE in sheet.columns)


def _is_bit(cells: RowCells, default_type: str) -> bool:
    try:
        return parse_type(cells.text(Column.TYPE) or default_type).type is ValueType.BIT
    except CellError:
        return not cells.text(Column.TYPE)


def _check(listed: ListedChannel, modbus: ModbusTable) -> None:
    """What a profile's reader would refuse, as a problem of the row. Raises WrongCell."""
    try:
        resolve_channel(listed.channel, modbus, resolve_limits(modbus, ""), Place("", ""))
    except ConfigError as error:
        column = {"address": Column.ADDRESS, "name": Column.NAME, "bit": Column.BIT, "length": Column.LENGTH}
        raise WrongCell(column.get(error.key, Column.TYPE), error.problem, error.allowed) from error


def _heading(sheet: Sheet, column: Column) -> str:
    position = sheet.columns.get(column)
    return sheet.headings[position] if position is not None else column.value


def _meant_once(listed: Sequence[ListedChannel]) -> Iterable[ListedChannel]:
    """Of several rows that speak of one quantity, the surest and first has it."""
    holders: dict[str, ListedChannel] = {}
    for one in sorted(listed, key=lambda one: one.certainty is not Certainty.SURE):
        if one.channel.quantity is not None:
            holders.setdefault(one.channel.quantity, one)
    for one in listed:
        quantity = one.channel.quantity
        if quantity is None or holders[quantity] is one:
            yield one
            continue
        doubt = f"no quantity: it also speaks of {quantity}, which row {holders[quantity].row} has"
        unit = quantities()[quantity].unit or None
        channel = msgspec.structs.replace(one.channel, quantity=None, basis=None, unit=unit)
        yield msgspec.structs.replace(one, channel=channel, doubts=(*one.doubts, doubt))


def _named_once(listed: Iterable[ListedChannel]) -> Iterable[ListedChannel]:
    """Channels with a quantity are named after it; of several of one name, the later ones get a number."""
    listed = list(listed)
    taken = {one.channel.quantity for one in listed}
    for one in listed:
        wanted = one.channel.quantity or one.channel.name
        name = wanted if one.channel.quantity else _free_name(wanted, taken)
        taken.add(name)
        doubts = one.doubts if name == wanted else (*one.doubts, f"named {name}: {wanted} is taken")
        yield msgspec.structs.replace(one, channel=msgspec.structs.replace(one.channel, name=name), doubts=doubts)


def _free_name(wanted: str, taken: Container[str | None]) -> str:
    name, count = wanted, 1
    while name in taken:
        count += 1
        name = f"{wanted}_{count}"
    return name


def _notes(sheet: Sheet, style: Style, channels: Sequence[ListedChannel]) -> Iterable[str]:
    if unused := unused_headings(sheet.headings, sheet.columns.values()):
        yield f"columns not used: {', '.join(unused)} (--map HEADING=KEY says what they hold)"
    if style.base is AddressBase.MODICON:
        yield "plain numbers are read in the 40001 style: 40001 is the first holding register"
    elif any(one.channel.table in (Table.HOLDING, Table.INPUT) for one in channels):
        first = "the first register is 1" if style.base is AddressBase.ONE else "the first register is 0"
        yield f"plain numbers are read so that {first} (--base 0, 1 or 40001 says otherwise)"


def _text(
    sheet: Sheet, options: ListOptions, modbus: ModbusTable, channels: Sequence[ListedChannel], notes: Sequence[str]
) -> str:
    """TOML, read back once: what is written here loads."""
    file = Path(sheet.file).name
    source = f"Register list {file}, {len(channels)} of {len(sheet.rows)} rows; not compared with the device"
    profile = ProfileTable(id=options.id, name_zh=options.id, name_en=options.id, origin=Origin.EXAMPLE, source=source)
    head = [
        f"Made from the register list {file}. Lines with # ? are guesses: look at each, then take the mark away.",
        "Addresses count from 0 in their table. No hole is read through (max_hole = 0): where the device answers for "
        "registers between those below, a higher number saves reads.",
        *notes,
    ]
    text = profile_text(profile, modbus, channels, head)
    resolve_profile(WrittenProfile(options.id, parse_toml(text, ProfileFile, options.id)), {}, Place(options.id, ""))
    return text
