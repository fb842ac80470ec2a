"""Frames of the Modbus server; the words are those of the examples in the Modbus application protocol 1.1b3."""

import pytest

from edge_agent.modbus.value import Table
from edge_agent.simulator.frames import ExceptionCode, Request, answer, pack_bits, refuse, take_request


class _Tables:
    """Three registers at 107 and nineteen bits at 19, as in chapter 6 of the specification."""

    REGISTERS = (0x022B, 0x0000, 0x0064)
    BITS = 0xCD | 0x6B << 8 | 0x05 << 16

    def read(self, table: Table, address: int, count: int, at_ms: int) -> list[int] | None:
        if table.holds_bits:
            return [self.BITS >> at & 1 for at in range(count)] if address == 19 else None
        return list(self.REGISTERS[:count]) if address == 107 and count <= 3 else None

    def delay_s(self, at_ms: int) -> float | None:
        return 0.0


ANSWERS = [
    ("read holding registers", "03006B0003", "0306022B00000064"),
    ("read input registers", "04006B0001", "0402022B"),
    ("read coils", "0100130013", "0103CD6B05"),
    ("read discrete inputs", "0200130008", "0201CD"),
    ("an address that does not exist", "0300000001", "8302"),
    ("an address range that ends beyond", "03006B0004", "8302"),
    ("no registers", "03006B0000", "8303"),
    ("too many registers", "03006B007E", "8303"),
    ("too many coils", "01001307D1", "8103"),
    ("a request cut short", "03006B00", "8303"),
    ("write single coil", "050013FF00", "8501"),
    ("write single register", "06006B0001", "8601"),
    ("write multiple registers", "10006B0001020001", "9001"),
    ("mask write register", "16006B00F20025", "9601"),
    ("a function that nobody knows", "64", "E401"),
]


@pytest.mark.parametrize(("request_hex", "answer_hex"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
def test_requests_are_answered_as_the_specification_says(request_hex: str, answer_hex: str) -> None:
    assert answer(bytes.fromhex(request_hex), _Tables(), 0) == bytes.fromhex(answer_hex)


def test_two_requests_in_one_segment_are_two_requests() -> None:
    buffer = bytearray.fromhex("000100000006010300000001" + "000200000006020400010002")
    assert take_request(buffer) == Request(1, 1, bytes.fromhex("0300000001"))
    assert take_request(buffer) == Request(2, 2, bytes.fromhex("0400010002"))
    assert take_request(buffer) is None
    assert not buffer


def test_a_request_that_drips_in_waits_until_it_is_whole() -> None:
    frame = bytes.fromhex("000100000006010300000001")
    buffer = bytearray()
    taken = []
    for byte in frame:
        buffer.append(byte)
        taken.append(take_request(buffer))
    assert taken[:-1] == [None] * (len(frame) - 1)
    assert taken[-1] == Request(1, 1, bytes.fromhex("0300000001"))


@pytest.mark.parametrize("header", ["00010001000601", "00010000000101", "000100000FFF01"])
def test_what_is_no_modbus_is_refused(header: str) -> None:
    with pytest.raises(ValueError, match="no Modbus TCP frame"):
        take_request(bytearray.fromhex(header))


def test_an_answer_carries_transaction_and_unit_of_its_request() -> None:
    framed = Request(0x1234, 17, b"\x03").framed(refuse(3, ExceptionCode.ILLEGAL_ADDRESS))
    assert framed == bytes.fromhex("123400000003118302")


@pytest.mark.parametrize(("bits", "packed"), [([1], "01"), ([0] * 8 + [1], "0001"), ([1, 1, 0, 1], "0B")])
def test_the_first_bit_is_the_lowest(bits: list[int], packed: str) -> None:
    assert pack_bits(bits) == bytes.fromhex(packed)
