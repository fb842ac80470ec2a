"""The clock, so that tests can turn it."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Wall time says when a value was measured, monotonic time when the next reading is due (both ms)."""

    def wall_ms(self) -> int:
        """Now, in ms since 1970 UTC."""

    def monotonic_ms(self) -> int:
        """Ms since some fixed moment; never steps."""

    async def sleep_until(self, monotonic_ms: int) -> None:
        """Return when that moment has come; lets others run even when it is past."""


class SystemClock:
    """The machine's clocks."""

    def wall_ms(self) -> int:
        """Now, in ms since 1970 UTC."""
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> int:
        """Ms of the monotonic clock."""
        return time.monotonic_ns() // 1_000_000

    async def sleep_until(self, monotonic_ms: int) -> None:
        """Sleep until the monotonic clock shows that moment."""
        await asyncio.sleep(max(0.0, monotonic_ms / 1000 - time.monotonic()))
