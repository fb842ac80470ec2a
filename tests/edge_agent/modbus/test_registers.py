import math
import struct

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.modbus.encode import encode, place, reorder
from edge_agent.modbus.registers import BitDecoder, BlockDecoder, Point
from edge_agent.modbus.value import Byte, Encoding, Order, RawSpan, ValueType
from edge_agent.wire.sample import Reason

CURRENT_LOOP = RawSpan(raw_low=0, raw_high=27648, low_eng=0, high_eng=1000, break_below=-691.2, over_above=29376)


def decode_one(encoding: Encoding, words: list[int]) -> tuple[float | str | None, Reason]:
    readings = BlockDecoder(len(words), [Point(0, encoding)]).decode(words)
    return readings.values[0], readings.reasons[0]


@pytest.mark.parametrize(
    ("value_type", "order", "words", "value"),
    [
        pytest.param("float32", "ABCD", [0x42F6, 0xE979], 123.456, id="IEEE 754 single 123.456 is 42F6 E979"),
        pytest.param("float32", "CDAB", [0xE979, 0x42F6], 123.456, id="123.456 with the low register first"),
        pytest.param("float32", "BADC", [0xF642, 0x79E9], 123.456, id="123.456 with bytes swapped in each register"),
        pytest.param("float32", "DCBA", [0x79E9, 0xF642], 123.456, id="123.456 little-endian throughout"),
        pytest.param("float32", "ABCD", [0x4454, 0x8000], 850.0, id="850.0 is 4454 8000"),
        pytest.param("float32", "ABCD", [0x4130, 0x0000], 11.0, id="11.0 is 4130 0000"),
        pytest.param("float32", "ABCD", [0xC1C8, 0x0000], -25.0, id="-25.0 is C1C8 0000"),
        pytest.param("float16", "ABCD", [0x3C00], 1.0, id="IEEE 754 half 1.0 is 3C00"),
        pytest.param("float16", "BADC", [0x003C], 1.0, id="half 1.0 with swapped bytes"),
        pytest.param("float64", "ABCD", [0x3FF0, 0, 0, 0], 1.0, id="IEEE 754 double 1.0 is 3FF0 0000 0000 0000"),
        pytest.param("float64", "CDAB", [0, 0, 0, 0x3FF0], 1.0, id="double 1.0 with the low register first"),
        pytest.param("uint16", "ABCD", [0x1234], 0x1234, id="16 bits big-endian"),
        pytest.param("uint16", "CDAB", [0x1234], 0x1234, id="register order means nothing to 16 bits"),
        pytest.param("uint16", "DCBA", [0x1234], 0x3412, id="16 bits little-endian"),
        pytest.param("uint16", "BADC", [0x1234], 0x3412, id="16 bits with swapped bytes"),
        pytest.param("int16", "ABCD", [0xFFFF], -1, id="two's complement 16"),
        pytest.param("int32", "ABCD", [0xFFFF, 0xFFFE], -2, id="two's complement 32"),
        pytest.param("uint32", "CDAB", [0x5678, 0x1234], 0x12345678, id="unsigned 32 with the low register first"),
        pytest.param("int64", "ABCD", [0xFFFF] * 4, -1, id="two's complement 64"),
        pytest.param("uint64", "EFGHABCD", [0, 1, 2, 0], 0x2_0000_0000_0001, id="64 bits with the low half first"),
        pytest.param("uint64", "CDABGHEF", [2, 0, 1, 0], 0x2_0000_0001, id="registers swapped in each half"),
        pytest.param("uint64", "DCBAHGFE", [0, 0, 0x0100, 0], 1, id="64 bits little-endian in each half"),
        pytest.param("uint64", "FEHGBADC", [0, 0x0100, 0, 0], 1, id="64 bits with bytes and halves swapped"),
    ],
)  # fmt: skip
def test_words_of_standards_and_manuals_decode(value_type: str, order: str, words: list[int], value: float) -> None:
    encoding = Encoding(type=ValueType(value_type), order=Order(order))
    decoded, reason = decode_one(encoding, words)
    assert reason is Reason.GOOD
    assert decoded == pytest.approx(value, rel=1e-7)
    assert encode(encoding, value) == tuple(words)


