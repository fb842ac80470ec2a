"""One line of a faulty device: takes requests off the bytes that come and sends what its schedule makes of them."""

import asyncio
from collections import Counter
from collections.abc import Callable

from edge_agent.modbus.connection import Transport
from tests.support.faulty.answers import Answerer, Piece
from tests.support.faulty.cells import ticks
from tests.support.faulty.faults import Fault, Schedule
from tests.support.faulty.frames import Asked, rtu_frame, take_rtu, take_tcp, tcp_frame

UNITS = (1, 2, 3)  # asked for any other, the line stays silent
# In units of the timeout: a machine that is busy must not make answers later than the faults say.
_SLACK, _LATEST = 0.5, 2.6


class Outlet:
    """Where answers go; frames do not mix."""

    def __init__(self, send: Callable[[bytes], None], cut: Callable[[], None]) -> None:
        self.send, self.cut = send, cut
        self.lock = asyncio.Lock()
        self.is_open = True


class Line:
    """The units behind one port. Over RTU, answers keep the order of the requests, and a late one finds its way."""

    def __init__(self, transport: Transport, schedule: Schedule, timeout_s: float, group: asyncio.TaskGroup) -> None:
        self.transport, self.schedule = transport, schedule
        self.counts: Counter[Fault] = Counter()
        self.outlet: Outlet | None = None
        self._timeout_s, self._group = timeout_s, group
        framed, self._take = (tcp_frame, take_tcp) if transport.numbers_requests else (rtu_frame, take_rtu)
        self._answerer = Answerer(framed, timeout_s, schedule.random)
        self._order = asyncio.Lock()

    def hear(self, buffer: bytearray, outlet: Outlet) -> None:
        """Serve every whole request to a unit that is there. Raises ValueError for what is none."""
        while (asked := self._take(buffer)) is not None:
            if asked.unit_id not in UNITS:
                continue
            fault = self.schedule.draw()
            self.counts[fault] += 1
            self._group.create_task(self._serve(asked, fault, ticks(), outlet), name=f"answer {fault.name}")

    async def _serve(self, asked: Asked, fault: Fault, generation: int, outlet: Outlet) -> None:
        heard_s = _now_s()
        pieces = self._answerer.pieces(asked, fault, generation)
        if self.transport.numbers_requests:
            await self._send(pieces, fault, heard_s, outlet)
        else:
            async with self._order:
                await self._send(pieces, fault, heard_s, outlet)

    async def _send(self, pieces: list[Piece], fault: Fault, heard_s: float, outlet: Outlet) -> None:
        """Begin now: whoever waited for an earlier answer was not worked on meanwhile."""
        began_s = _now_s()
        if not pieces or (fault is Fault.WRONG_UNIT and self._is_too_late(heard_s, heard_s)):
            return
        await _sleep_until(began_s + pieces[0].after_s)
        if fault is Fault.LATE and self.outlet is not None:
            outlet = self.outlet
        async with outlet.lock:
            for piece in pieces:
                await _sleep_until(began_s + piece.after_s)
                if outlet.is_open and not self._is_too_late(heard_s, began_s + piece.after_s):
                    outlet.cut() if piece.data is None else outlet.send(piece.data)
            if fault is Fault.TRUNCATED and self.transport.numbers_requests:
                outlet.is_open = False

    def _is_too_late(self, heard_s: float, planned_s: float) -> bool:
        return _now_s() > min(planned_s + _SLACK * self._timeout_s, heard_s + _LATEST * self._timeout_s)


def _now_s() -> float:
    return asyncio.get_running_loop().time()


async def _sleep_until(at_s: float) -> None:
    await asyncio.sleep(max(0.0, at_s - _now_s()))
