import hashlib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pytest

from ingest_service.errors import StoreError
from ingest_service.store.batch import SampleBatch
from ingest_service.store.embedded import EmbeddedStore
from ingest_service.store.embedded.database import Database
from ingest_service.store.embedded.tables import load_held
from tests.ingest_service.store.batches import HOUR_MS, START_MS, Row, one_block, rows_of

ROWS: list[Row] = [(1, 0, 1.0), (1, 1000, 2.0), (2, 0, 3.0)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    store = EmbeddedStore(tmp_path)
    yield store
    store.close()


def everything(store: EmbeddedStore) -> list[Row]:
    return rows_of(store.raw([1, 2], START_MS, START_MS + 9 * HOUR_MS))


def sealed_files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder / "sealed").as_posix() for path in folder.rglob("*.parquet"))


def test_a_sealed_hour_is_a_parquet_file_that_anyone_can_read_and_check(store: EmbeddedStore, tmp_path: Path) -> None:
    store.write(one_block(1, [ROWS[2], ROWS[1], ROWS[0]]))
    store.seal(START_MS + HOUR_MS)
    assert sealed_files(tmp_path) == ["2025/11/24/16.parquet"]
    path = tmp_path / "sealed/2025/11/24/16.parquet"
    other = duckdb.connect()
    found = other.execute("SELECT series, measured_at_ms, value FROM read_parquet(?)", [str(path)]).fetchall()
    assert found == [(series, START_MS + after_ms, value) for series, after_ms, value in ROWS]
    store.close()
    listed = duckdb.connect(str(tmp_path / "samples.duckdb")).execute("SELECT file, rows, sha256 FROM sealed_hour")
    assert listed.fetchall() == [("2025/11/24/16.parquet", 3, hashlib.sha256(path.read_bytes()).hexdigest())]


def test_only_whole_hours_that_ended_are_sealed(store: EmbeddedStore) -> None:
    store.write(one_block(1, [(1, 0, 1.0), (1, HOUR_MS - 1, 2.0), (1, HOUR_MS, 3.0), (1, 2 * HOUR_MS, 4.0)]))
    assert store.seal(START_MS + 2 * HOUR_MS - 1) == 1
    status = store.status()
    assert (status.hot_rows, status.sealed_rows) == (2, 2)
    assert (status.oldest_ms, status.newest_ms) == (START_MS, START_MS + 2 * HOUR_MS)
    assert everything(store) == [(1, 0, 1.0), (1, HOUR_MS - 1, 2.0), (1, HOUR_MS, 3.0), (1, 2 * HOUR_MS, 4.0)]
    assert store.seal(START_MS + 2 * HOUR_MS - 1) == 0


def test_late_data_of_a_sealed_hour_is_sealed_with_it(store: EmbeddedStore) -> None:
    store.write(one_block(1, [(1, 0, 1.0), (1, 2000, 3.0)]))
    store.seal(START_MS + HOUR_MS)
    store.write(one_block(2, [(1, 1000, 2.0), (1, 2000, 3.0)]))
    assert store.seal(START_MS + HOUR_MS) == 1
    assert store.status().sealed_rows == 3


def test_of_two_values_at_one_time_the_first_stored_stays(store: EmbeddedStore) -> None:
    store.write(one_block(1, [(1, 0, 1.0)]))
    store.write(one_block(2, [(1, 0, 2.0)]))
    assert everything(store) == [(1, 0, 1.0)]
    store.seal(START_MS + HOUR_MS)
    assert everything(store) == [(1, 0, 1.0)]


def test_the_largest_numbers_come_back_to_the_last_bit(store: EmbeddedStore) -> None:
    store.write(one_block(1, [(1, 0, 1e300), (1, 1, 0.1 + 0.2), (1, 2, 5e-324)]))
    store.seal(START_MS + HOUR_MS)
    assert everything(store) == [(1, 0, 1e300), (1, 1, 0.1 + 0.2), (1, 2, 5e-324)]


def test_a_sealed_hour_that_is_sealed_again_leaves_one_file(store: EmbeddedStore, tmp_path: Path) -> None:
    store.write(one_block(1, ROWS))
    store.seal(START_MS + HOUR_MS)
    store.write(one_block(2, [(2, 500, 4.0)]))
    store.seal(START_MS + HOUR_MS)
    store.seal(START_MS + HOUR_MS)
    assert sealed_files(tmp_path) == ["2025/11/24/16-2.parquet"]
    assert everything(store) == sorted([*ROWS, (2, 500, 4.0)])


def test_a_crash_between_naming_a_file_and_committing_it_neither_loses_nor_doubles(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path)
    store.write(one_block(1, ROWS))
    store.close()
    before = (tmp_path / "samples.duckdb").read_bytes()
    store = EmbeddedStore(tmp_path)
    store.seal(START_MS + HOUR_MS)
    store.close()
    (tmp_path / "samples.duckdb").write_bytes(before)
    store = EmbeddedStore(tmp_path)
    assert everything(store) == ROWS
    store.seal(START_MS + HOUR_MS)
    assert everything(store) == ROWS
    assert (store.status().hot_rows, store.status().sealed_rows) == (0, 3)
    store.close()


