"""The clock, so that tests can turn it."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from edge_agent.stamps import Discipline

ASK_AGAIN_MS = 1_000


class Clock(Protocol):
    """Wall time says when a value was measured, monotonic time when the next reading is due (both ms)."""

    def wall_ms(self) -> int:
        """Now, in ms since 1970 UTC."""

    def monotonic_ms(self) -> int:
        """Ms since some fixed moment; never steps."""

    def discipline(self) -> Discipline:
        """Whether wall time can be believed now."""

    async def sleep_until(self, monotonic_ms: int) -> None:
        """Return when that moment has come; lets others run even when it is past."""


def unwatched() -> Discipline:
    """Of a clock that nobody can say anything about."""
    return Discipline.UNWATCHED


class SystemClock:
    """The machine's clocks. `ask` tells how wall time is kept; the answer holds for a second."""

    def __init__(self, ask: Callable[[], Discipline] = unwatched) -> None:
        self._ask = ask
        self._answer, self._answered_ms = ask(), self.monotonic_ms()

    def wall_ms(self) -> int:
        """Now, in ms since 1970 UTC."""
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> int:
        """Ms of the monotonic clock."""
        return time.monotonic_ns() // 1_000_000

    def discipline(self) -> Discipline:
        """Whether wall time could be believed within the last second."""
        now_ms = self.monotonic_ms()
        if now_ms - self._answered_ms >= ASK_AGAIN_MS:
            self._answer, self._answered_ms = self._ask(), now_ms
        return self._answer

    def trusted_ms(self) -> int:
        """Wall time, or 0 while it is known not to be synchronised."""
        return 0 if self.discipline() is Discipline.UNSYNCHRONISED else self.wall_ms()

    async def sleep_until(self, monotonic_ms: int) -> None:
        """Sleep until the monotonic clock shows that moment."""
        await asyncio.sleep(max(0.0, monotonic_ms / 1000 - time.monotonic()))
