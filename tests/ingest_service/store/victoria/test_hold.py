"""VictoriaMetrics says "written" before its disk has it: what that means for blocks, marks and acknowledgements."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from edge_agent.wire.durations import MINUTE_MS
from ingest_service.errors import StoreError
from ingest_service.store.remote.connection import Address
from ingest_service.store.timeseries import WriteResult
from ingest_service.store.victoria import VictoriaEngine
from ingest_service.store.victoria.engine import Nodes
from ingest_service.store.victoria.metrics import read_process
from tests.ingest_service.store.batches import (
    EPOCH,
    HOUR_MS,
    START_MS,
    Row,
    marks_of,
    means,
    means_of,
    one_block,
    rows_of,
)
from tests.ingest_service.store.stores import OnServer, victoria_store
from tests.support.victoria import VictoriaMetrics
from tests.support.waiting import PATIENCE_S, wait_until

HOLD_S = 20.0
ROWS: list[Row] = [(1, 0, 1.0), (1, 1000, 2.0)]


class Timed(OnServer):
    """A store whose seconds pass when the test says so."""

    def __init__(self, server: VictoriaMetrics, folder: Path) -> None:
        self.now_s = 1000.0
        nodes = Nodes(read_url=server.url, metrics=(f"{server.url}/metrics",))
        address = Address(url=server.url, timeout_s=2.0)
        super().__init__(
            folder,
            lambda catalogue: VictoriaEngine(address, nodes, catalogue, HOLD_S),
            monotonic_s=lambda: self.now_s,
        )

    def after(self, seconds: float) -> None:
        self.now_s += seconds
        self.confirm()


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VictoriaMetrics]:
    """A server to be killed."""
    server = VictoriaMetrics(tmp_path_factory.mktemp("own"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def store(own: VictoriaMetrics, tmp_path: Path) -> Iterator[Timed]:
    opened = Timed(own, tmp_path)
    yield opened
    opened.close()


def killed_and_started(server: VictoriaMetrics) -> None:
    """In another second than it was started in before: it tells the moment of its start in whole seconds."""
    began = read_process(httpx.get(f"{server.url}/metrics", timeout=PATIENCE_S).content).started
    wait_until(lambda: time.time() > float(began) + 1)
    server.kill()
    server.start()


def test_a_block_is_held_when_the_server_had_it_for_the_hold_time_and_acknowledged_no_sooner(store: Timed) -> None:
    assert store.hold_s > HOLD_S
    store.write(one_block(1, ROWS))
    store.after(HOLD_S - 1)
    assert store.held(1, EPOCH) == []
    store.write(one_block(2, [(1, 2000, 3.0)]))
    store.after(1)
    assert store.held(1, EPOCH) == [(1, 1)]
    store.after(HOLD_S)
    assert store.held(1, EPOCH) == [(1, 2)]


def test_a_block_that_comes_again_within_the_hold_time_is_a_repeat(store: Timed) -> None:
    store.write(one_block(1, ROWS))
    assert store.write(one_block(1, ROWS)) == WriteResult(stored=0, repeated=2)
    store.after(HOLD_S)
    assert store.held(1, EPOCH) == [(1, 1)]


def test_what_a_killed_server_may_have_lost_is_written_again_when_its_edge_sends_it_again(
    own: VictoriaMetrics, store: Timed
) -> None:
    store.write(one_block(1, ROWS))
    store.after(HOLD_S)
    store.write(one_block(2, [(1, 2000, 3.0)]))
    own.kill()
    with pytest.raises(StoreError, match="cannot be reached"):
        store.after(HOLD_S)
    own.start()
    killed_and_started(own)
    with pytest.raises(StoreError, match="was started anew; what it may have lost is asked for again"):
        store.after(HOLD_S)
    assert store.held(1, EPOCH) == [(1, 1)]
    assert store.write(one_block(2, [(1, 2000, 3.0)])).stored == 1
    store.after(HOLD_S)
    assert store.held(1, EPOCH) == [(1, 2)]


def test_means_that_a_killed_server_may_have_lost_are_computed_again(own: VictoriaMetrics, store: Timed) -> None:
    store.write(one_block(1, ROWS))
    done = store.dirty_minutes(START_MS + HOUR_MS, 10)
    store.write_means(means([(1, 0, 1.5)]), means([]), done)
    assert marks_of(store.dirty_minutes(START_MS + HOUR_MS, 10)) == []
    killed_and_started(own)
    with pytest.raises(StoreError, match="started anew"):
        store.after(HOLD_S)
    assert marks_of(store.dirty_minutes(START_MS + HOUR_MS, 10)) == marks_of(done)
    store.write_means(means([(1, 0, 1.5)]), means([]), done)
    store.after(HOLD_S)
    assert means_of(store.means(MINUTE_MS, [1], START_MS, START_MS + 1)) == [(1, 0, 1.5)]


def test_what_waits_when_the_service_ends_is_not_held_afterwards(own: VictoriaMetrics, tmp_path: Path) -> None:
    first = Timed(own, tmp_path)
    first.write(one_block(1, ROWS))
    first.close()
    again = Timed(own, tmp_path)
    assert again.held(1, EPOCH) == []
    assert again.write(one_block(1, ROWS)).stored == 2
    assert rows_of(again.raw([1], START_MS, START_MS + HOUR_MS)) == ROWS
    again.close()


def test_of_means_that_replace_each_other_the_last_one_is_read_by_another_process(
    own: VictoriaMetrics, tmp_path: Path
) -> None:
    store = victoria_store(own, tmp_path)
    nothing = store.dirty_minutes(0, 1)
    for mean in (5.0, 9.0, 7.0):
        store.write_means(means([(1, 0, mean)]), means([(1, 0, mean)]), nothing)
    store.close()
    again = victoria_store(own, tmp_path)
    wait_until(lambda: len(again.means(MINUTE_MS, [1], START_MS, START_MS + 1)))
    assert means_of(again.means(MINUTE_MS, [1], START_MS, START_MS + 1)) == [(1, 0, 7.0)]
    again.write_means(means([(1, 0, 2.0)]), means([]), nothing)
    assert means_of(again.means(MINUTE_MS, [1], START_MS, START_MS + 1)) == [(1, 0, 2.0)]
    again.close()


def test_size_and_space_are_told(store: Timed) -> None:
    status = store.status()
    assert status.kind == "victoriametrics"
    assert status.sealed_rows is not None
    assert status.free_bytes is not None
    assert status.free_bytes > 0


def test_the_path_of_a_cluster_takes_lines_and_answers_questions(own: VictoriaMetrics, tmp_path: Path) -> None:
    """A single node has the paths of vminsert and vmselect behind a prefix; the tenant's number is left out there."""
    nodes = Nodes(read_url=f"{own.url}/prometheus", metrics=(f"{own.url}/metrics",))
    address = Address(url=f"{own.url}/influx", timeout_s=2.0)
    store = OnServer(tmp_path, lambda catalogue: VictoriaEngine(address, nodes, catalogue, 0.0))
    store.write(one_block(1, ROWS))
    store.close()
    own.flush()
    again = OnServer(tmp_path, lambda catalogue: VictoriaEngine(address, nodes, catalogue, 0.0))
    assert rows_of(again.raw([1], START_MS, START_MS + HOUR_MS)) == ROWS
    assert again.status().sealed_rows is not None
    again.close()
