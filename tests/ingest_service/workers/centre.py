"""The intake with everything real behind it, for tests that say what edges send."""

from pathlib import Path

from sqlalchemy import Engine

from edge_agent.wire.sample import Reason, Sample
from ingest_service.anomaly.standing import StandingValues
from ingest_service.emissions.minute_tally import MinuteTally
from ingest_service.intake.arrivals import Arrival, ArrivalQueue
from ingest_service.store.embedded import EmbeddedStore
from ingest_service.store.gaps import GapLog
from ingest_service.store.live import LiveTable
from ingest_service.store.registry import Registry
from ingest_service.store.rejections import RejectionLog
from ingest_service.workers.ingest import Current, IngestWorker, Records
from tests.ingest_service.workers.edges import NOW_MS, Spoken
from tests.support.database import new_database


class Centre:
    """The intake with everything real behind it, and a clock that the test moves."""

    def __init__(self, folder: Path) -> None:
        self.now_ms = NOW_MS
        self.folder = folder
        self.engine: Engine = new_database(folder)
        self.registry = Registry(self.engine)
        self.rejections = RejectionLog(self.engine)
        self.store = EmbeddedStore(folder)
        self.live = LiveTable()
        self.queue = ArrivalQueue()
        self.spoken = Spoken()
        self.worker = self.new_worker()

    def new_worker(self) -> IngestWorker:
        records = Records(self.registry, self.store, self.rejections, GapLog(self.engine))
        current = Current(self.live, MinuteTally(), StandingValues())
        return IngestWorker(self.queue, records, current, self.spoken.publish, lambda: self.now_ms)

    def hear(self, *arrivals: Arrival) -> None:
        for arrival in arrivals:
            self.queue.put(arrival)
        self.worker.step(0)

    def after(self, milliseconds: int) -> None:
        self.now_ms += milliseconds
        self.worker.step(0)

    def series(self, channel: str, home: str = "east") -> int:
        (found,) = [source.series[channel] for source in self.registry.sources() if source.home == home]
        return found

    def stored(self, channel: str = "co") -> list[tuple[int, float]]:
        found = self.store.raw([self.series(channel)], NOW_MS - 10**10, NOW_MS + 10**10)
        return [(int(at) - NOW_MS, float(v)) for at, v in zip(found.measured_at_ms, found.value, strict=True)]

    def shown(self, channel: str = "co") -> list[tuple[float, int]]:
        rows = self.live.rows([self.series(channel)])
        return [(float(value), int(reason)) for value, reason in zip(rows.value, rows.reason, strict=True)]

    def close(self) -> None:
        self.store.close()
        self.engine.dispose()


def co(after_ms: int, value: float | None, reason: Reason = Reason.GOOD) -> Sample:
    return Sample(10, NOW_MS + after_ms, value, reason)


def o2(after_ms: int, value: float) -> Sample:
    return Sample(11, NOW_MS + after_ms, value)
