"""Watches the wall clock: says once when it steps, and when it is or is no longer kept right."""

import asyncio

import structlog

from edge_agent.clock import Clock
from edge_agent.stamps import STEP_MS, Discipline

LOOK_S = 1.0
_log = structlog.get_logger()


class ClockWatch:
    """Compares wall time with elapsed time at every look."""

    def __init__(self, clock: Clock) -> None:
        self.steps_total = 0
        self.discipline = Discipline.UNWATCHED
        self._clock = clock
        self._wall_ms, self._monotonic_ms = clock.wall_ms(), clock.monotonic_ms()

    async def run(self) -> None:
        """Look once a second, for ever."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_S)

    def look(self) -> None:
        """Note what happened since the last look."""
        wall_ms, monotonic_ms = self._clock.wall_ms(), self._clock.monotonic_ms()
        step_ms = (wall_ms - self._wall_ms) - (monotonic_ms - self._monotonic_ms)
        self._wall_ms, self._monotonic_ms = wall_ms, monotonic_ms
        if abs(step_ms) > STEP_MS:
            self.steps_total += 1
            _log.warning("clock_stepped", by_s=step_ms / 1000)
        discipline = self._clock.discipline()
        if discipline is not self.discipline:
            self.discipline = discipline
            say = _log.warning if discipline is Discipline.UNSYNCHRONISED else _log.info
            say(f"clock_{discipline.name.lower()}")
