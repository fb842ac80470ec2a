"""Bad days of a real InfluxDB: it is down, its database goes, a field has another type, a disk is full."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_service.__main__ import main
from ingest_service.errors import StoreError
from ingest_service.store.influx import InfluxEngine
from ingest_service.store.remote.connection import Address
from tests.ingest_service.store.batches import EPOCH, HOUR_MS, START_MS, Row, one_block, rows_of
from tests.ingest_service.store.stores import OnServer, influx_store, mark_of
from tests.support.influx import InfluxDB
from tests.support.small_disk import needs_root, small_disk

ROWS: list[Row] = [(1, 0, 1.0), (1, 1000, 2.0), (5, 0, 3.0)]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[InfluxDB]:
    """A server of the test's own, to be harmed."""
    server = InfluxDB(tmp_path / "own")
    server.start()
    yield server
    server.kill()


def everything(store: OnServer) -> list[Row]:
    return rows_of(store.raw([1, 5], START_MS, START_MS + HOUR_MS))


def test_a_store_whose_server_is_down_opens_says_so_and_works_when_it_is_there(own: InfluxDB, tmp_path: Path) -> None:
    first = influx_store(own, tmp_path / "store")
    first.write(one_block(1, ROWS))
    first.close()
    own.kill()
    address = Address(url=own.url, timeout_s=1.0)
    bucket = f"b{mark_of(tmp_path / 'store')}"
    store = OnServer(tmp_path / "store", lambda catalogue: InfluxEngine(address, bucket, catalogue))
    with pytest.raises(StoreError, match=rf"^{own.url}: cannot be reached$"):
        store.write(one_block(2, [(1, 2000, 3.0)]))
    for ask in (store.status, lambda: everything(store)):
        with pytest.raises(StoreError, match="cannot be reached"):
            ask()
    assert rows_of(store.latest([1])) == [(1, 1000, 2.0)]  # as it was noted when the store was closed
    own.start()
    assert store.write(one_block(2, [(1, 2000, 3.0)])).stored == 1
    assert everything(store) == [(1, 0, 1.0), (1, 1000, 2.0), (1, 2000, 3.0), (5, 0, 3.0)]
    store.close()


def test_what_was_acknowledged_survives_a_server_that_is_killed(own: InfluxDB, tmp_path: Path) -> None:
    store = influx_store(own, tmp_path / "store")
    for block in range(1, 31):
        store.write(one_block(block, [(1, block, float(block))]))
        if block % 10 == 0:
            own.kill()
            own.start()
    assert everything(store) == [(1, block, float(block)) for block in range(1, 31)]
    assert store.held(1, EPOCH) == [(1, 30)]
    store.close()


def test_a_database_that_was_dropped_is_named_and_comes_back(influx: InfluxDB, tmp_path: Path) -> None:
    store = influx_store(influx, tmp_path)
    database = f"b{mark_of(tmp_path)}"
    influx.question(f'DROP DATABASE "{database}"')
    with pytest.raises(StoreError, match=rf'404: database not found: \\?"{database}\\?".*store init'):
        store.write(one_block(1, ROWS))
    assert store.held(1, EPOCH) == []
    with pytest.raises(StoreError, match="database not found"):
        store.status()
    influx.question(f'CREATE DATABASE "{database}"')
    assert store.write(one_block(1, ROWS)).stored == 3
    store.close()


def test_a_field_that_somebody_else_made_a_text_is_put_aside_and_told(influx: InfluxDB, tmp_path: Path) -> None:
    store = influx_store(influx, tmp_path)
    influx.write(f"b{mark_of(tmp_path)}", f'sample,home=x channel_5="text" {START_MS}').raise_for_status()
    assert store.write(one_block(1, ROWS)).stored == 3
    assert everything(store) == [(1, 0, 1.0), (1, 1000, 2.0)]
    problem = store.status().problem
    assert problem.startswith("1 samples are refused by the store and wait beside it: ")
    assert "field type conflict" in problem
    influx.question('DROP MEASUREMENT "sample"', f"b{mark_of(tmp_path)}")
    store.seal(START_MS)
    assert store.status().problem == ""
    assert everything(store) == [(5, 0, 3.0)]
    store.close()


@needs_root
def test_a_full_disk_of_the_server_is_told_and_nothing_is_lost_when_there_is_space_again(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 24) as disk:
        server = InfluxDB(disk.path / "influx")
        server.start()
        store = influx_store(server, tmp_path / "store")
        store.write(one_block(1, ROWS))
        disk.fill_up()
        many: list[Row] = [(1, 2000 + at, float(at)) for at in range(5_000)]
        with pytest.raises(StoreError, match="no space left on device"):
            store.write(one_block(2, many))
        assert store.held(1, EPOCH) == [(1, 1)]
        disk.free()
        server.kill()  # an InfluxDB 1 whose log could not be written goes on refusing until it is started anew
        server.start()
        assert store.write(one_block(2, many)).stored == 5_000
        assert len(everything(store)) == 5_003
        store.close()
        server.kill()


def test_a_token_is_asked_for_told_when_it_is_wrong_and_enough_when_it_is_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """InfluxDB 1 with accounts takes `Token name:password`."""
    server = InfluxDB(tmp_path / "own", auth=True)
    server.start()
    server.question("CREATE USER clear WITH PASSWORD 'stack' WITH ALL PRIVILEGES").raise_for_status()
    config = tmp_path / "service.toml"
    config.write_text(f'[storage]\nkind = "influxdb"\nurl = "{server.url}"\ntoken_env = "INFLUX_TOKEN"\n')
    for token, code in (("clear:wrong", 1), ("clear:stack", 0)):
        monkeypatch.setenv("INFLUX_TOKEN", token)
        assert main(["store", "init", str(config)]) == code
    assert "401: the token is not accepted: " in capsys.readouterr().err
    server.kill()
