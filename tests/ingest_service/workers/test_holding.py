"""Acknowledgements over a store that may lose what it took: VictoriaMetrics, killed at the wrong moment."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_service.store.remote.catalogue import Catalogue
from ingest_service.store.remote.connection import Address
from ingest_service.store.remote.ledger import Ledger
from ingest_service.store.remote.store import RemoteStore
from ingest_service.store.victoria import VictoriaEngine
from ingest_service.store.victoria.engine import Nodes
from tests.ingest_service.workers.centre import Centre, co
from tests.ingest_service.workers.edges import SpeakingEdge
from tests.support.victoria import VictoriaMetrics
from tests.support.waiting import wait_until

HOLD_S = 20.0


class HoldingCentre(Centre):
    """The intake over VictoriaMetrics; the seconds of its store are those of the test."""

    def __init__(self, folder: Path, server: VictoriaMetrics) -> None:
        folder.mkdir()
        super().__init__(folder)
        self.store.close()
        catalogue = Catalogue(self.engine)
        nodes = Nodes(read_url=server.url, metrics=(f"{server.url}/metrics",))
        engine = VictoriaEngine(Address(url=server.url, timeout_s=2.0), nodes, catalogue, HOLD_S)
        ledger = Ledger(self.engine, engine.address)
        self.store = RemoteStore(  # type: ignore[assignment]
            engine, ledger, catalogue, lambda: self.now_ms, lambda: self.now_ms / 1000
        )
        self.worker = self.new_worker()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[VictoriaMetrics]:
    made = VictoriaMetrics(tmp_path / "server")
    made.start()
    yield made
    made.kill()


@pytest.fixture
def centre(server: VictoriaMetrics, tmp_path: Path) -> Iterator[HoldingCentre]:
    made = HoldingCentre(tmp_path / "centre", server)
    yield made
    made.close()


def test_a_block_is_shown_at_once_and_acknowledged_after_the_hold_time(centre: HoldingCentre) -> None:
    edge = SpeakingEdge()
    centre.hear(*edge.births(), edge.data(1, [co(0, 42.0)]))
    assert centre.shown() == [(42.0, 0)]
    assert centre.stored() == [(0, 42.0)]
    centre.after(int(HOLD_S * 1000))
    assert centre.spoken.acknowledged == []
    centre.after(5_000)
    assert centre.spoken.acknowledged == [(1, 1)]


def test_what_a_killed_store_may_have_lost_is_not_acknowledged_until_it_came_again(
    centre: HoldingCentre, server: VictoriaMetrics
) -> None:
    edge = SpeakingEdge()
    began = time.time()
    centre.hear(*edge.births(), edge.data(1, [co(0, 42.0)]))
    wait_until(lambda: time.time() > began + 1.1)
    server.kill()
    server.start()
    centre.after(30_000)
    assert centre.spoken.acknowledged == []
    assert "was started anew" in centre.worker.problem
    centre.hear(edge.data(1, [co(0, 42.0)], historical=True))
    assert centre.worker.problem == ""
    centre.after(25_000)
    assert centre.spoken.acknowledged == [(1, 1)]
    assert centre.stored() == [(0, 42.0)]
