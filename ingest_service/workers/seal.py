"""Seals hours that are over, and takes away what is older than it must be kept."""

import asyncio
from collections.abc import Callable

import structlog

from edge_agent.wire.durations import HOUR_MS
from ingest_service.config import Retention
from ingest_service.store.timeseries import TimeSeriesStore
from ingest_service.workers.loop import run_every

INTERVAL_S = 60.0
HOT_MS = 2 * HOUR_MS  # so long an hour stays hot after its end: most of what comes late comes within it
_log = structlog.get_logger(__name__)


class SealWorker:
    """Asks the store to seal what ended `HOT_MS` ago, and once an hour to let go of what is too old."""

    def __init__(self, store: TimeSeriesStore, retention: Retention, clock: Callable[[], int]) -> None:
        self._store, self._retention, self._clock = store, retention, clock
        self._retired_hour = 0

    def step(self, now_ms: int) -> int:
        """Do what is due; return the number of hours sealed."""
        try:
            return self._store.seal(now_ms - HOT_MS)
        finally:
            self._retire(now_ms)  # also where there is no room to seal: it makes some

    async def run(self, stop: asyncio.Event) -> None:
        """Step until told to stop."""
        await run_every("seal", INTERVAL_S, self.step, self._clock, stop)

    def _retire(self, now_ms: int) -> None:
        if now_ms // HOUR_MS != self._retired_hour:
            if gone := self._store.retire(self._retention, now_ms):
                _log.info("hours_retired", hours=gone, raw_days=self._retention.raw_days)
            self._retired_hour = now_ms // HOUR_MS
