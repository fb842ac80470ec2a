"""Registers to values: a decode plan compiled once per block read, then a few struct calls per response."""

import struct
from collections.abc import Callable, Iterable, Sequence
from sys import float_info
from typing import NamedTuple

import msgspec

from edge_agent.modbus.encode import reorder
from edge_agent.modbus.value import WORD_BITS, Encoding, Order, ValueType
from edge_agent.wire.sample import Reason

Value = float | str | None
Read = tuple[Value, Reason]
_FORMATS = {
    ValueType.INT16: "h",
    ValueType.INT32: "i",
    ValueType.INT64: "q",
    ValueType.FLOAT16: "e",
    ValueType.FLOAT32: "f",
    ValueType.FLOAT64: "d",
}
_UNSIGNED = {1: "H", 2: "I", 4: "Q"}
# How to pack the registers, and how to read the bytes, so that each order costs nothing per value.
_ENDIANS = {Order.ABCD: (">", ">"), Order.DCBA: (">", "<"), Order.BADC: ("<", ">"), Order.CDAB: ("<", "<")}


class Point(msgspec.Struct, frozen=True):
    """A value at a register offset from the start of its block."""

    offset: int
    encoding: Encoding


class Readings(msgspec.Struct):
    """Decoded values and their reasons, in the order of the points. A value is None exactly when its reason is bad."""

    values: list[Value]
    reasons: list[Reason]


class _Number(NamedTuple):
    """A plain number: where it goes, value = raw * numerator / denominator + offset, and its bounds."""

    position: int
    numerator: float
    denominator: float
    offset: float
    low: float
    high: float


class _Lane(NamedTuple):
    """Points that one unpack reads: same packing, no two of them overlapping, plain numbers or not."""

    pack_little: bool
    unpack: Callable[[bytes], tuple[float | bytes, ...]]
    numbers: tuple[_Number, ...]
    finishers: tuple[tuple[int, Callable[..., Read]], ...]


class BlockDecoder:
    """Decodes the registers of one block read, `count` registers long."""

    def __init__(self, count: int, points: Sequence[Point]) -> None:
        self._count = count
        self._size = len(points)
        self._big, self._little = struct.Struct(f">{count}H"), struct.Struct(f"<{count}H")
        self._lanes = tuple(_lanes(count, points))
        self._needs_little = any(lane.pack_little for lane in self._lanes)

    def decode(self, registers: Sequence[int]) -> Readings:
        """The values of every point. Raises ValueError when the number of registers is not the block's."""
        if len(registers) != self._count:
            raise ValueError(f"{len(registers)} registers where {self._count} were asked for")
        big = self._big.pack(*registers)
        little = self._little.pack(*registers) if self._needs_little else b""
        values: list[Value] = [None] * self._size
        reasons = [Reason.GOOD] * self._size
        for lane in self._lanes:
            raws = lane.unpack(little if lane.pack_little else big)
            for raw, (position, numerator, denominator, offset, low, high) in zip(raws, lane.numbers, strict=False):
                value = raw * numerator / denominator + offset  # type: ignore[operator]
                if low <= value <= high:
                    values[position] = value
                else:
                    reasons[position] = _doubt(value)
            for raw, (position, finish) in zip(raws, lane.finishers, strict=False):
                values[position], reasons[position] = finish(raw)
        return Readings(values, reasons)


def decode_bits(points: Sequence[Point], bits: Sequence[bool]) -> Readings:
    """The values of points in a coil or discrete table; `offset` counts bits there."""
    readings = Readings([], [])
    for point in points:
        value, reason = _judged(point.encoding, int(bits[point.offset]))
        readings.values.append(value)
        readings.reasons.append(reason)
    return readings


def _lanes(count: int, points: Sequence[Point]) -> Iterable[_Lane]:
    """Group points by packing and kind, then split each group so that no two of a lane share a register."""
    groups: dict[tuple[str, str, bool], list[tuple[int, Point]]] = {}
    for position, point in sorted(enumerate(points), key=lambda pair: pair[1].offset):
        key = (*_endians(point.encoding), _is_plain(point.encoding))
        groups.setdefault(key, []).append((position, point))
    for (pack, unpack, plain), members in groups.items():
        while members:
            lane, members = _without_overlap(members)
            yield _compile(lane, pack, unpack, plain, count)


def _endians(encoding: Encoding) -> tuple[str, str]:
    if encoding.order.is_64_bit_only:
        return ">", ">"
    pack, unpack = _ENDIANS[encoding.order]
    if encoding.type is ValueType.STRING:
        return ("<" if encoding.order in (Order.BADC, Order.DCBA) else ">"), ">"
    return pack, unpack


