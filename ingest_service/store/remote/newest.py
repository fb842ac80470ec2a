"""The newest sample of each series: in memory, noted in the ledger now and then, completed by the server at first."""

import time
from collections.abc import Callable

import numpy as np

from edge_agent.wire.durations import HOUR_MS, MINUTE_MS
from ingest_service.columns import Int32s
from ingest_service.errors import StoreError
from ingest_service.store.batch import SampleBatch
from ingest_service.store.newest import NewestSamples
from ingest_service.store.remote.engine import Engine
from ingest_service.store.remote.ledger import Ledger

NOTE_EVERY_S = 600.0
ASK_AGAIN_S = 10.0  # after the server could not be asked
OVERLAP_MS = 20 * MINUTE_MS  # so much of the time before the last note is asked for again
LONGEST_LOOK_BACK_MS = 24 * HOUR_MS  # where nothing was noted yet


class NewestKeeper:
    """Of one store, whose lock is held by every caller."""

    def __init__(
        self,
        engine: Engine,
        ledger: Ledger,
        now_ms: Callable[[], int],
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine, self._ledger, self._now_ms, self._monotonic_s = engine, ledger, now_ms, monotonic_s
        self._newest = NewestSamples()
        self._newest.absorb(ledger.newest())
        self._noted_ms = self._newest.newest_ms()
        self._complete, self._asked_s = False, float("-inf")
        self._renewed: list[Int32s] = []
        self._noted_s = monotonic_s()

    def absorb(self, batch: SampleBatch) -> None:
        """These were written."""
        self._renewed.append(np.unique(self._newest.absorb(batch)))
        if len(self._renewed) > 100:
            self._renewed = [np.unique(np.concatenate(self._renewed))]

    def of(self, series: Int32s | None) -> SampleBatch:
        """The newest samples of these series, or of all. Where the server cannot be asked: as far as they are known."""
        self._complete_from_server()
        return self._newest.of(self._newest.known() if series is None else series)

    def newest_ms(self) -> int | None:
        """The newest time of all."""
        return self._newest.newest_ms()

    def note_now_and_then(self) -> None:
        """Note what was renewed when the last note is old."""
        if self._monotonic_s() - self._noted_s >= NOTE_EVERY_S:
            self.note()

    def note(self) -> None:
        """Note what was renewed since the last note."""
        if self._renewed:
            self._ledger.note_newest(self._newest.of(np.unique(np.concatenate(self._renewed))))
        self._renewed, self._noted_s = [], self._monotonic_s()

    def _complete_from_server(self) -> None:
        """What was written between the last note and the end of the process before this one."""
        now_s = self._monotonic_s()
        if self._complete or now_s - self._asked_s < ASK_AGAIN_S:
            return
        self._asked_s = now_s
        noted_ms = self._noted_ms
        since_ms = self._now_ms() - LONGEST_LOOK_BACK_MS if noted_ms is None else noted_ms - OVERLAP_MS
        try:
            self.absorb(self._engine.newest(since_ms))
            self._complete = True
        except StoreError:
            return  # readiness says why; it is asked again