def test_a_lost_database_finds_its_archive_again(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path)
    store.write(one_block(1, ROWS))
    store.seal(START_MS + HOUR_MS)
    store.close()
    (tmp_path / "samples.duckdb").unlink()
    store = EmbeddedStore(tmp_path)
    assert everything(store) == ROWS
    assert rows_of(store.latest()) == [(1, 1000, 2.0), (2, 0, 3.0)]
    store.close()


def test_torn_files_are_deleted_or_set_aside_at_start(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path)
    store.write(one_block(1, ROWS))
    store.seal(START_MS + HOUR_MS)
    store.close()
    day = tmp_path / "sealed/2025/11/24"
    (day / "17.parquet.unfinished").write_bytes(b"PAR1 torn")
    (day / "16-2.parquet").write_bytes(b"PAR1 torn")
    store = EmbeddedStore(tmp_path)
    assert everything(store) == ROWS
    assert sorted(path.name for path in day.iterdir()) == ["16-2.unreadable", "16.parquet"]
    store.close()


def test_a_missing_sealed_file_is_named_and_new_samples_are_still_taken(store: EmbeddedStore, tmp_path: Path) -> None:
    store.write(one_block(1, ROWS))
    store.seal(START_MS + HOUR_MS)
    (tmp_path / "sealed/2025/11/24/16.parquet").unlink()
    with pytest.raises(StoreError, match=r"missing .*2025/11/24/16\.parquet"):
        everything(store)
    assert store.write(one_block(2, [(1, 2 * HOUR_MS, 1.0)])).stored == 1
    assert len(store.raw([1], START_MS + HOUR_MS, START_MS + 3 * HOUR_MS)) == 1


def test_a_file_that_is_no_database_is_refused_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "samples.duckdb").write_bytes(b"x" * 8192)
    with pytest.raises(StoreError, match=r"samples\.duckdb cannot be opened") as caught:
        EmbeddedStore(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_store_of_another_format_is_refused_with_one_line(tmp_path: Path) -> None:
    EmbeddedStore(tmp_path).close()
    connection = duckdb.connect(str(tmp_path / "samples.duckdb"))
    connection.execute("UPDATE format SET version = 99")
    connection.close()
    with pytest.raises(StoreError, match="has format 99, this version knows 1"):
        EmbeddedStore(tmp_path)


def test_a_folder_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"^store .*file/store: "):
        EmbeddedStore(tmp_path / "file" / "store")


def test_a_failed_write_leaves_nothing_and_the_next_one_opens_the_store_anew(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path)
    store.write(one_block(1, ROWS))
    too_large = one_block(2, [(1, 5000, 5.0)], edge_id=2**40)
    with pytest.raises(StoreError):
        store.write(too_large)
    assert everything(store) == ROWS
    assert store.write(one_block(2, [(1, 5000, 5.0)])).stored == 1
    store.close()


def test_held_blocks_are_joined_on_disk_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest_service.store.embedded.store._FRAGMENTS", 8)
    store = EmbeddedStore(tmp_path)
    for block in range(1, 31):
        store.write(one_block(block, [(1, block, 1.0)]))
    store.close()
    database = Database(tmp_path / "samples.duckdb", 256)
    with database.transaction() as cursor:
        ranges = load_held(cursor)
    database.close()
    assert len(ranges) < 12
    store = EmbeddedStore(tmp_path)
    assert store.write(one_block(30, ROWS)).repeated == 3
    assert store.write(one_block(1, ROWS)).repeated == 3
    store.close()


def test_a_folder_name_with_a_quote_is_no_trouble(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "o'hara %d")
    store.write(one_block(1, ROWS))
    store.seal(START_MS + HOUR_MS)
    assert everything(store) == ROWS
    store.close()


@pytest.mark.parametrize("repeated", [0, 122_879, 122_880, 399_999], ids="row {}".format)
def test_a_sample_that_came_twice_is_found_among_many_and_the_first_stays(tmp_path: Path, repeated: int) -> None:
    series, at_ms = np.divmod(np.arange(400_000), 100)
    scattered = np.random.default_rng(repeated).permutation(400_000)
    store = EmbeddedStore(tmp_path)
    for rows, add in ((scattered, 0.5), (np.array([repeated]), -1.0)):
        value = rows.astype(np.float64) + add
        store.write(
            SampleBatch(series[rows].astype(np.int32), START_MS + at_ms[rows], value, np.zeros(len(rows), np.uint8))
        )
    assert store.seal(START_MS + HOUR_MS) == 1
    assert store.status().sealed_rows == 400_000
    moment_ms = START_MS + int(at_ms[repeated])
    (value,) = store.raw([int(series[repeated])], moment_ms, moment_ms + 1).value
    assert value == repeated + 0.5
    store.close()
