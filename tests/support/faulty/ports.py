"""The ports at which a faulty device can be reached: TCP, TLS, UDP, and pseudo terminals for serial lines."""

import asyncio
import os
import socket
import ssl
import struct
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import cast

from tests.support.faulty.line import Line, Outlet


class Guests(Enum):
    """How many clients a device admits at once."""

    MANY = "many"
    ONE = "one"


class _Stream(asyncio.Protocol):
    """One client of TCP or TLS; a device that admits one hangs up on the second."""

    def __init__(self, line: Line, guests: Guests) -> None:
        self._line, self._guests = line, guests
        self._buffer = bytearray()
        self._outlet: Outlet | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self._guests is Guests.ONE and self._line.outlet is not None:
            self._transport.close()
            return
        self._outlet = self._line.outlet = Outlet(self._transport.write, self._cut)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._outlet is not None:
            self._outlet.is_open = False
        if self._line.outlet is self._outlet:
            self._line.outlet = None

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._outlet is not None:
            self._line.hear(self._buffer, self._outlet)

    def _cut(self) -> None:
        """Reset, not close: what was sent is lost, too."""
        own = self._transport.get_extra_info("socket")
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()


class _Datagrams(asyncio.DatagramProtocol):
    """A UDP port; late answers go to whoever asked last."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        outlet = Outlet(lambda answer: self._transport.sendto(answer, addr), lambda: None)
        self._line.outlet = outlet
        self._line.hear(bytearray(data), outlet)


async def listen_tcp(line: Line, guests: Guests, tls: ssl.SSLContext | None) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: _Stream(line, guests), "127.0.0.1", 0, ssl=tls)


async def listen_udp(line: Line) -> int:
    """The port."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(line), local_addr=("127.0.0.1", 0))
    port: int = transport.get_extra_info("sockname")[1]
    return port


@contextmanager
def serial_line(line: Line) -> Iterator[str]:
    """A pseudo terminal whose other end is the path that comes back."""
    loop = asyncio.get_running_loop()
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    os.set_blocking(ours, False)
    buffer = bytearray()
    outlet = line.outlet = Outlet(lambda data: _write(ours, data), lambda: None)

    def hear() -> None:
        buffer.extend(os.read(ours, 4096))
        line.hear(buffer, outlet)

    loop.add_reader(ours, hear)
    try:
        yield os.ttyname(theirs)
    finally:
        loop.remove_reader(ours)
        os.close(ours)
        os.close(theirs)


def _write(descriptor: int, data: bytes) -> None:
    """What does not fit is lost, as on a wire that nobody listens to."""
    try:
        os.write(descriptor, data)
    except BlockingIOError:
        return
