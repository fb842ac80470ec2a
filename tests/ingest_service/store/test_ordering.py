"""Hot samples that were put in order are the same samples, and lie together by series."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_service.store.embedded import EmbeddedStore, ordering
from ingest_service.store.embedded.database import Database
from tests.ingest_service.store.batches import HOUR_MS, START_MS, Row, one_block, rows_of

MINUTE_MS = 60_000
SLICE_S = ordering.SLICE_MS // 1000
SECONDS = 5 * SLICE_S // 2  # two slices that are over, and half of one that is not
STEP_S = SLICE_S // 6
SERIES = (1, 2, 3)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedStore]:
    """Every furnace's seconds as they come, and slices of which even the smallest is worth the work."""
    monkeypatch.setattr(ordering, "LEAST_ROWS", 1)
    store = EmbeddedStore(tmp_path)
    for second in range(0, SECONDS, STEP_S):
        store.write(one_block(second + 1, [(series, second * 1000, second + 0.5) for series in SERIES]))
    yield store
    store.close()


def everything(store: EmbeddedStore) -> list[Row]:
    return rows_of(store.raw(SERIES, START_MS, START_MS + HOUR_MS))


def as_they_lie(store: EmbeddedStore, folder: Path) -> list[tuple[int, int]]:
    """Series and second of every hot row, in the order of the file; the store is closed after that."""
    store.close()
    database = Database(folder / "samples.duckdb", 256)
    with database.transaction() as cursor:
        found = cursor.execute("SELECT series, measured_at_ms FROM sample ORDER BY rowid").fetchall()
    database.close()
    return [(series, (at_ms - START_MS) // 1000) for series, at_ms in found]


def test_slices_that_are_over_lie_in_order_and_the_running_one_as_it_came(store: EmbeddedStore, tmp_path: Path) -> None:
    before = everything(store)
    for _ in range(3):
        store.seal(START_MS)
    assert everything(store) == before
    lie = as_they_lie(store, tmp_path)
    running = [(series, second) for second in range(2 * SLICE_S, SECONDS, STEP_S) for series in SERIES]
    late, early = ([(series, at) for series in SERIES for at in range(a, a + SLICE_S, STEP_S)] for a in (SLICE_S, 0))
    assert lie == [*running, *late, *early]


def test_a_slice_is_put_in_order_once(store: EmbeddedStore, tmp_path: Path) -> None:
    for _ in range(3):
        store.seal(START_MS)
    store.write(one_block(9001, [(1, 5000, 1.0)]))
    store.seal(START_MS)
    assert as_they_lie(store, tmp_path)[-1] == (1, 5)


def test_of_two_values_at_one_time_the_first_stays_in_order_or_not(store: EmbeddedStore) -> None:
    before = everything(store)
    store.write(one_block(9001, [(2, SLICE_S * 1000, -1.0)]))
    store.seal(START_MS)
    assert everything(store) == before
    store.write(one_block(9002, [(2, (SLICE_S + STEP_S) * 1000, -1.0), (2, STEP_S * 1000, -1.0)]))
    for _ in range(3):
        store.seal(START_MS)
    assert everything(store) == before
    store.seal(START_MS + HOUR_MS)
    assert everything(store) == before
    assert store.status().hot_rows == 0


def test_few_rows_are_left_as_they_lie(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path)
    store.write(one_block(1, [(2, 0, 1.0), (1, 0, 1.0), (1, 20 * MINUTE_MS, 1.0)]))
    store.seal(START_MS)
    assert as_they_lie(store, tmp_path) == [(2, 0), (1, 0), (1, 1200)]


def test_the_clock_of_one_edge_that_runs_ahead_ends_no_slice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordering, "LEAST_ROWS", 1)
    store, now_ms = EmbeddedStore(tmp_path), time.time_ns() // 1_000_000
    second, ahead = (now_ms - START_MS) // 1000, 25 * 60
    store.write(one_block(1, [(2, second * 1000, 1.0), (1, second * 1000, 1.0), (3, (second + ahead) * 1000, 1.0)]))
    for _ in range(3):
        store.seal(now_ms)
    assert as_they_lie(store, tmp_path) == [(2, second), (1, second), (3, second + ahead)]
