"""A Modbus TCP device that answers by script: what a well-behaved server would never do."""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import msgspec
import psutil

from tests.support.waiting import until


class Request(msgspec.Struct, frozen=True):
    transaction: int
    unit: int
    function: int
    first: int
    count: int


# What a device does with a request: the frames that it sends, none for silence.
Script = Callable[[Request], list[bytes]]


class ScriptedDevice:
    """Listens on a free port; `requests` holds all that was asked, `connections` how often somebody connected."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[Request] = []
        self.connections = 0
        self.port = 0
        self._writers: list[asyncio.StreamWriter] = []

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        try:
            while True:
                transaction, _, _, unit, function, first, count = struct.unpack(
                    ">HHHBBHH", await reader.readexactly(12)
                )
                self.requests.append(Request(transaction, unit, function, first, count))
                for frame in self.script(self.requests[-1]):
                    writer.write(frame)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def hang_up(self) -> None:
        for writer in self._writers:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


def frame(request: Request, pdu: bytes, transaction: int | None = None, unit: int | None = None) -> bytes:
    head = struct.pack(
        ">HHHB",
        request.transaction if transaction is None else transaction,
        0,
        len(pdu) + 1,
        request.unit if unit is None else unit,
    )
    return head + pdu


def registers(request: Request, words: list[int], function: int | None = None) -> bytes:
    code = request.function if function is None else function
    return frame(request, struct.pack(f">BB{len(words)}H", code, 2 * len(words), *words))


def bits(request: Request, packed: int) -> bytes:
    """Up to eight bits of a coil or discrete table."""
    return frame(request, bytes([request.function, 1, packed]))


def refusal(request: Request, code: int) -> bytes:
    return frame(request, bytes([request.function | 0x80, code]))


def addresses(request: Request) -> bytes:
    """The plain answer: every register holds its own address."""
    return registers(request, list(range(request.first, request.first + request.count)))


async def until_hung_up(port: int) -> None:
    """Return when this process has no connection to that port any more."""
    process = psutil.Process()
    await until(lambda: all(not each.raddr or each.raddr.port != port for each in process.net_connections("inet")))


@asynccontextmanager
async def scripted(script: Script) -> AsyncIterator[ScriptedDevice]:
    device = ScriptedDevice(script)
    server = await asyncio.start_server(device.talk, "127.0.0.1", 0)
    device.port = server.sockets[0].getsockname()[1]
    try:
        yield device
    finally:
        server.close()
        await device.hang_up()
        await until_hung_up(device.port)
