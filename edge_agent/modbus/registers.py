"""Registers to values: a decode plan compiled once per block read, then a few struct calls per response."""

import struct
from collections.abc import Callable, Iterable, Sequence
from sys import float_info
from typing import Any, NamedTuple

import msgspec

from edge_agent.modbus.encode import reorder
from edge_agent.modbus.value import WORD_BITS, Encoding, Order, RawSpan, ValueType
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


# A plain number: its position, value = raw * numerator / denominator + offset, and its bounds.
_Number = tuple[int, float, float, float, float, float]
# The readers of one field that needs more than that: bits of one register share their field.
_Finishers = tuple[tuple[int, Callable[..., Read]], ...]
_Members = list[tuple[int, Point]]


class _Lane(NamedTuple):
    """Fields that one unpack reads: same packing, no two of them overlapping, all plain numbers or none."""

    pack_little: bool
    unpack: Callable[[bytes], tuple[Any, ...]]
    numbers: tuple[_Number, ...]
    fields: tuple[_Finishers, ...]


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
                value = raw * numerator / denominator + offset
                if low <= value <= high:
                    values[position] = value
                else:
                    reasons[position] = _doubt(value)
            for raw, finishers in zip(raws, lane.fields, strict=False):
                for position, finish in finishers:
                    values[position], reasons[position] = finish(raw)
        return Readings(values, reasons)


class BitDecoder:
    """Decodes the bits of one read of a coil or discrete table, at least `count` bits long; offsets count bits."""

    def __init__(self, count: int, points: Sequence[Point]) -> None:
        self._count = count
        self._judges = tuple((point.offset, _judge(point.encoding)) for point in points)

    def decode(self, bits: Sequence[int]) -> Readings:
        """The values of every point. Raises ValueError when there are too few bits."""
        if len(bits) < self._count:
            raise ValueError(f"{len(bits)} bits where {self._count} were asked for")
        read = [judge(int(bits[offset])) for offset, judge in self._judges]
        return Readings([value for value, _ in read], [reason for _, reason in read])


def _lanes(count: int, points: Sequence[Point]) -> Iterable[_Lane]:
    """Group points by packing and kind, then split each group so that no two of a lane share a register."""
    groups: dict[tuple[str, str, bool], _Members] = {}
    for position, point in sorted(enumerate(points), key=lambda pair: pair[1].offset):
        key = (*_endians(point.encoding), _is_plain(point.encoding))
        groups.setdefault(key, []).append((position, point))
    for (pack, unpack, plain), members in groups.items():
        while members:
            lane, members = _without_overlap(members, may_share=not plain)
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
    return not special and encoding.field is None and encoding.type not in (ValueType.BCD, ValueType.STRING)


def _without_overlap(members: _Members, *, may_share: bool) -> tuple[list[_Members], _Members]:
    """Fields that do not overlap, each with its points, and the points that are left for another lane."""
    taken: list[_Members] = []
    left: _Members = []
    end = 0
    for member in members:
        point = member[1]
        if point.offset >= end:
            taken.append([member])
            end = point.offset + point.encoding.registers
        elif may_share and _is_same_field(taken[-1][0][1], point):
            taken[-1].append(member)
        else:
            left.append(member)
    return taken, left


def _is_same_field(one: Point, other: Point) -> bool:
    return one.offset == other.offset and _format(one.encoding) == _format(other.encoding)


def _compile(fields: list[_Members], pack: str, unpack: str, plain: bool, count: int) -> _Lane:
    parts, end = [unpack], 0
    for (_, point), *_others in fields:
        parts.append(f"{2 * (point.offset - end)}x{_format(point.encoding)}")
        end = point.offset + point.encoding.registers
    parts.append(f"{2 * (count - end)}x")
    numbers = tuple(_number(*field[0]) for field in fields) if plain else ()
    finishers = () if plain else tuple(tuple((at, _finisher(p.encoding)) for at, p in field) for field in fields)
    return _Lane(pack == "<", struct.Struct("".join(parts)).unpack, numbers, finishers)


def _format(encoding: Encoding) -> str:
    if encoding.type is ValueType.STRING or encoding.order.is_64_bit_only:
        return f"{2 * encoding.registers}s"
    return _FORMATS.get(encoding.type) or _UNSIGNED[encoding.registers]


