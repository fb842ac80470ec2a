"""From the keys of a channel to its encoding, every key checked against the type."""

from edge_agent.devices.tables import ChannelTable, ModbusTable
from edge_agent.modbus.value import WORD_BITS, Byte, Encoding, Order, RawSpan, Table, ValueType
from edge_agent.toml_file import Place
from edge_agent.wire.sample import Reason

# NAMUR NE 43 calls 3.6 mA and 21 mA failures of a 4..20 mA loop: as shares of the span, -2.5 % and +6.25 %.
BREAK_SHARE, OVER_SHARE = -0.025, 1.0625


def resolve_encoding(table: ChannelTable, modbus: ModbusTable, where: Table, place: Place) -> Encoding:
    """How the channel lies in its registers, in table `where`. Raises ConfigError."""
    kind = table.type or (ValueType.BIT if where.holds_bits else None)
    if kind is None:
        raise place.error("type", "is missing", ", ".join(ValueType))
    if where.holds_bits and kind is not ValueType.BIT:
        raise place.error("type", f"{kind} cannot lie in the {where} table", ValueType.BIT)
    _check_used(table, kind, where, place)
    length = _length(table, kind, place)
    return Encoding(
        type=kind,
        order=_order(table, modbus, length, place),
        bit=_bit(table, kind, length, place),
        width=table.width or 1,
        byte=table.byte or Byte.LOW,
        length=length,
        scale=_scale(table, place),
        offset=table.offset or 0.0,
        span=_span(table, place),
        codes=frozenset(table.states or ()),
        bad_codes=tuple((raw, Reason[no.name]) for raw, no in (table.no_value or {}).items()),
        low=table.low,
        high=table.high,
    )


def _check_used(table: ChannelTable, kind: ValueType, where: Table, place: Place) -> None:
    """A key that the type makes no use of is a mistake, and so is a plausible range upside down."""
    fields = (ValueType.BIT, ValueType.BITS)
    used = {
        "bit": kind in fields and not where.holds_bits,
        "width": kind is ValueType.BITS,
        "byte": kind in (ValueType.INT8, ValueType.UINT8),
        "length": kind in (ValueType.BITS, ValueType.BCD, ValueType.STRING),
        "states": not kind.is_float and kind is not ValueType.STRING,
        "scale": kind is not ValueType.STRING,
        "raw_low": kind not in (*fields, ValueType.STRING),
    }
    for key, is_used in used.items():
        if getattr(table, key) is not None and not is_used:
            raise place.error(key, f"has no meaning for type {kind} in the {where} table")
    if table.low is not None and table.high is not None and not table.low < table.high:
        raise place.error("low", f"{table.low:g} is not below high = {table.high:g}")


def _length(table: ChannelTable, kind: ValueType, place: Place) -> int:
    if kind.fixed_registers:
        return kind.fixed_registers
    is_text = kind is ValueType.STRING
    if table.length is None and is_text:
        raise place.error("length", "is missing", "1 to 125 registers")
    length = 1 if table.length is None else table.length
    if length not in (range(1, 126) if is_text else (1, 2, 4)):
        raise place.error("length", f"{length} registers do not fit {kind}", "1 to 125" if is_text else "1, 2, 4")
    return length


def _order(table: ChannelTable, modbus: ModbusTable, length: int, place: Place) -> Order:
    order = table.order or modbus.order
    if not order.is_64_bit_only or length == 4:
        return order
    if table.order is not None:
        raise place.error("order", f"{order} needs a value of four registers", "ABCD, DCBA, BADC, CDAB")
    return Order(_SHORTER[order])


_SHORTER = {
    Order.EFGHABCD: Order.ABCD,
    Order.CDABGHEF: Order.CDAB,
    Order.DCBAHGFE: Order.DCBA,
    Order.FEHGBADC: Order.BADC,
}


def _bit(table: ChannelTable, kind: ValueType, length: int, place: Place) -> int:
    if kind not in (ValueType.BIT, ValueType.BITS):
        return 0
    bit, width, bits = table.bit or 0, 1 if table.width is None else table.width, length * WORD_BITS
    if not 0 <= bit < bits:
        raise place.error("bit", f"{bit} is out of range", f"0 to {bits - 1}")
    if not 1 <= width <= bits - bit:
        raise place.error("width", f"{width} bits from bit {bit} do not fit", f"1 to {bits - bit}")
    return bit


def _scale(table: ChannelTable, place: Place) -> float:
    if table.scale == 0:
        raise place.error("scale", "0 makes every value the same", "any other number")
    return 1.0 if table.scale is None else table.scale


def _span(table: ChannelTable, place: Place) -> RawSpan | None:
    """The four ends of a raw span, given all or none; where the signal is broken or over range has defaults."""
    ends = (table.raw_low, table.raw_high, table.low_eng, table.high_eng)
    if ends == (None, None, None, None):
        return None
    raw_low, raw_high, low_eng, high_eng = ends
    if raw_low is None or raw_high is None or low_eng is None or high_eng is None:
        raise place.error("raw_low", "raw_low, raw_high, low_eng and high_eng go together")
    if table.scale is not None or table.offset is not None:
        raise place.error("scale", "cannot be combined with raw_low and raw_high")
    if not raw_low < raw_high or low_eng == high_eng:
        raise place.error("raw_low", "the raw range or the range of values is empty", "raw_low < raw_high")
    width = raw_high - raw_low
    break_below = raw_low + BREAK_SHARE * width if table.raw_break is None else table.raw_break
    over_above = raw_low + OVER_SHARE * width if table.raw_over is None else table.raw_over
    return RawSpan(
        raw_low=raw_low,
        raw_high=raw_high,
        low_eng=low_eng,
        high_eng=high_eng,
        break_below=break_below,
        over_above=over_above,
    )
