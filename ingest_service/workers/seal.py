"""Seals hours that are over: what is sealed is small, sorted, and can be hashed."""

import asyncio
from collections.abc import Callable

from ingest_service.store.timeseries import HOUR_MS, TimeSeriesStore
from ingest_service.workers.loop import run_every

INTERVAL_S = 60.0
HOT_MS = 2 * HOUR_MS  # so long an hour stays hot after its end: most of what comes late comes within it


class SealWorker:
    """Asks the store to seal what ended `HOT_MS` ago."""

    def __init__(self, store: TimeSeriesStore, clock: Callable[[], int]) -> None:
        self._store, self._clock = store, clock

    def step(self, now_ms: int) -> int:
        """Seal what is due; return the number of hours sealed."""
        return self._store.seal(now_ms - HOT_MS)

    async def run(self, stop: asyncio.Event) -> None:
        """Step until told to stop."""
        await run_every("seal", INTERVAL_S, self.step, self._clock, stop)
