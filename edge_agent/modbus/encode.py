"""Values to registers: the other direction, for simulated devices and for tests."""

import struct
from collections.abc import MutableSequence

from edge_agent.modbus.value import WORD_BITS, Encoding, Order, ValueType

_FORMATS = {
    ValueType.INT16: "h",
    ValueType.UINT16: "H",
    ValueType.INT32: "i",
    ValueType.UINT32: "I",
    ValueType.INT64: "q",
    ValueType.UINT64: "Q",
    ValueType.FLOAT16: "e",
    ValueType.FLOAT32: "f",
    ValueType.FLOAT64: "d",
}
_LETTERS = "ABCDEFGH"


def encode(encoding: Encoding, value: float | str) -> tuple[int, ...]:
    """The registers that decode to this value. Raises ValueError or OverflowError when it cannot be written so."""
    words = [0] * encoding.registers
    place(words, 0, encoding, value)
    return tuple(words)


def place(words: MutableSequence[int], at: int, encoding: Encoding, value: float | str) -> None:
    """Write a value into the registers from position `at` on; other bits of a bit field's registers stay."""
    size = encoding.registers
    if isinstance(value, str):
        data = _text_bytes(encoding, value)
    elif encoding.field is not None:
        data = _merged_bits(encoding, *encoding.field, words[at : at + size], value)
    else:
        data = _number_bytes(encoding, value)
    words[at : at + size] = list(struct.unpack(f">{size}H", reorder(data, encoding.order)))


def reorder(data: bytes, order: Order) -> bytes:
    """Logical bytes (highest first) to wire bytes, and back: every order is its own inverse."""
    if order.is_64_bit_only:
        return bytes(data[_LETTERS.index(letter)] for letter in order.value)
    words = [data[at : at + 2] for at in range(0, len(data), 2)]
    if order in (Order.CDAB, Order.DCBA):
        words.reverse()
    if order in (Order.BADC, Order.DCBA):
        words = [word[::-1] for word in words]
    return b"".join(words)


def raw_number(encoding: Encoding, value: float) -> float:
    """The raw number that stands for a value; a whole number unless the type is a float."""
    span = encoding.span
    if span is not None:
        share = (value - span.low_eng) / (span.high_eng - span.low_eng)
        raw = span.raw_low + share * (span.raw_high - span.raw_low)
    else:
        numerator, denominator = encoding.ratio
        raw = (value - encoding.offset) * denominator / numerator
    return raw if encoding.type.is_float else round(raw)


def _number_bytes(encoding: Encoding, value: float) -> bytes:
    raw = raw_number(encoding, value)
    if encoding.type is ValueType.BCD:
        return _digits(int(raw), encoding.length * 4)
    try:
        return struct.pack(f">{_FORMATS[encoding.type]}", raw)
    except struct.error as error:
        raise ValueError(f"{value} does not fit {encoding.type}: {error}") from error


def _digits(number: int, count: int) -> bytes:
    if not 0 <= number < 10**count:
        raise ValueError(f"{number} does not fit {count} decimal digits")
    return bytes.fromhex(f"{number:0{count}d}")


def _merged_bits(encoding: Encoding, bit: int, width: int, words: MutableSequence[int], value: float) -> bytes:
    raw, size = int(raw_number(encoding, value)), encoding.registers
    least = -(1 << width - 1) if encoding.type is ValueType.INT8 else 0
    if not least <= raw < least + (1 << width):
        raise ValueError(f"{value} does not fit {width} bits")
    whole = int.from_bytes(reorder(struct.pack(f">{size}H", *words), encoding.order), "big")
    mask = (1 << width) - 1
    return (whole & ~(mask << bit) | (raw & mask) << bit).to_bytes(size * WORD_BITS // 8, "big")


def _text_bytes(encoding: Encoding, text: str) -> bytes:
    """Text padded with NUL; registers of a string are never reversed, only their bytes may be swapped."""
    data = text.encode("utf-8")
    if len(data) > encoding.length * 2:
        raise ValueError(f"text of {len(data)} bytes does not fit {encoding.length} registers")
    padded = data.ljust(encoding.length * 2, b"\0")
    return padded if encoding.order in (Order.ABCD, Order.BADC) else reorder(padded, Order.CDAB)
