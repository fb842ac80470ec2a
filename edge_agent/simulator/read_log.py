"""A file of every scan counter value that was answered with: what an unbroken chain must hold at its other end."""

from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from edge_agent.simulator.unit import CountedRead

_encoder = msgspec.json.Encoder()


class CountedAnswer(msgspec.Struct, frozen=True):
    """One line: the furnace's scan counter was read as `value` (`at_ms`: ms since 1970 UTC)."""

    furnace: int
    value: int
    at_ms: int


class ReadLog:
    """Appends to the file, one JSON object a line, each written before its answer is sent."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)

    def of(self, furnace: int) -> CountedRead:
        """What is told of every read of that furnace's counter."""
        return lambda value, at_ms: self._write(CountedAnswer(furnace, value, at_ms))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def _write(self, answer: CountedAnswer) -> None:
        self._file.write(_encoder.encode(answer) + b"\n")
