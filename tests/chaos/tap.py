"""Hears the Modbus TCP line between furnaces and agent: which scan counter values were really handed to the agent."""

import struct
import time
from pathlib import Path

import msgspec

from edge_agent.devices.files import load_profile
from tests.support.plant import COUNTER

_HEADER = struct.Struct(">HHHB")
_READ_HOLDING = 3


class Delivery(msgspec.Struct, frozen=True):
    """An answer that reached the agent's socket: `after_s` its question had gone out."""

    at_ms: int
    after_s: float


Deliveries = dict[tuple[int, int], Delivery]  # (furnace, counter value)


class ModbusTap:
    """One connection. Only the frames' own fields are used, nothing of the agent's."""

    def __init__(self, deliveries: Deliveries, address: int) -> None:
        self._deliveries, self._address = deliveries, address
        self._questions: dict[int, tuple[int, int, float]] = {}
        self._asked, self._answered = bytearray(), bytearray()

    def asked(self, data: bytes) -> None:
        """Remember what each transaction asks for."""
        self._asked += data
        while (frame := _take_frame(self._asked)) is not None:
            transaction, _, pdu = frame
            if pdu[0] == _READ_HOLDING and len(pdu) == 5:
                first, count = struct.unpack(">HH", pdu[1:])
                self._questions[transaction] = (first, count, time.monotonic())

    def answered(self, data: bytes) -> None:
        """Note the counter's value where the answer holds it."""
        self._answered += data
        while (frame := _take_frame(self._answered)) is not None:
            transaction, unit, pdu = frame
            first, count, asked_s = self._questions.pop(transaction, (0, 0, 0.0))
            at = self._address - first
            if pdu[0] == _READ_HOLDING and 0 <= at <= count - 2:
                high, low = struct.unpack_from(">HH", pdu, 2 + 2 * at)
                delivery = Delivery(time.time_ns() // 1_000_000, time.monotonic() - asked_s)
                self._deliveries[unit, high << 16 | low] = delivery


def counter_address() -> int:
    """Where the scan counter lies among the holding registers, zero-based."""
    profile = load_profile("simulator", Path())
    return next(channel.address for channel in profile.channels if channel.name == COUNTER)


def _take_frame(buffer: bytearray) -> tuple[int, int, bytes] | None:
    """The first whole frame: transaction, unit and protocol data unit."""
    if len(buffer) < _HEADER.size:
        return None
    transaction, _, length, unit = _HEADER.unpack_from(buffer)
    end = _HEADER.size - 1 + length
    if len(buffer) < end:
        return None
    pdu = bytes(buffer[_HEADER.size : end])
    del buffer[:end]
    return transaction, unit, pdu
