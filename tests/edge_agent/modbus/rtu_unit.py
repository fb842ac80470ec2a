"""A Modbus RTU unit at the far end of a real serial line (a pseudo terminal): registers that hold their own address."""

import os
import select
import struct
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.waiting import PATIENCE_S

UNIT, FIRST, LAST = 17, 10, 29
_REQUEST_BYTES = 8
_ILLEGAL_ADDRESS = 2


def crc(data: bytes) -> bytes:
    """The check of an RTU frame, low byte first (Modbus over serial line 1.02, 6.2.2)."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return struct.pack("<H", value)


def answer(request: bytes) -> bytes:
    """The frame that answers a request, empty where another unit is meant."""
    unit, function, first, count = struct.unpack(">BBHH", request[:6])
    if unit != UNIT:
        return b""
    if function == 3 and first >= FIRST and first + count - 1 <= LAST:
        body = struct.pack(f">BBB{count}H", unit, function, 2 * count, *range(first, first + count))
    else:
        body = bytes([unit, function | 0x80, _ILLEGAL_ADDRESS])
    return body + crc(body)


def _serve(far_end: int, ended: int) -> None:
    buffer = b""
    while ended not in select.select([far_end, ended], [], [])[0]:
        buffer += os.read(far_end, 256)
        while len(buffer) >= _REQUEST_BYTES:
            request, buffer = buffer[:_REQUEST_BYTES], buffer[_REQUEST_BYTES:]
            assert crc(request[:6]) == request[6:]
            os.write(far_end, answer(request))


@contextmanager
def rtu_unit() -> Iterator[str]:
    """The path of the serial line's near end."""
    far_end, near_end = os.openpty()
    tty.setraw(near_end)
    ended, end = os.pipe()
    thread = threading.Thread(target=_serve, args=(far_end, ended), name="rtu unit")
    thread.start()
    try:
        yield os.ttyname(near_end)
    finally:
        os.write(end, b".")
        thread.join(PATIENCE_S)
        for descriptor in (far_end, near_end, ended, end):
            os.close(descriptor)