# One value of every type, its bytes in order A, B, C, ... worked out from two's complement, IEEE 754 and BCD.
BYTES_OF = [
    ("uint16", "12 34", 0x1234),
    ("int16", "fe dc", -292),
    ("float16", "d6 40", -100.0),
    ("bcd", "12 34", 1234),
    ("uint32", "12 34 56 78", 305_419_896),
    ("int32", "fe dc ba 98", -19_088_744),
    ("float32", "42 f6 e9 79", 123.456),
    ("bcd", "12 34 56 78", 12_345_678),
    ("uint64", "00 01 02 03 04 05 06 07", 283_686_952_306_183),
    ("int64", "ff fe fd fc fb fa f9 f8", -283_686_952_306_184),
    ("float64", "40 5e dd 2f 1a 9f be 77", 123.456),
    ("bcd", "00 12 34 56 78 90 12 34", 12_345_678_901_234),
]
# The order of the bytes on the wire, as each name spells it out at each width.
SPELT = {
    "ABCD": ("AB", "ABCD", "ABCDEFGH"),
    "CDAB": ("AB", "CDAB", "GHEFCDAB"),
    "BADC": ("BA", "BADC", "BADCFEHG"),
    "DCBA": ("BA", "DCBA", "HGFEDCBA"),
    "EFGHABCD": (None, None, "EFGHABCD"),
    "CDABGHEF": (None, None, "CDABGHEF"),
    "DCBAHGFE": (None, None, "DCBAHGFE"),
    "FEHGBADC": (None, None, "FEHGBADC"),
}
EVERY_TYPE_AND_ORDER = [
    pytest.param(kind, order, spelling, data, value, id=f"{kind} of {len(data.split())} bytes as {spelling}")
    for kind, data, value in BYTES_OF
    for order, spellings in SPELT.items()
    if (spelling := spellings[(2, 4, 8).index(len(data.split()))]) is not None
]


@pytest.mark.parametrize(("kind", "order", "spelling", "data", "value"), EVERY_TYPE_AND_ORDER)
def test_every_type_is_read_in_every_order(kind: str, order: str, spelling: str, data: str, value: float) -> None:
    letters = dict(zip("ABCDEFGH", bytes.fromhex(data), strict=False))
    wire = bytes(letters[letter] for letter in spelling)
    words = list(struct.unpack(f">{len(wire) // 2}H", wire))
    encoding = Encoding(type=ValueType(kind), order=Order(order), length=len(words))
    decoded, reason = decode_one(encoding, words)
    assert reason is Reason.GOOD
    assert decoded == pytest.approx(value, rel=1e-7)
    assert list(encode(encoding, value)) == words


@pytest.mark.parametrize("order", [order for order in SPELT if len(order) == 4])
def test_a_manual_may_spell_an_order_with_eight_letters(order: str) -> None:
    assert Order(SPELT[order][2]) is Order(order)


@pytest.mark.parametrize(
    ("kind", "byte", "order", "value"),
    [
        pytest.param("uint8", "high", "ABCD", 0x81, id="unsigned, high byte"),
        pytest.param("uint8", "low", "ABCD", 0xFE, id="unsigned, low byte"),
        pytest.param("int8", "high", "ABCD", -127, id="signed, high byte"),
        pytest.param("int8", "low", "ABCD", -2, id="signed, low byte"),
        pytest.param("int8", "high", "CDAB", -127, id="register order means nothing to a byte"),
        pytest.param("int8", "high", "BADC", -2, id="signed, high byte of swapped bytes"),
        pytest.param("uint8", "low", "DCBA", 0x81, id="unsigned, low byte little-endian"),
    ],
)
def test_a_byte_is_one_half_of_a_register(kind: str, byte: str, order: str, value: int) -> None:
    encoding = Encoding(type=ValueType(kind), byte=Byte(byte), order=Order(order))
    assert decode_one(encoding, [0x81FE]) == (value, Reason.GOOD)
    words = [0x81FE]
    place(words, 0, encoding, 5)
    assert decode_one(encoding, words) == (5, Reason.GOOD)
    other = Byte.LOW if encoding.byte is Byte.HIGH else Byte.HIGH
    neighbour = msgspec.structs.replace(encoding, byte=other)
    assert decode_one(neighbour, words) == decode_one(neighbour, [0x81FE])


