"""The device's side of Modbus frames, with a check sum worked out bit by bit: no table, none of the client's code."""

import struct

import msgspec

from edge_agent.simulator.frames import take_request

_RTU_REQUEST = 8
_LONGEST_DATA = 250


class Asked(msgspec.Struct, frozen=True):
    """One request to read. RTU has no transaction."""

    transaction: int
    unit_id: int
    function: int
    first: int
    count: int

    @property
    def size(self) -> int:
        return (self.count + 7) // 8 if self.function in (1, 2) else 2 * self.count


def check_sum(data: bytes) -> bytes:
    """CRC-16 with the polynomial 0xA001, low byte first."""
    check = 0xFFFF
    for byte in data:
        check ^= byte
        for _ in range(8):
            check = check >> 1 ^ 0xA001 if check & 1 else check >> 1
    return struct.pack("<H", check)


def take_tcp(buffer: bytearray) -> Asked | None:
    request = take_request(buffer)
    if request is None:
        return None
    return Asked(request.transaction, request.unit_id, *struct.unpack(">BHH", request.pdu))


def take_rtu(buffer: bytearray) -> Asked | None:
    """The next request with a right check sum; what does not belong to one is passed over."""
    while len(buffer) >= _RTU_REQUEST:
        frame = bytes(buffer[:_RTU_REQUEST])
        if check_sum(frame[:-2]) == frame[-2:]:
            del buffer[:_RTU_REQUEST]
            return Asked(0, *struct.unpack(">BBHH", frame[:-2]))
        del buffer[0]
    return None


def tcp_frame(asked: Asked, pdu: bytes, transaction: int | None = None, unit_id: int | None = None) -> bytes:
    number = asked.transaction if transaction is None else transaction
    unit = asked.unit_id if unit_id is None else unit_id
    return struct.pack(">HHHB", number, 0, len(pdu) + 1, unit) + pdu


def rtu_frame(asked: Asked, pdu: bytes, transaction: int | None = None, unit_id: int | None = None) -> bytes:
    body = bytes((asked.unit_id if unit_id is None else unit_id,)) + pdu
    return body + check_sum(body)


def data_pdu(function: int, data: bytes) -> bytes:
    return bytes((function, len(data[:_LONGEST_DATA]))) + data[:_LONGEST_DATA]
