"""Waiting for a condition with a deadline, for tests that watch real processes and threads."""

import asyncio
import time
from collections.abc import Callable

PATIENCE_S = 60.0  # far longer than anything takes on a machine with nothing else to do


async def until(condition: Callable[[], object], timeout_s: float = PATIENCE_S) -> None:
    """Return as soon as the condition holds; TimeoutError when it never does. The event loop goes on meanwhile."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - what is watched has no event of its own
            await asyncio.sleep(0.005)


def wait_until(condition: Callable[[], object], timeout_s: float = PATIENCE_S) -> None:
    """The same for a test without an event loop."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout_s} s")
        time.sleep(0.005)