@pytest.mark.parametrize(
    ("encoding", "words", "value"),
    [
        pytest.param(Encoding(type=ValueType.INT16, scale=0.1), [851], 85.1, id="85.1, not 85.10000000000001"),
        pytest.param(Encoding(type=ValueType.INT16, scale=0.1, offset=-50), [851], 85.1 - 50, id="scale, then offset"),
        pytest.param(Encoding(type=ValueType.UINT16, scale=2.5), [4], 10.0, id="a scale above one"),
        pytest.param(Encoding(type=ValueType.BIT, bit=0), [0x0001], 1.0, id="bit 0 is the lowest"),
        pytest.param(Encoding(type=ValueType.BIT, bit=15), [0x8000], 1.0, id="bit 15 is the highest"),
        pytest.param(Encoding(type=ValueType.BIT, bit=3, scale=-1, offset=1), [0x0008], 0.0, id="a contact that opens"),
        pytest.param(Encoding(type=ValueType.BITS, bit=4, width=3), [0b0101_0000], 5.0, id="three bits from bit 4"),
        pytest.param(
            Encoding(type=ValueType.BITS, bit=12, width=8, length=2), [0x000A, 0xB000], 0xAB, id="bits across registers"
        ),
        pytest.param(Encoding(type=ValueType.BCD), [0x1234], 1234.0, id="BCD of four digits"),
        pytest.param(Encoding(type=ValueType.BCD, length=2), [0x1234, 0x5678], 12345678.0, id="BCD of eight digits"),
        pytest.param(
            Encoding(type=ValueType.STRING, length=3), [0x4142, 0x4300, 0x5858], "ABC", id="text ends at the first NUL"
        ),
        pytest.param(
            Encoding(type=ValueType.STRING, length=2, order=Order.BADC), [0x4241, 0x2043], "ABC", id="swapped text"
        ),
        pytest.param(Encoding(type=ValueType.INT16, span=CURRENT_LOOP), [13824], 500.0, id="12 mA is half the range"),
        pytest.param(Encoding(type=ValueType.UINT16, codes=frozenset({0, 3})), [3], 3.0, id="a known code"),
    ],
)  # fmt: skip
def test_numbers_become_values(encoding: Encoding, words: list[int], value: float | str) -> None:
    assert decode_one(encoding, words) == (value, Reason.GOOD)


@pytest.mark.parametrize(
    ("encoding", "words", "reason"),
    [
        pytest.param(Encoding(type=ValueType.FLOAT32), [0x7FC0, 0], Reason.NOT_A_NUMBER, id="NaN"),
        pytest.param(Encoding(type=ValueType.FLOAT32), [0xFF80, 0], Reason.NOT_A_NUMBER, id="minus infinity"),
        pytest.param(Encoding(type=ValueType.BCD), [0x12AB], Reason.NOT_A_NUMBER, id="letters in BCD"),
        pytest.param(Encoding(type=ValueType.INT16, high=25), [26], Reason.OUT_OF_RANGE, id="above the range"),
        pytest.param(Encoding(type=ValueType.INT16, low=0), [0xFFFF], Reason.OUT_OF_RANGE, id="below it"),
        pytest.param(Encoding(type=ValueType.INT16, span=CURRENT_LOOP), [0x8000], Reason.WIRE_BREAK, id="no current"),
        pytest.param(Encoding(type=ValueType.INT16, span=CURRENT_LOOP), [32511], Reason.OVER_RANGE, id="above 21 mA"),
        pytest.param(
            Encoding(type=ValueType.FLOAT32, span=CURRENT_LOOP), [0x7FC0, 0], Reason.NOT_A_NUMBER, id="NaN in a span"
        ),
        pytest.param(
            Encoding(type=ValueType.INT16, bad_codes=((32767, Reason.WIRE_BREAK),)),
            [32767],
            Reason.WIRE_BREAK,
            id="a raw value that stands for a broken wire",
        ),
        pytest.param(Encoding(type=ValueType.INT16, codes=frozenset({0})), [2], Reason.UNKNOWN_STATE, id="a new code"),
        pytest.param(Encoding(type=ValueType.STRING, length=1), [0xFFFE], Reason.BAD_RESPONSE, id="text that is none"),
    ],
)  # fmt: skip
def test_what_is_no_value_has_a_reason(encoding: Encoding, words: list[int], reason: Reason) -> None:
    assert decode_one(encoding, words) == (None, reason)


def test_one_block_serves_mixed_orders_shared_registers_and_overlaps() -> None:
    points = [
        Point(4, Encoding(type=ValueType.BIT, bit=1)),
        Point(0, Encoding(type=ValueType.FLOAT32)),
        Point(2, Encoding(type=ValueType.FLOAT32, order=Order.CDAB)),
        Point(4, Encoding(type=ValueType.BIT, bit=0)),
        Point(4, Encoding(type=ValueType.UINT16)),
        Point(0, Encoding(type=ValueType.UINT32)),
    ]
    readings = BlockDecoder(6, points).decode([0x4130, 0, 0, 0x4130, 0x0002, 0])
    assert readings.values == [1.0, 11.0, 11.0, 0.0, 2.0, float(0x41300000)]
    assert set(readings.reasons) == {Reason.GOOD}


