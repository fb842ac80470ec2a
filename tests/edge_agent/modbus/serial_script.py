"""A serial device that answers by script, behind a pseudo terminal that can be unplugged."""

import asyncio
import os
import struct
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.edge_agent.modbus.script import Request
from tests.support.faulty.frames import check_sum

SerialScript = Callable[[Request], list[bytes]]


class ScriptedSerial:
    """What hangs on the line; `path` always leads to the port that is plugged in."""

    def __init__(self, path: Path, script: SerialScript) -> None:
        self.path, self.script = path, script
        self.requests: list[Request] = []
        self._ends: tuple[int, int] | None = None

    def plug_in(self) -> None:
        ours, theirs = self._ends = os.openpty()
        tty.setraw(theirs)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(theirs))
        asyncio.get_running_loop().add_reader(ours, self._hear)

    def unplug(self) -> None:
        if self._ends is not None:
            asyncio.get_running_loop().remove_reader(self._ends[0])
            for end in self._ends:
                os.close(end)
            self.path.unlink()
        self._ends = None

    def say(self, data: bytes) -> None:
        assert self._ends is not None
        os.write(self._ends[0], data)

    def _hear(self) -> None:
        assert self._ends is not None
        unit, function, first, count, _ = struct.unpack(">BBHHH", os.read(self._ends[0], 8))
        self.requests.append(Request(0, unit, function, first, count))
        for frame in self.script(self.requests[-1]):
            self.say(frame)


def rtu(request: Request, pdu: bytes) -> bytes:
    body = bytes((request.unit,)) + pdu
    return body + check_sum(body)


def serial_addresses(request: Request) -> bytes:
    """The plain answer: every register holds its own address."""
    words = range(request.first, request.first + request.count)
    return rtu(request, struct.pack(f">BB{request.count}H", request.function, 2 * request.count, *words))


@contextmanager
def scripted_serial(folder: Path, script: SerialScript) -> Iterator[ScriptedSerial]:
    device = ScriptedSerial(folder / "serial", script)
    device.plug_in()
    try:
        yield device
    finally:
        device.unplug()