def _is_plain(encoding: Encoding) -> bool:
    """True when scale, offset and bounds are all that happens to the raw number."""
    special = encoding.span is not None or encoding.codes or encoding.bad_codes or encoding.order.is_64_bit_only
    return not special and encoding.type not in (ValueType.BIT, ValueType.BITS, ValueType.BCD, ValueType.STRING)


def _without_overlap(members: list[tuple[int, Point]]) -> tuple[list[tuple[int, Point]], list[tuple[int, Point]]]:
    taken: list[tuple[int, Point]] = []
    left: list[tuple[int, Point]] = []
    end = 0
    for member in members:
        point = member[1]
        if point.offset >= end:
            taken.append(member)
            end = point.offset + point.encoding.registers
        else:
            left.append(member)
    return taken, left


def _compile(members: list[tuple[int, Point]], pack: str, unpack: str, plain: bool, count: int) -> _Lane:
    parts, end = [unpack], 0
    for _, point in members:
        parts.append(f"{2 * (point.offset - end)}x{_format(point.encoding)}")
        end = point.offset + point.encoding.registers
    parts.append(f"{2 * (count - end)}x")
    numbers = tuple(_number(position, point.encoding) for position, point in members) if plain else ()
    finishers = () if plain else tuple((position, _finisher(point.encoding)) for position, point in members)
    return _Lane(pack == "<", struct.Struct("".join(parts)).unpack, numbers, finishers)


def _format(encoding: Encoding) -> str:
    if encoding.type is ValueType.STRING or encoding.order.is_64_bit_only:
        return f"{2 * encoding.registers}s"
    return _FORMATS.get(encoding.type) or _UNSIGNED[encoding.registers]


def _number(position: int, encoding: Encoding) -> _Number:
    low, high = _bounds(encoding)
    return _Number(position, *encoding.ratio, encoding.offset, low, high)


def _bounds(encoding: Encoding) -> tuple[float, float]:
    """Plausible bounds; by default all finite numbers, so that one comparison also finds NaN and infinity."""
    low = -float_info.max if encoding.low is None else encoding.low
    high = float_info.max if encoding.high is None else encoding.high
    return low, high


def _doubt(value: float) -> Reason:
    return Reason.OUT_OF_RANGE if abs(value) <= float_info.max else Reason.NOT_A_NUMBER


def _finisher(encoding: Encoding) -> Callable[..., Read]:
    if encoding.type is ValueType.STRING:
        return _text
    if encoding.order.is_64_bit_only:
        return lambda data: _judged(encoding, _rotated(encoding, data))
    if encoding.type in (ValueType.BIT, ValueType.BITS):
        shift, mask = encoding.bit, (1 << encoding.width) - 1
        return lambda raw: _judged(encoding, raw >> shift & mask)
    if encoding.type is ValueType.BCD:
        return lambda raw: _bcd(encoding, raw)
    return lambda raw: _judged(encoding, raw)


def _text(data: bytes) -> Read:
    """UTF-8 text up to the first NUL, without the spaces that pad it."""
    try:
        return data.split(b"\0", 1)[0].decode("utf-8").rstrip(), Reason.GOOD
    except UnicodeDecodeError:
        return None, Reason.BAD_RESPONSE


def _rotated(encoding: Encoding, data: bytes) -> float:
    logical = reorder(data, encoding.order)
    raw: float = struct.unpack(">" + (_FORMATS.get(encoding.type) or _UNSIGNED[encoding.registers]), logical)[0]
    return int(raw) >> encoding.bit & (1 << encoding.width) - 1 if encoding.type is ValueType.BITS else raw


def _bcd(encoding: Encoding, raw: int) -> Read:
    digits = f"{raw:0{encoding.length * WORD_BITS // 4}x}"
    return _judged(encoding, int(digits)) if digits.isdecimal() else (None, Reason.NOT_A_NUMBER)


def _judged(encoding: Encoding, raw: float) -> Read:
    """Codes, span, scale and bounds, in that order."""
    for code, reason in encoding.bad_codes:
        if raw == code:
            return None, reason
    if encoding.codes and raw not in encoding.codes:
        return None, Reason.UNKNOWN_STATE
    span = encoding.span
    if span is not None:
        if raw < span.break_below:
            return None, Reason.WIRE_BREAK
        if raw > span.over_above:
            return None, Reason.OVER_RANGE
        value = (raw - span.raw_low) * (span.high_eng - span.low_eng) / (span.raw_high - span.raw_low) + span.low_eng
    else:
        numerator, denominator = encoding.ratio
        value = raw * numerator / denominator + encoding.offset
    low, high = _bounds(encoding)
    return (value, Reason.GOOD) if low <= value <= high else (None, _doubt(value))
