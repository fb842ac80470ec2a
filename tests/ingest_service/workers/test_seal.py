from pathlib import Path

import pytest

from edge_agent.wire.durations import DAY_MS
from ingest_service.config import Retention
from ingest_service.errors import StoreError
from ingest_service.store.embedded import EmbeddedStore
from ingest_service.store.embedded.archive import Archive
from ingest_service.workers.seal import HOT_MS, SealWorker
from tests.ingest_service.store.batches import HOUR_MS, START_MS, one_block


def test_hours_stay_hot_for_a_while_are_sealed_then_and_go_when_they_are_too_old(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path)
    worker = SealWorker(store, Retention(raw_days=1), lambda: 0)
    store.write(one_block(1, [(1, 0, 1.0), (1, HOUR_MS, 2.0)]))
    assert worker.step(START_MS + HOUR_MS + HOT_MS - 1) == 0
    assert worker.step(START_MS + HOUR_MS + HOT_MS) == 1
    assert worker.step(START_MS + 2 * HOUR_MS + HOT_MS) == 1
    assert worker.step(START_MS + HOUR_MS + DAY_MS) == 0
    assert len(store.raw([1], START_MS, START_MS + DAY_MS)) == 1
    store.close()


def test_what_is_too_old_goes_also_while_nothing_can_be_sealed(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path)
    worker = SealWorker(store, Retention(raw_days=1), lambda: 0)
    store.write(one_block(1, [(1, 0, 1.0), (1, HOUR_MS, 2.0)]))
    assert worker.step(START_MS + HOUR_MS + HOT_MS) == 1
    archive = Archive(tmp_path / "sealed")
    archive.unfinished(archive.next_version(START_MS // HOUR_MS + 1, None)).mkdir(parents=True)
    with pytest.raises(StoreError):
        worker.step(START_MS + HOUR_MS + DAY_MS)
    assert store.raw([1], START_MS, START_MS + DAY_MS).value.tolist() == [2.0]
    store.close()
