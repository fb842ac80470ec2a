"""Modbus TCP frames of a device that can only be read (Modbus application protocol 1.1b3, messaging guide 1.0b)."""

import struct
from enum import IntEnum, unique

import msgspec

from edge_agent.modbus.value import Table
from edge_agent.simulator.unit import Unit

HEADER = struct.Struct(">HHHB")
_REQUEST = struct.Struct(">BHH")
_LONGEST = 254
_ERROR_BIT = 0x80
# Function code -> table and how much one request may ask for.
_FUNCTIONS = {
    1: (Table.COIL, 2000),
    2: (Table.DISCRETE, 2000),
    3: (Table.HOLDING, 125),
    4: (Table.INPUT, 125),
}


@unique
class ExceptionCode(IntEnum):
    """Why a request is refused."""

    ILLEGAL_FUNCTION = 1
    ILLEGAL_ADDRESS = 2
    ILLEGAL_VALUE = 3
    GATEWAY_TARGET_FAILED = 11


class Request(msgspec.Struct, frozen=True):
    """One request: transaction, unit id and the protocol data unit."""

    transaction: int
    unit_id: int
    pdu: bytes

    def framed(self, pdu: bytes) -> bytes:
        """The frame of an answer to this request."""
        return HEADER.pack(self.transaction, 0, len(pdu) + 1, self.unit_id) + pdu


def take_request(buffer: bytearray) -> Request | None:
    """Take the first whole frame off the buffer; None when it is not there yet. Raises ValueError for no Modbus TCP."""
    if len(buffer) < HEADER.size:
        return None
    transaction, protocol, length, unit_id = HEADER.unpack_from(buffer)
    if protocol != 0 or not 2 <= length <= _LONGEST:
        raise ValueError(f"no Modbus TCP frame: protocol {protocol}, length {length}")
    end = HEADER.size - 1 + length
    if len(buffer) < end:
        return None
    pdu = bytes(buffer[HEADER.size : end])
    del buffer[:end]
    return Request(transaction, unit_id, pdu)


def answer(pdu: bytes, unit: Unit, at_ms: int) -> bytes:
    """The answer to a request: data, or an exception with its code."""
    function = pdu[0]
    if function not in _FUNCTIONS:
        return refuse(function, ExceptionCode.ILLEGAL_FUNCTION)
    table, most = _FUNCTIONS[function]
    if len(pdu) != _REQUEST.size:
        return refuse(function, ExceptionCode.ILLEGAL_VALUE)
    _, address, count = _REQUEST.unpack(pdu)
    if not 1 <= count <= most:
        return refuse(function, ExceptionCode.ILLEGAL_VALUE)
    cells = unit.read(table, address, count, at_ms)
    if cells is None:
        return refuse(function, ExceptionCode.ILLEGAL_ADDRESS)
    data = pack_bits(cells) if table.holds_bits else struct.pack(f">{count}H", *cells)
    return bytes((function, len(data))) + data


def refuse(function: int, code: ExceptionCode) -> bytes:
    """An exception answer."""
    return bytes((function & 0x7F | _ERROR_BIT, code))


def pack_bits(bits: list[int]) -> bytes:
    """Bits to bytes, the first bit lowest, the last byte filled with zeros."""
    whole = sum(1 << at for at, bit in enumerate(bits) if bit)
    return whole.to_bytes((len(bits) + 7) // 8, "little")
