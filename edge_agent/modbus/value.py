"""How a value lies in Modbus tables: its table, type, byte order and what turns its raw number into a quantity."""

from enum import StrEnum
from fractions import Fraction
from typing import Self

import msgspec

from edge_agent.wire.sample import Reason

WORD_BITS = 16


class Table(StrEnum):
    """The four tables of a Modbus device; each is read by one function code."""

    HOLDING = "holding"
    INPUT = "input"
    COIL = "coil"
    DISCRETE = "discrete"

    @property
    def holds_bits(self) -> bool:
        """True where an address names one bit, not one 16-bit register."""
        return self in (Table.COIL, Table.DISCRETE)

    @property
    def function_code(self) -> int:
        """The function that reads the table (Modbus application protocol 1.1b3, 6.1 to 6.4)."""
        return _FUNCTION_CODES[self]


_FUNCTION_CODES = {Table.COIL: 1, Table.DISCRETE: 2, Table.HOLDING: 3, Table.INPUT: 4}


class ValueType(StrEnum):
    """The type of a value; `bits` is a field of `width` bits from `bit` on (bit 0 is the lowest).

    Two of the 8-bit types share a register.
    """

    INT8 = "int8"
    UINT8 = "uint8"
    INT16 = "int16"
    UINT16 = "uint16"
    INT32 = "int32"
    UINT32 = "uint32"
    INT64 = "int64"
    UINT64 = "uint64"
    FLOAT16 = "float16"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    BIT = "bit"
    BITS = "bits"
    BCD = "bcd"
    STRING = "string"

    @property
    def is_float(self) -> bool:
        """True for the IEEE 754 types."""
        return self.value.startswith("float")

    @property
    def fixed_registers(self) -> int | None:
        """Registers that a value takes; None where `length` says it."""
        return _FIXED_REGISTERS.get(self)


_FIXED_REGISTERS = {
    ValueType.INT8: 1,
    ValueType.UINT8: 1,
    ValueType.INT16: 1,
    ValueType.UINT16: 1,
    ValueType.FLOAT16: 1,
    ValueType.BIT: 1,
    ValueType.INT32: 2,
    ValueType.UINT32: 2,
    ValueType.FLOAT32: 2,
    ValueType.INT64: 4,
    ValueType.UINT64: 4,
    ValueType.FLOAT64: 4,
}


class Byte(StrEnum):
    """Which half of a register an 8-bit value is, once the byte order is applied."""

    HIGH = "high"
    LOW = "low"


class Order(StrEnum):
    """Byte order on the wire, A being the highest byte of the value.

    The first four hold at every width (CDAB: low register first; BADC: bytes swapped in each register; DCBA: both);
    at 16 bits ABCD and CDAB are AB, the others BA. The last four exist for 64 bits only.
    """

    ABCD = "ABCD"
    DCBA = "DCBA"
    BADC = "BADC"
    CDAB = "CDAB"
    EFGHABCD = "EFGHABCD"
    CDABGHEF = "CDABGHEF"
    DCBAHGFE = "DCBAHGFE"
    FEHGBADC = "FEHGBADC"

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        """Manuals write the first four with eight letters for 64-bit values."""
        long_names = {"ABCDEFGH": "ABCD", "HGFEDCBA": "DCBA", "BADCFEHG": "BADC", "GHEFCDAB": "CDAB"}
        short = long_names.get(value) if isinstance(value, str) else None
        return cls(short) if short else None

    @property
    def is_64_bit_only(self) -> bool:
        """True for the orders that need eight bytes."""
        return len(self.value) == 8


class RawSpan(msgspec.Struct, frozen=True, kw_only=True):
    """A raw range that stands for a range of the quantity, as 0..27648 for 4..20 mA for 0..1000 mg/m3.

    Below `break_below` the wire is broken, above `over_above` the signal is over range (both raw).
    """

    raw_low: float
    raw_high: float
    low_eng: float
    high_eng: float
    break_below: float
    over_above: float


class Encoding(msgspec.Struct, frozen=True, kw_only=True):
    """All that is needed to turn registers into one value, and back.

    value = raw * scale + offset, or by `span`. `bit` and `width` belong to bit and bits, `byte` to int8 and uint8,
    `length` (registers) to string, bcd and wide bit fields. `codes` are the known codes of an enumeration (empty: any),
    `bad_codes` raw values that stand for no value. `low` and `high` bound the plausible range in the quantity's unit.
    """

    type: ValueType
    order: Order = Order.ABCD
    bit: int = 0
    width: int = 1
    byte: Byte = Byte.LOW
    length: int = 1
    scale: float = 1.0
    offset: float = 0.0
    span: RawSpan | None = None
    codes: frozenset[int] = frozenset()
    bad_codes: tuple[tuple[int, Reason], ...] = ()
    low: float | None = None
    high: float | None = None

    @property
    def registers(self) -> int:
        """How many registers the value takes."""
        return self.type.fixed_registers or self.length

    @property
    def field(self) -> tuple[int, int] | None:
        """The lowest bit and the width of what is cut out of the registers; None where the value fills them."""
        if self.type in (ValueType.BIT, ValueType.BITS):
            return self.bit, self.width
        if self.type in (ValueType.INT8, ValueType.UINT8):
            return 8 if self.byte is Byte.HIGH else 0, 8
        return None

    @property
    def is_scaled(self) -> bool:
        """True when the value is not the raw number itself."""
        return self.span is not None or self.scale != 1.0 or self.offset != 0.0

    @property
    def ratio(self) -> tuple[float, float]:
        """`scale` as numerator and denominator, so that raw 851 at scale 0.1 is 85.1 and not 85.10000000000001."""
        exact = Fraction(repr(self.scale))
        if max(abs(exact.numerator), exact.denominator) > 1 << 53:
            return self.scale, 1.0
        return float(exact.numerator), float(exact.denominator)
