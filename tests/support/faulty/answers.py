"""How a device answers one request under one fault: which bytes it sends, and when (pure but for its random numbers).

Left out is what the protocol has no means to tell: on RTU an earlier answer that looks like the right one though
nothing is owed, and one that is both late and another unit's by name; without a check sum a frame whose missing end is
made up exactly by the beginning of another.
"""

import random
from collections import deque
from collections.abc import Callable

import msgspec

from tests.support.faulty.cells import BITS, REGISTERS, data_bytes
from tests.support.faulty.faults import Fault
from tests.support.faulty.frames import Asked, data_pdu, rtu_frame

EXCEPTIONS, BUSY = (1, 2, 3, 4, 8, 10, 11), (5, 6)
_OTHER_TABLE = {1: 2, 2: 1, 3: 4, 4: 3}
_LONGEST_BURST = 250  # what a pseudo terminal hands over in one piece


class Piece(msgspec.Struct, frozen=True):
    """Bytes that go out so long after the request (s); None cuts the connection."""

    after_s: float
    data: bytes | None


class _Given(msgspec.Struct, frozen=True):
    asked: Asked
    pdu: bytes
    frame: bytes


class Answerer:
    """Answers the requests of one line. `timeout_s` is how long its client waits."""

    def __init__(self, framed: Callable[..., bytes], timeout_s: float, draw: random.Random) -> None:
        self._framed, self._timeout_s, self._random = framed, timeout_s, draw
        self._given: deque[_Given] = deque(maxlen=8)

    def pieces(self, asked: Asked, fault: Fault, generation: int) -> list[Piece]:
        pdu = _pdu(asked, generation)
        now = _Given(asked, pdu, self._framed(asked, pdu))
        pieces = self._timed(now.frame, fault) or self._at_once(now, fault, generation)
        self._given.append(now)
        return pieces

    def _timed(self, frame: bytes, fault: Fault) -> list[Piece]:
        """The faults that are a matter of time."""
        timeout_s, draw = self._timeout_s, self._random
        if fault is Fault.DELAY:
            return [Piece(timeout_s * draw.uniform(0.05, 0.6), frame)]
        if fault is Fault.SLOW:
            return [Piece(timeout_s * 0.9, frame)]
        if fault is Fault.LATE:
            return [Piece(timeout_s * draw.uniform(1.05, 2.5), frame)]
        if fault is Fault.DRIP:
            size = max(1, len(frame) // 6)
            parts = [frame[at : at + size] for at in range(0, len(frame), size)]
            return [Piece(timeout_s * 0.06 * number, part) for number, part in enumerate(parts)]
        if fault is Fault.STALL:
            cut = draw.randrange(1, len(frame))
            return [Piece(0.0, frame[:cut]), Piece(timeout_s * draw.uniform(1.05, 2.0), frame[cut:])]
        return []

    def _at_once(self, now: _Given, fault: Fault, generation: int) -> list[Piece]:
        if fault is Fault.DROP:
            return []
        if fault is Fault.RESET:
            return [Piece(0.0, None)]
        return [Piece(0.0, self._other_question(now, fault, generation) or self._other_bytes(now.frame, now, fault))]

    def _other_question(self, now: _Given, fault: Fault, generation: int) -> bytes:
        """Whole frames that say something else."""
        asked, framed, old = now.asked, self._framed, self._old(now)
        cell = BITS if asked.function in (1, 2) else REGISTERS
        if fault is Fault.WRONG_TRANSACTION:
            return framed(asked, old.pdu, transaction=(asked.transaction - 1) & 0xFFFF)
        if fault is Fault.NO_TRANSACTION:
            return framed(asked, old.pdu, transaction=0)
        if fault is Fault.WRONG_UNIT:
            other = asked.unit_id % 3 + 1
            return framed(asked, _pdu(asked, generation, unit_id=other), unit_id=other)
        if fault is Fault.WRONG_FUNCTION:
            return framed(asked, _pdu(asked, generation, function=_OTHER_TABLE[asked.function]))
        if fault in (Fault.SHORT, Fault.LONG):
            return framed(asked, _pdu(asked, generation, more=cell if fault is Fault.LONG else -cell))
        if fault in (Fault.EXCEPTION, Fault.BUSY):
            codes = EXCEPTIONS if fault is Fault.EXCEPTION else BUSY
            return framed(asked, bytes((asked.function | 0x80, self._random.choice(codes))))
        return b""

    def _other_bytes(self, frame: bytes, now: _Given, fault: Fault) -> bytes:
        """The right frame, but not it alone, or not all of it."""
        old, draw = self._old(now).frame, self._random
        if fault is Fault.TRUNCATED:
            return frame[: draw.randrange(1, len(frame))]
        if fault is Fault.TORN:
            return frame[: draw.randrange(max(1, len(frame) - len(old) + 1), len(frame))] + old
        if fault in (Fault.TWICE, Fault.AFTER_OLD, Fault.BEFORE_OLD):
            parts = {Fault.TWICE: (frame, frame), Fault.AFTER_OLD: (old, frame), Fault.BEFORE_OLD: (frame, old)}[fault]
            is_too_long = self._framed is rtu_frame and len(b"".join(parts)) > _LONGEST_BURST
            return frame if is_too_long else b"".join(parts)
        if fault is Fault.GARBAGE:
            return draw.randbytes(draw.randrange(3, 60))
        if fault is Fault.AFTER_GARBAGE:
            return draw.randbytes(draw.randrange(3, 60)) + frame
        if fault is Fault.BAD_CHECK:
            at = draw.randrange(len(frame))
            return frame[:at] + bytes((frame[at] ^ 1 << draw.randrange(8),)) + frame[at + 1 :]
        return frame

    def _old(self, now: _Given) -> _Given:
        """An earlier answer; where nothing but its looks tells it from the right one, one that looks different."""
        for given in reversed(self._given):
            if self._framed is not rtu_frame or _looks(given) != _looks(now):
                return given
        asked = Asked(0, now.asked.unit_id % 3 + 1, now.asked.function, 0, 8)
        pdu = _pdu(asked, 0)
        return _Given(asked, pdu, self._framed(asked, pdu))


def _looks(given: _Given) -> tuple[int, int, int]:
    return given.asked.unit_id, given.asked.function, given.asked.size


def _pdu(asked: Asked, generation: int, function: int = 0, unit_id: int = 0, more: int = 0) -> bytes:
    function = function or asked.function
    count = max(1, asked.count + more)
    return data_pdu(function, data_bytes(unit_id or asked.unit_id, function, asked.first, count, generation))
