"""The loop that every worker shares: step, wait, until told to stop."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol

import structlog

from ingest_service.errors import ServiceError

_log = structlog.get_logger()


class Worker(Protocol):
    """What the composition root starts."""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop."""


async def run_every(
    name: str, interval_s: float, step: Callable[[int], int], clock: Callable[[], int], stop: asyncio.Event
) -> None:
    """Call `step(now_ms)` in a thread every `interval_s` until `stop`; what a store refuses is tried again."""
    failing = ""
    while not stop.is_set():
        try:
            await asyncio.to_thread(step, clock())
            failing = ""
        except ServiceError as error:
            if str(error) != failing:
                failing = str(error)
                _log.warning("worker_step_failed", worker=name, error=failing)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), interval_s)