def _number(position: int, point: Point) -> _Number:
    return (position, *point.encoding.ratio, point.encoding.offset, *_bounds(point.encoding))


def _bounds(encoding: Encoding) -> tuple[float, float]:
    """Plausible bounds; by default all finite numbers, so that one comparison also finds NaN and infinity."""
    low = -float_info.max if encoding.low is None else encoding.low
    high = float_info.max if encoding.high is None else encoding.high
    return low, high


def _doubt(value: float) -> Reason:
    return Reason.OUT_OF_RANGE if abs(value) <= float_info.max else Reason.NOT_A_NUMBER


def _finisher(encoding: Encoding) -> Callable[..., Read]:
    """What turns an unpacked raw value into a reading; everything that can be worked out beforehand is."""
    if encoding.type is ValueType.STRING:
        return _text
    finish = _number_finisher(encoding)
    if not encoding.order.is_64_bit_only:
        return finish
    number = struct.Struct(">" + (_FORMATS.get(encoding.type) or _UNSIGNED[encoding.registers]))
    return lambda data: finish(number.unpack(reorder(data, encoding.order))[0])


def _number_finisher(encoding: Encoding) -> Callable[..., Read]:
    judge = _judge(encoding)
    if encoding.field is not None:
        return _field_finisher(judge, encoding.type, *encoding.field)
    if encoding.type is ValueType.BCD:
        return lambda raw: _bcd(judge, f"{raw:0{encoding.length * WORD_BITS // 4}x}")
    return judge


def _field_finisher(judge: Callable[[float], Read], kind: ValueType, shift: int, width: int) -> Callable[..., Read]:
    """Cut the field out of its registers first; the highest bit of a signed one counts down."""
    mask = (1 << width) - 1
    sign = 1 << width - 1 if kind is ValueType.INT8 else 0
    return lambda raw: judge(((raw >> shift & mask) ^ sign) - sign)


def _text(data: bytes) -> Read:
    """UTF-8 text up to the first NUL, without the spaces that pad it."""
    try:
        return data.split(b"\0", 1)[0].decode("utf-8").rstrip(), Reason.GOOD
    except UnicodeDecodeError:
        return None, Reason.BAD_RESPONSE


def _bcd(judge: Callable[[float], Read], digits: str) -> Read:
    return judge(int(digits)) if digits.isdecimal() else (None, Reason.NOT_A_NUMBER)


def _judge(encoding: Encoding) -> Callable[[float], Read]:
    """Codes first, then span or scale, then bounds."""
    to_value = _span_judge(encoding.span, encoding) if encoding.span is not None else _scale_judge(encoding)
    if not encoding.bad_codes and not encoding.codes:
        return to_value
    bad_codes, codes = encoding.bad_codes, encoding.codes

    def judge(raw: float) -> Read:
        for code, reason in bad_codes:
            if raw == code:
                return None, reason
        if codes and raw not in codes:
            return None, Reason.UNKNOWN_STATE
        return to_value(raw)

    return judge


def _scale_judge(encoding: Encoding) -> Callable[[float], Read]:
    (numerator, denominator), offset, (low, high) = encoding.ratio, encoding.offset, _bounds(encoding)

    def judge(raw: float) -> Read:
        value = raw * numerator / denominator + offset
        return (value, Reason.GOOD) if low <= value <= high else (None, _doubt(value))

    return judge


def _span_judge(span: RawSpan, encoding: Encoding) -> Callable[[float], Read]:
    low, high = _bounds(encoding)
    start, width, height, floor = span.raw_low, span.raw_high - span.raw_low, span.high_eng - span.low_eng, span.low_eng

    def judge(raw: float) -> Read:
        if not span.break_below <= raw <= span.over_above:
            return None, Reason.WIRE_BREAK if raw < span.break_below else _over(raw)
        value = (raw - start) * height / width + floor
        return (value, Reason.GOOD) if low <= value <= high else (None, _doubt(value))

    return judge


def _over(raw: float) -> Reason:
    return Reason.OVER_RANGE if abs(raw) <= float_info.max else Reason.NOT_A_NUMBER
