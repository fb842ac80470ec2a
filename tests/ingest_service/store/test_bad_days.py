"""Bad days of the embedded store: its disk is full or read-only, a file is damaged, or of another version."""

import shutil
import struct
from functools import reduce
from pathlib import Path

import pytest

from ingest_service.errors import StoreError
from ingest_service.store.embedded import EmbeddedStore
from tests.ingest_service.store.batches import EPOCH, HOUR_MS, START_MS, Row, one_block, rows_of
from tests.support.small_disk import needs_root, small_disk

_HEADER = 4096  # of a DuckDB file: a checksum (8 bytes), the word DUCK, the version
_VERSION_AT = 12
_FACTOR = 0xBF58476D1CE4E5B9


def everything(store: EmbeddedStore, hours: int = 2) -> list[Row]:
    return rows_of(store.raw([1], START_MS, START_MS + hours * HOUR_MS))


def block_rows(block: int, rows: int = 2_000) -> list[Row]:
    return [(1, block * rows + at, block + at / rows) for at in range(rows)]


def checksum(content: bytes) -> int:
    """As DuckDB checks the parts of its files."""
    words = struct.unpack(f"<{len(content) // 8}Q", content)
    return reduce(lambda sum_so_far, word: sum_so_far ^ (word * _FACTOR % 2**64), words, 5381)


@needs_root
def test_a_full_disk_is_told_nothing_unsafe_is_held_and_it_goes_on_when_there_is_space(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 24) as disk:
        store = EmbeddedStore(disk.path / "series")
        store.write(one_block(1, block_rows(1)))
        disk.fill_up()
        refused: list[StoreError] = []
        last = 1
        while not refused:
            try:
                store.write(one_block(last + 1, block_rows(last + 1)))
                last += 1
            except StoreError as error:
                refused.append(error)
        assert "No space left on device" in str(refused[0])
        assert "\n" not in str(refused[0])
        with pytest.raises(StoreError):
            store.write(one_block(last + 1, block_rows(last + 1)))
        disk.free()
        assert store.held(1, EPOCH) == [(1, last)]
        assert store.write(one_block(last + 1, block_rows(last + 1))).stored == 2_000
        expected = [row for block in range(1, last + 2) for row in block_rows(block)]
        assert everything(store) == sorted(expected)
        store.close()


@needs_root
def test_a_disk_that_became_read_only_is_told_and_written_again_when_it_is_not(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 24) as disk:
        store = EmbeddedStore(disk.path / "series")
        store.write(one_block(1, [(1, 0, 1.0)]))
        store.close()
        disk.make("ro")
        with pytest.raises(StoreError, match=r"[Rr]ead-only file system") as caught:
            EmbeddedStore(disk.path / "series")
        assert "\n" not in str(caught.value)
        disk.make("rw")
        store = EmbeddedStore(disk.path / "series")
        assert store.write(one_block(2, [(1, 1, 2.0)])).stored == 1
        assert everything(store) == [(1, 0, 1.0), (1, 1, 2.0)]
        store.close()


def test_a_damaged_sealed_file_is_named_found_by_itself_and_forgotten_when_a_copy_is_put_back(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path)
    store.write(one_block(1, [(1, 0, 1.0), (1, HOUR_MS, 2.0)]))
    store.seal(START_MS + 2 * HOUR_MS)
    (file, _) = sorted(tmp_path.rglob("*.parquet"))
    copy = tmp_path / "copy"
    shutil.copy(file, copy)
    file.write_bytes(b"PAR1" + bytes(len(file.read_bytes()) - 8) + b"PAR1")
    with pytest.raises(StoreError, match=f"damaged {file}$"):
        everything(store)
    assert rows_of(store.raw([1], START_MS + HOUR_MS, START_MS + 2 * HOUR_MS)) == [(1, HOUR_MS, 2.0)]
    assert store.write(one_block(2, [(1, 2 * HOUR_MS, 3.0)])).stored == 1
    for _ in range(3):
        store.seal(START_MS)
    name = file.relative_to(tmp_path / "sealed")
    assert store.status().problem == f"sealed file {name}: its bytes are not those that were written (SHA-256 differs)"
    shutil.copy(copy, file)
    store.seal(START_MS)
    assert store.status().problem == ""
    assert everything(store) == [(1, 0, 1.0), (1, HOUR_MS, 2.0)]
    store.close()


def test_a_database_file_of_a_newer_duckdb_is_refused_with_one_clear_line(tmp_path: Path) -> None:
    EmbeddedStore(tmp_path).close()
    file = tmp_path / "samples.duckdb"
    raw = bytearray(file.read_bytes())
    struct.pack_into("<Q", raw, _VERSION_AT, 4_000)
    struct.pack_into("<Q", raw, 0, checksum(bytes(raw[8:_HEADER])))
    file.write_bytes(raw)
    with pytest.raises(StoreError, match=r"samples\.duckdb cannot be opened: .*version") as caught:
        EmbeddedStore(tmp_path)
    assert "\n" not in str(caught.value)
    assert bytes(raw) == file.read_bytes()
