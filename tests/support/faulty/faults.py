"""What can go wrong with one request, and a schedule of it drawn from a seed."""

import random
from collections.abc import Sequence
from enum import Enum

from edge_agent.modbus.connection import Transport


class Fault(Enum):
    """Named by what the device does; `OLD` stands for the answer to an earlier request."""

    NONE = "answers"
    DELAY = "answers slowly, but in time"
    SLOW = "answers after nine tenths of the timeout"
    DROP = "says nothing"
    LATE = "answers after the timeout"
    WRONG_TRANSACTION = "answers with the number of an earlier request, and its data"
    NO_TRANSACTION = "answers with number 0 and the data of an earlier request"
    WRONG_UNIT = "answers for another unit"
    WRONG_FUNCTION = "answers from another table"
    SHORT = "answers with fewer values"
    LONG = "answers with more values"
    TRUNCATED = "sends the first part of the answer"
    TWICE = "sends the answer twice in one go"
    AFTER_OLD = "sends an earlier answer, then the right one, in one go"
    BEFORE_OLD = "sends the right answer, then an earlier one, in one go"
    TORN = "sends the first part of the answer, then a whole earlier one, in one go"
    EXCEPTION = "refuses"
    BUSY = "says that it is busy"
    DRIP = "sends the answer in small pieces, but in time"
    STALL = "stops in the middle and goes on after the timeout"
    RESET = "cuts the connection"
    GARBAGE = "sends noise"
    AFTER_GARBAGE = "sends noise, then the answer"
    BAD_CHECK = "sends the answer with one byte changed"


_NUMBERED_ONLY = {Fault.WRONG_TRANSACTION, Fault.NO_TRANSACTION}
_CONNECTED_ONLY = {Fault.RESET}
_CHECKED_ONLY = {Fault.BAD_CHECK}  # without a check sum, a changed byte cannot be known for what it is
_STREAMED_ONLY = {Fault.DRIP, Fault.STALL}


def faults_of(transport: Transport) -> tuple[Fault, ...]:
    """The faults that have a meaning for a transport."""
    left_out: set[Fault] = {Fault.NONE}
    left_out |= _CHECKED_ONLY if transport.numbers_requests else _NUMBERED_ONLY
    if transport in (Transport.UDP, Transport.RTU):
        left_out |= _CONNECTED_ONLY
    if transport is Transport.UDP:
        left_out |= _STREAMED_ONLY
    return tuple(fault for fault in Fault if fault not in left_out)


class Schedule:
    """The faults of one line, one request after the other; once it is calm, none."""

    def __init__(self, faults: Sequence[Fault], seed: str, share: float) -> None:
        self._faults = faults
        self._share = share
        self.random = random.Random(seed)
        self.is_calm = False

    def draw(self) -> Fault:
        if self.is_calm or self.random.random() >= self._share:
            return Fault.NONE
        return self.random.choice(self._faults)
