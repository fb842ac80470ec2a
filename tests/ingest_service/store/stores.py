"""Opens each kind of store on a folder: what lies in the folder, and what the folder's name stands for on a server."""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import insert
from sqlalchemy.orm import Session

from ingest_service.store.influx import InfluxEngine
from ingest_service.store.remote.catalogue import Catalogue
from ingest_service.store.remote.connection import Address
from ingest_service.store.remote.engine import Engine
from ingest_service.store.remote.ledger import Ledger
from ingest_service.store.remote.store import RemoteStore
from ingest_service.store.tables import Edge, Furnace, Home, Series, Source
from ingest_service.store.timeseries import TimeSeriesStore
from ingest_service.store.victoria import VictoriaEngine
from ingest_service.store.victoria.engine import Nodes
from tests.support.database import new_database
from tests.support.influx import InfluxDB
from tests.support.victoria import VictoriaMetrics

Opener = Callable[[Path], TimeSeriesStore]
BUCKETS = ("", "_minute", "_hour")
CHANNELS = {2: "flue o2, dry", 3: "co=1", 7: "nox|x.y"}  # names that a line must escape


class OnServer(RemoteStore):
    """A store with a relational database of its own in the folder."""

    def __init__(
        self,
        folder: Path,
        engine_of: Callable[[Catalogue], Engine],
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.database = new_database(folder)
        register(self.database, mark_of(folder))
        self.catalogue = Catalogue(self.database)
        self.engine = engine_of(self.catalogue)
        self.ledger = Ledger(self.database, self.engine.address)
        super().__init__(self.engine, self.ledger, self.catalogue, lambda: time.time_ns() // 10**6, monotonic_s)

    def waiting(self) -> int:
        """How many samples were refused and wait."""
        return self.ledger.count_quarantined()

    def refused(self) -> str:
        """What was said of the oldest of them."""
        return self.ledger.quarantined(1).problems[0]

    def close(self) -> None:
        super().close()
        self.database.dispose()


def mark_of(folder: Path) -> str:
    return hashlib.sha256(str(folder).encode()).hexdigest()[:12]


def register(database: "object", mark: str) -> None:
    """Series 1 to 20 of three devices, and of the edge itself."""
    with Session(database) as session, session.begin():  # type: ignore[arg-type]
        if session.get(Home, f"home-{mark}") is not None:
            return
        session.add(Home(id=f"home-{mark}"))
        session.flush()
        session.add(Edge(id=1, home_id=f"home-{mark}", name="edge '1'", first_seen_ms=0, last_seen_ms=0))
        session.add(Furnace(id=1, home_id=f"home-{mark}", name="1号炉"))
        session.flush()
        session.add_all(Source(id=one, edge_id=1, device=f"plc {one}", furnace_id=1) for one in (1, 2, 3))
        session.add(Source(id=4, edge_id=1, device=""))
        session.flush()
        rows = [
            {"id": one, "source_id": 1 + one % 4, "channel": CHANNELS.get(one, f"channel_{one}")}
            for one in range(1, 21)
        ]
        session.execute(insert(Series), rows)


def influx_store(server: InfluxDB, folder: Path, bucket: str | None = None, timeout_s: float = 10.0) -> OnServer:
    folder.mkdir(parents=True, exist_ok=True)
    named = bucket or f"b{mark_of(folder)}"
    for suffix in BUCKETS:
        server.question(f'CREATE DATABASE "{named}{suffix}"').raise_for_status()
    address = Address(url=server.url, timeout_s=timeout_s)
    return OnServer(folder, lambda catalogue: InfluxEngine(address, named, catalogue))


def victoria_store(server: VictoriaMetrics, folder: Path, hold_s: float = 20.0, timeout_s: float = 10.0) -> OnServer:
    folder.mkdir(parents=True, exist_ok=True)
    nodes = Nodes(read_url=server.url, metrics=(f"{server.url}/metrics",))
    address = Address(url=server.url, timeout_s=timeout_s)
    return OnServer(folder, lambda catalogue: VictoriaEngine(address, nodes, catalogue, hold_s))
