"""TCP proxies that stand between two parts and let the network misbehave as told: on a thread of their own."""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum, unique
from random import uniform
from typing import Protocol, TypeVar

T = TypeVar("T")
_CHUNK = 16_384
_SLOW_BYTES_PER_S, _SLOW_DELAYS_S = 4_000, (0.05, 0.8)
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST and throws away what was not sent


@unique
class Trouble(StrEnum):
    """What a line suffers from.

    CUT: connections break, none can be made. RESET: those that are there break, new ones work. STALL: bytes stand still
    and go on afterwards. SLOW: few bytes a second, each late. HALF_OPEN: bytes are taken and vanish; connections of
    that time never come to life again, and neither side is told.
    """

    NONE = "none"
    CUT = "cut"
    RESET = "reset"
    STALL = "stall"
    SLOW = "slow"
    HALF_OPEN = "half_open"


class Tap(Protocol):
    """Hears one connection: what was handed to the server, and what was handed to the client."""

    def asked(self, data: bytes) -> None:
        """Bytes that went to the server."""

    def answered(self, data: bytes) -> None:
        """Bytes that went to the client."""


class NoTap:
    """Hears nothing."""

    def asked(self, data: bytes) -> None:
        """Let it pass."""

    def answered(self, data: bytes) -> None:
        """Let it pass."""


class Proxy:
    """One line from its own `port` to `target`. Any thread may call `suffer`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, target: int, tap: Callable[[], Tap]) -> None:
        self.port = 0
        self._loop, self._target, self._tap = loop, target, tap
        self._trouble = Trouble.NONE
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._lines: set[_Line] = set()
        self._server: asyncio.Server | None = None

    def suffer(self, trouble: Trouble) -> None:
        """From now on; NONE ends it."""
        _run(self._loop, lambda: self._suffer(trouble))

    async def open(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Break what is there and listen no more."""
        if self._server is not None:
            self._server.close()
        self._break_all()

    def _suffer(self, trouble: Trouble) -> None:
        self._trouble = trouble
        (self._flowing.clear if trouble is Trouble.STALL else self._flowing.set)()
        if trouble in (Trouble.CUT, Trouble.RESET):
            self._break_all()
        if trouble is Trouble.HALF_OPEN:
            for line in self._lines:
                line.deaf = True

    def _break_all(self) -> None:
        for line in list(self._lines):
            line.break_off()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._trouble is Trouble.CUT:
            _reset(writer)
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            _reset(writer)
            return
        line = _Line(writer, far_writer, self._trouble is Trouble.HALF_OPEN)
        tap = self._tap()
        self._lines.add(line)
        try:
            async with asyncio.TaskGroup() as group:
                line.tasks = [
                    group.create_task(self._pump(reader, far_writer, line, tap.asked)),
                    group.create_task(self._pump(far_reader, writer, line, tap.answered)),
                ]
        finally:
            if not line.deaf:  # one that is deaf stays open to both sides until they give it up, or we end
                self._lines.discard(line)
                line.end()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: "_Line", hear: Callable[[bytes], None]
    ) -> None:
        """Carry bytes one way until either side ends; then end both."""
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                await self._flowing.wait()
                if self._trouble is Trouble.SLOW:
                    await asyncio.sleep(uniform(*_SLOW_DELAYS_S) + len(data) / _SLOW_BYTES_PER_S)
                if line.deaf or writer.is_closing():
                    continue
                hear(data)
                writer.write(data)
                await writer.drain()
        if not line.deaf:
            line.end()


class _Line:
    """One connection through the proxy. A deaf one carries nothing any more."""

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter, deaf: bool) -> None:
        self.deaf = deaf
        self.tasks: list[asyncio.Task[None]] = []
        self._ends = (near, far)

    def end(self) -> None:
        """Close both sides as their programs would."""
        for writer in self._ends:
            writer.close()

    def break_off(self) -> None:
        """Reset both sides; bytes under way are lost."""
        for task in self.tasks:
            task.cancel()
        for writer in self._ends:
            _reset(writer)


class Proxies:
    """Makes lines; `opened` holds all of them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.opened: list[Proxy] = []

    def line(self, target: int, tap: Callable[[], Tap] = NoTap) -> Proxy:
        """A line to that port of this machine; each of its connections gets a tap of its own."""
        proxy = _run(self._loop, lambda: Proxy(self._loop, target, tap))
        asyncio.run_coroutine_threadsafe(proxy.open(), self._loop).result(10)
        self.opened.append(proxy)
        return proxy


@contextmanager
def proxies() -> Iterator[Proxies]:
    """A thread that carries lines; all are broken at the end."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="proxies")
    thread.start()
    made = Proxies(loop)
    try:
        yield made
    finally:
        for proxy in made.opened:
            asyncio.run_coroutine_threadsafe(proxy.close(), loop).result(10)
        asyncio.run_coroutine_threadsafe(_finish(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _finish() -> None:
    """Wait for what is still under way."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def _run(loop: asyncio.AbstractEventLoop, work: Callable[[], T]) -> T:
    """Do it in the loop's thread and return what it returned."""

    async def job() -> T:
        return work()

    return asyncio.run_coroutine_threadsafe(job(), loop).result(10)


def _reset(writer: asyncio.StreamWriter) -> None:
    found = writer.get_extra_info("socket")
    if found is not None:
        with suppress(OSError):
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    writer.transport.abort()
