"""What turns a row's raw number into its quantity: scale, raw span, offset, plausible range and codes."""

import re
from decimal import Decimal

import msgspec

from edge_agent.devices.register_list.columns import Column
from edge_agent.devices.register_list.numbers import parse_number, parse_range, parse_scale, parse_states
from edge_agent.devices.register_list.row import RowCells, WrongCell, whole_number
from edge_agent.devices.tables import ChannelTable
from edge_agent.modbus.value import ValueType

Ends = tuple[float, float]
# What a list says where an integer is the raw value of an analogue input.
_RAW_SIGNS = re.compile(r"27648|32000|4\s*[-~]\s*20\s*ma|码值|原始值", re.IGNORECASE)


def with_scaling(channel: ChannelTable, cells: RowCells, factor: Decimal) -> ChannelTable:
    """The channel scaled as the row says, times `factor` from the row's unit to the quantity's. Raises WrongCell."""
    if channel.type in (ValueType.STRING, ValueType.BIT):
        return channel
    ends = _ends(cells)
    raw = cells.read_optional(Column.RAW_RANGE, parse_range)
    if raw is not None:
        return _with_span(channel, cells, raw, ends, factor)
    scale = _times(_scale(cells), factor)
    if channel.type is not None and not channel.type.is_float and scale == 1 and _RAW_SIGNS.search(cells.written()):
        cells.doubt(
            "it may be the raw value of an analogue input: then raw_low, raw_high, low_eng and high_eng are needed"
        )
    offset = _times(cells.read_optional(Column.OFFSET, parse_number) or 0.0, factor)
    low, high = ends or (None, None)
    return msgspec.structs.replace(
        channel,
        scale=None if scale == 1 else scale,
        offset=None if offset == 0 else offset,
        low=None if low is None else _times(low, factor),
        high=None if high is None else _times(high, factor),
    )


def with_states(channel: ChannelTable, cells: RowCells) -> ChannelTable:
    """The channel with the codes that the row's comment explains, where its type is one of codes."""
    kind = channel.type
    if kind is None or kind.is_float or kind in (ValueType.STRING, ValueType.BIT) or channel.scale is not None:
        return channel
    states = parse_states(cells.text(Column.COMMENT))
    if not states:
        return channel
    cells.doubt("states from the comment: any other code is bad")
    return msgspec.structs.replace(channel, states=states)


def _with_span(channel: ChannelTable, cells: RowCells, raw: Ends, ends: Ends | None, factor: Decimal) -> ChannelTable:
    if ends is None:
        raise WrongCell(Column.RAW_RANGE, "a raw range needs the range that it stands for", "a column 量程 or range")
    if cells.text(Column.SCALE) not in ("", "1"):
        raise WrongCell(Column.SCALE, "cannot be combined with a raw range", "either of them")
    low, high = (_times(end, factor) for end in ends)
    return msgspec.structs.replace(channel, raw_low=raw[0], raw_high=raw[1], low_eng=low, high_eng=high)


def _ends(cells: RowCells) -> Ends | None:
    given = cells.read_optional(Column.RANGE, parse_range)
    low = cells.read_optional(Column.LOW, parse_number)
    high = cells.read_optional(Column.HIGH, parse_number)
    if given is not None or low is None or high is None:
        return given
    if not low < high:
        raise WrongCell(Column.LOW, f"{low:g} is not below {high:g}", "low < high")
    return low, high


def _scale(cells: RowCells) -> float:
    decimals = cells.read_optional(Column.DECIMALS, whole_number)
    scale = cells.read_optional(Column.SCALE, parse_scale)
    if decimals and scale not in (None, 1.0):
        raise WrongCell(Column.DECIMALS, "cannot be combined with a scale", "either of them")
    if scale is not None and scale > 1:
        cells.doubt(f"scale {scale:g}: value = raw x {scale:g}; where the list means the opposite, {1 / scale:g}")
    if decimals:
        return float(Decimal(1).scaleb(-decimals))
    return 1.0 if scale is None else scale


def _times(number: float, factor: Decimal) -> float:
    return float(Decimal(repr(float(number))) * factor)