def test_a_short_answer_is_refused() -> None:
    with pytest.raises(ValueError, match="1 registers where 2"):
        BlockDecoder(2, [Point(0, Encoding(type=ValueType.FLOAT32))]).decode([1])


def test_bits_of_a_coil_table_decode_by_offset() -> None:
    decoder = BitDecoder(3, [Point(2, Encoding(type=ValueType.BIT)), Point(0, Encoding(type=ValueType.BIT))])
    assert decoder.decode([False, False, True, False, False, False, False, False]).values == [1.0, 0.0]
    with pytest.raises(ValueError, match="2 bits where 3"):
        decoder.decode([True, True])


def test_placing_a_bit_leaves_its_neighbours() -> None:
    words = [0xF0F0]
    place(words, 0, Encoding(type=ValueType.BIT, bit=0), 1)
    place(words, 0, Encoding(type=ValueType.BITS, bit=12, width=4), 2)
    assert words == [0x20F1]


@pytest.mark.parametrize(
    ("encoding", "value"),
    [
        pytest.param(Encoding(type=ValueType.INT16), 40_000, id="too large a number"),
        pytest.param(Encoding(type=ValueType.BITS, width=2), 4, id="too large for two bits"),
        pytest.param(Encoding(type=ValueType.INT8), 128, id="too large for a signed byte"),
        pytest.param(Encoding(type=ValueType.UINT8), -1, id="an unsigned byte has no sign"),
        pytest.param(Encoding(type=ValueType.STRING, length=1), "ABC", id="too long a text"),
        pytest.param(Encoding(type=ValueType.BCD), 12_345, id="too many digits"),
        pytest.param(Encoding(type=ValueType.BCD), -1, id="BCD has no sign"),
    ],
)
def test_what_does_not_fit_is_not_written(encoding: Encoding, value: float | str) -> None:
    with pytest.raises(ValueError, match="fit"):
        encode(encoding, value)


@given(st.binary(min_size=8, max_size=8), st.sampled_from(Order))
def test_every_order_is_its_own_inverse(data: bytes, order: Order) -> None:
    assert reorder(reorder(data, order), order) == data


SHORT_ORDERS = st.sampled_from([Order.ABCD, Order.DCBA, Order.BADC, Order.CDAB])


@given(st.floats(width=32, allow_nan=False, allow_infinity=False), SHORT_ORDERS)
def test_decode_undoes_encode_for_float32(value: float, order: Order) -> None:
    encoding = Encoding(type=ValueType.FLOAT32, order=order)
    assert decode_one(encoding, list(encode(encoding, value))) == (value, Reason.GOOD)


@given(st.integers(-(2**52), 2**52), st.sampled_from(Order))
def test_decode_undoes_encode_for_int64(value: int, order: Order) -> None:
    encoding = Encoding(type=ValueType.INT64, order=order)
    assert decode_one(encoding, list(encode(encoding, value))) == (float(value), Reason.GOOD)


@given(st.integers(-32768, 32767), st.sampled_from([0.1, 0.01, 0.5, 2.0, 0.125, 0.3]), st.integers(-100, 100))
def test_encode_finds_the_raw_number_of_a_scaled_value(raw: int, scale: float, offset: int) -> None:
    encoding = Encoding(type=ValueType.INT16, scale=scale, offset=offset)
    words = [raw & 0xFFFF]
    value, reason = decode_one(encoding, words)
    assert reason is Reason.GOOD
    assert isinstance(value, float)
    assert math.isclose(value, raw * scale + offset, abs_tol=1e-9)
    assert list(encode(encoding, value)) == words


@given(st.integers(-128, 127), st.sampled_from(Byte), SHORT_ORDERS)
def test_decode_undoes_encode_for_int8(value: int, byte: Byte, order: Order) -> None:
    encoding = Encoding(type=ValueType.INT8, byte=byte, order=order)
    assert decode_one(encoding, list(encode(encoding, value))) == (value, Reason.GOOD)


@given(st.text(max_size=5).filter(lambda text: "\0" not in text and text == text.rstrip()), SHORT_ORDERS)
def test_decode_undoes_encode_for_text(text: str, order: Order) -> None:
    encoding = Encoding(type=ValueType.STRING, length=10, order=order)
    assert decode_one(encoding, list(encode(encoding, text))) == (text, Reason.GOOD)
