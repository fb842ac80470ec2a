"""One row of a list becomes one channel of a profile, with what was guessed along the way."""

import re
from decimal import Decimal

import msgspec

from edge_agent.devices.register_list.addresses import Style
from edge_agent.devices.register_list.columns import Column
from edge_agent.devices.register_list.meaning import Certainty, Meaning, guess_meaning
from edge_agent.devices.register_list.placing import place_of
from edge_agent.devices.register_list.row import CJK, RowCells, WrongCell
from edge_agent.devices.register_list.scaling import with_scaling, with_states
from edge_agent.devices.register_list.units import plain_unit
from edge_agent.devices.tables import ChannelTable
from edge_agent.modbus.value import ValueType

CONCENTRATIONS = ("co", "so2", "nox", "no", "no2", "hcl", "dust")


class ListedChannel(msgspec.Struct, frozen=True):
    """A channel, the row that it comes from, how that was written, and what a person should look at."""

    row: int
    channel: ChannelTable
    written: str
    doubts: tuple[str, ...]
    certainty: Certainty | None = None


def channel_of(cells: RowCells, style: Style, default_type: str, basis: str) -> ListedChannel:
    """The channel of a row. Raises WrongCell."""
    place = place_of(cells, style, default_type)
    name, unit = _name(cells), cells.text(Column.UNIT)
    meaning = _meaning(cells, name, unit, place.type)
    is_chinese = CJK.search(name) is not None
    channel = ChannelTable(
        name=name,
        quantity=meaning.quantity if meaning else None,
        name_zh=cells.text(Column.NAME_ZH) or (name if is_chinese else None),
        name_en=cells.text(Column.NAME_EN) or (None if is_chinese else name),
        unit=None if meaning else plain_unit(unit) or None,
        basis=_basis(cells, meaning, basis),
        table=place.table,
        address=place.address,
        type=place.type,
        order=place.order,
        bit=place.bit,
        length=place.length,
    )
    scaled = with_states(with_scaling(channel, cells, meaning.factor if meaning else Decimal(1)), cells)
    certainty = meaning.certainty if meaning else None
    return ListedChannel(cells.number, scaled, cells.written(), tuple(cells.doubts), certainty)


def _name(cells: RowCells) -> str:
    columns = (Column.NAME, Column.NAME_EN, Column.NAME_ZH, Column.COMMENT)
    text = next((found for column in columns if (found := cells.text(column))), "")
    name = re.sub(r"[+#/\s]+", "_", text).strip("_")
    if not name:
        raise WrongCell(Column.NAME, "is missing", "a name")
    return name


def _meaning(cells: RowCells, name: str, unit: str, kind: ValueType) -> Meaning | None:
    """The quantity by the names, or else by the comment."""
    if kind is ValueType.STRING:
        return None
    is_bit = kind is ValueType.BIT
    said = " ".join(filter(None, (cells.text(Column.NAME_ZH), cells.text(Column.NAME_EN), name)))
    guess = guess_meaning(said, unit, is_bit=is_bit) or guess_meaning(cells.text(Column.COMMENT), unit, is_bit=is_bit)
    if guess is None:
        return None
    if not isinstance(guess, Meaning):
        cells.doubt(guess.why)
        return None
    if guess.certainty is Certainty.UNSURE:
        cells.doubt(f"unsure: {guess.doubt}")
    if guess.factor != 1:
        cells.doubt(f"{unit} becomes the quantity's own unit: times {guess.factor:f}")
    return guess


def _basis(cells: RowCells, meaning: Meaning | None, basis: str) -> str | None:
    if meaning is None or meaning.quantity not in CONCENTRATIONS:
        return None
    if not basis:
        cells.doubt("basis not known (dry_standard, wet_standard, wet_actual): without it no limit is judged")
    return basis or None
