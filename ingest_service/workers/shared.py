"""What the ingest thread keeps up to date and the other workers read: one lock each, held for milliseconds."""

import threading

from ingest_service.anomaly.runs import Runs
from ingest_service.anomaly.standing import StandingValues
from ingest_service.columns import Int32s, Int64s, SampleColumns
from ingest_service.emissions.minute_tally import MinuteTally, Tallied


class SharedMinuteTally(MinuteTally):
    """A tally of minutes that any thread may call."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()

    def learn(self, series: Int32s, holds_ms: Int64s) -> None:
        """As in `MinuteTally`."""
        with self._lock:
            super().learn(series, holds_ms)

    def add(self, samples: SampleColumns, now_ms: int) -> None:
        """As in `MinuteTally`."""
        with self._lock:
            super().add(samples, now_ms)

    def forget(self, series: Int32s) -> None:
        """As in `MinuteTally`."""
        with self._lock:
            super().forget(series)

    def minute(self, minute: int, series: Int32s) -> Tallied:
        """As in `MinuteTally`."""
        with self._lock:
            return super().minute(minute, series)


class SharedStandingValues(StandingValues):
    """How values stand, for any thread."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()

    def watch(self, series: Int32s, phases: Int64s) -> None:
        """As in `StandingValues`."""
        with self._lock:
            super().watch(series, phases)

    def add(self, samples: SampleColumns) -> None:
        """As in `StandingValues`."""
        with self._lock:
            super().add(samples)

    def runs(self, series: Int32s) -> Runs:
        """As in `StandingValues`."""
        with self._lock:
            return super().runs(series)

    def burning_since_ms(self, phases: Int64s) -> Int64s:
        """As in `StandingValues`."""
        with self._lock:
            return super().burning_since_ms(phases)
