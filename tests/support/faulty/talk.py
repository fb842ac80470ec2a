"""What a test and the faulty device's process say to each other."""

from enum import StrEnum

import msgspec


class Command(StrEnum):
    """One line to the process."""

    REPORT = "report"
    CALM = "calm"


class Where(msgspec.Struct, frozen=True):
    """The process's first line: a port number or the path of a serial port for each line."""

    addresses: list[str]


class Done(msgspec.Struct, frozen=True):
    """The answer to a command: how many requests met which fault."""

    counts: dict[str, int]

    @property
    def faulted(self) -> int:
        return sum(count for name, count in self.counts.items() if name != "NONE")
