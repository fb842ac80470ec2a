"""A small city with a real database and a real store: what the workers' tests watch and feed."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy.orm import Session

from edge_agent.wire.durations import HOUR_MS
from edge_agent.wire.quantity import PHASES, quantities
from edge_agent.wire.sample import Reason
from ingest_service.alarms.messages import INBOXES
from ingest_service.emissions.rulebook import RuleBook
from ingest_service.emissions.rulepack import load_pack
from ingest_service.intake.edge_view import EdgeView
from ingest_service.store.alarms import AlarmStore
from ingest_service.store.batch import BlockRef, SampleBatch
from ingest_service.store.channels import read_channels
from ingest_service.store.deliveries import DeliveryStore
from ingest_service.store.embedded import EmbeddedStore
from ingest_service.store.judgements import JudgementStore
from ingest_service.store.tables import Edge, Furnace, Home, Series, Source
from ingest_service.workers.average import AverageWorker
from ingest_service.workers.judge import JudgeWorker
from ingest_service.workers.plant_record import PlantRecord
from ingest_service.workers.verdicts import Site
from ingest_service.workers.watch import WatchWorker
from tests.support.database import FILE, new_database

START = 495_000 * HOUR_MS
MINUTE = 60_000
MAIN = float(next(code for code, name in PHASES.items() if name == "main"))
IDLE = 0.0
CHANNELS = ("phase", "flue_o2", "co", "so2", "nox", "hcl", "dust", "gas_total")
GAS = {"phase": MAIN, "flue_o2": 13.0, "co": 40.0, "so2": 8.0, "nox": 80.0, "hcl": 8.0, "dust": 4.0, "gas_total": 1.0}
PACK = load_pack("gb13801-2015-table2")
BOOK = RuleBook((PACK,))


class City:
    """One home, one edge, some furnaces. Every furnace has the channels of CHANNELS, its series 100 * furnace + n.

    A folder that holds one already is opened as it is.
    """

    def __init__(
        self,
        folder: Path,
        furnaces: int = 2,
        channels: Sequence[str] = CHANNELS,
        book: RuleBook = BOOK,
        plant: PlantRecord | None = None,
        zone: str = "Asia/Shanghai",
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.now_ms = 0  # what the judge's clock shows to those that ask without a time
        self.quantities = tuple(channels)
        self.book, self.plant, self.zone = book, plant, ZoneInfo(zone)
        is_new = not (folder / FILE).exists()
        self.engine = new_database(folder)
        if is_new:
            self._populate(range(1, furnaces + 1))
        self.edges = [EdgeView(edge_id=1, home="h1", edge="e1", online=True, last_seen_ms=START)]
        self._blocks = 0
        self._open()

    def _open(self) -> None:
        """Everything that a process holds: after a crash it is made anew on the same files."""
        self.store = EmbeddedStore(self.folder / "series")
        self.channels = partial(read_channels, self.engine)
        self.alarms = AlarmStore(self.engine, INBOXES, self.zone)
        self.judgements = JudgementStore(self.engine)
        self.deliveries = DeliveryStore(self.engine)
        self.site = Site(self.book, self.zone, barometric_pa=101_325.0)
        self.judge = JudgeWorker(
            self.store, self.channels, self.judgements, self.alarms, self.site, lambda: self.now_ms, self.plant
        )
        self.average = AverageWorker(self.store, self.channels, self.judge.touched, lambda: 0)
        self.watch = WatchWorker(self.store, self.channels, lambda: self.edges, self.alarms, 60.0, lambda: 0)

    def restart(self) -> None:
        self.store.close()
        self._open()

    def close(self) -> None:
        self.store.close()
        self.engine.dispose()

    def series(self, furnace: int, quantity: str) -> int:
        return 100 * furnace + self.quantities.index(quantity)

    def feed(
        self,
        furnace: int,
        from_ms: int,
        to_ms: int,
        changes: Mapping[str, float] = {},
        *,
        every_ms: int = 10_000,
        wobble: float = 0.0,
        reason: Reason = Reason.GOOD,
    ) -> None:
        """Samples of every channel of a furnace: GAS with changes, and `wobble` added to every other sample."""
        times = np.arange(from_ms, to_ms, every_ms, dtype=np.int64)
        steps = np.arange(len(times)) % 2 * wobble
        values = {name: {**GAS, **changes}[name] + (0.0 if name == "phase" else steps) for name in self.quantities}
        self.write(furnace, times, values, reason)

    def write(
        self,
        furnace: int,
        times: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
        values: Mapping[str, object],
        reason: Reason = Reason.GOOD,
    ) -> None:
        """One block of one furnace."""
        self._blocks += 1
        rows = len(times) * len(values)
        block = BlockRef(furnace, 1, 7, self._blocks, 0, rows, int(times.min()), int(times.max()))
        columns = [np.broadcast_to(np.asarray(value, np.float64), len(times)) for value in values.values()]
        value = np.concatenate(columns)
        batch = SampleBatch(
            series=np.repeat([self.series(furnace, name) for name in values], len(times)).astype(np.int32),
            measured_at_ms=np.tile(times, len(values)),
            value=np.full(rows, np.nan) if reason.is_bad else value,
            reason=np.full(rows, reason, np.uint8),
            blocks=(block,),
        )
        self.store.write(batch)

    def settle(self, now_ms: int) -> None:
        """Average and judge until nothing is left, with time for hours to settle."""
        while self.average.step(now_ms):
            pass
        self.judge.step(now_ms)
        self.judge.step(now_ms + 60_000)

    def _populate(self, furnaces: Sequence[int]) -> None:
        with Session(self.engine) as session, session.begin():
            session.add(Home(id="h1", name_zh="青山殡仪馆", name_en="Qingshan"))
            session.flush()
            session.add(Edge(id=1, home_id="h1", name="e1", first_seen_ms=START, last_seen_ms=START))
            for furnace in furnaces:
                session.add(Furnace(id=furnace, home_id="h1", name=f"f{furnace}", name_zh=f"{furnace}号炉"))
            session.flush()
            session.add_all(Source(id=one, edge_id=1, device=f"f{one}", furnace_id=one) for one in furnaces)
            session.flush()
            session.add_all(self._series(furnace, name) for furnace in furnaces for name in self.quantities)

    def _series(self, furnace: int, name: str) -> Series:
        known = quantities()[name]
        return Series(
            id=self.series(furnace, name),
            source_id=furnace,
            channel=name,
            quantity=name,
            unit=known.unit,
            name_zh=known.zh,
            name_en=known.en,
            basis="dry_standard" if known.unit == "mg/m3" else "",
            period_s=60.0 if name in ("phase", "gas_total") else 10.0,
        )
