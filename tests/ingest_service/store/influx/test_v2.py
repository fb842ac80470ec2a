"""The path of InfluxDB 2 and 3 (`/api/v2/write`) against a server of its own process that forgives nothing."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ingest_service.config import Retention
from ingest_service.errors import StoreError
from ingest_service.store.findings import State
from ingest_service.store.influx import InfluxEngine, setup
from ingest_service.store.influx.dialect import Version
from ingest_service.store.remote.connection import Address, Connection
from tests.ingest_service.store.batches import EPOCH, HOUR_MS, START_MS, Row, means, one_block
from tests.ingest_service.store.stores import OnServer
from tests.support.strict_influx import StrictInflux

BUCKET = "clearstack"
WANTED = setup.wanted_of(BUCKET, Retention(raw_days=1860, minute_days=0, hour_days=0))
ROWS: list[Row] = [(1, 0, 1.0), (5, 0, 5.0), (1, 1000, 2.0)]  # 1 and 5 are channels of one device


@pytest.fixture(scope="module")
def process() -> Iterator[StrictInflux]:
    server = StrictInflux()
    list(setup.prepare(Connection(address(server)), "city", WANTED))
    yield server
    server.kill()


@pytest.fixture
def server(process: StrictInflux) -> StrictInflux:
    process.tell(fault="", times=0, token="secret", conflict="", largest=10**9, lines=[], posts=0)
    return process


@pytest.fixture
def store(server: StrictInflux, tmp_path: Path) -> Iterator[OnServer]:
    opened = OnServer(tmp_path, lambda catalogue: InfluxEngine(address(server), BUCKET, catalogue))
    yield opened
    opened.close()


def address(server: StrictInflux, token: str = "secret") -> Address:
    return Address(url=server.url, token=token, org="city", timeout_s=1.0)


def fields(server: StrictInflux) -> list[tuple[str, str, int]]:
    """Measurement, fields and ms after the start of each line, in order of time."""
    found = []
    for line in server.lines():
        head, _, rest = line.replace("\\ ", "_").partition(" ")
        values, _, at_ms = rest.rpartition(" ")
        found.append((head.partition(",")[0], values, int(at_ms) - START_MS))
    return sorted(found, key=lambda one: (one[2], one[0]))


def test_init_makes_buckets_with_their_retention_and_mappings_and_check_sees_them(server: StrictInflux) -> None:
    connection = Connection(address(server))
    for _ in range(2):
        assert list(setup.prepare(connection, "city", WANTED)) == [
            "bucket clearstack: kept 1860 days",
            "bucket clearstack_minute: kept for ever",
            "bucket clearstack_hour: kept for ever",
        ]
    assert {one.state for one in setup.examine(connection, "city", WANTED)} == {State.RIGHT}
    longer = setup.wanted_of(BUCKET, Retention(raw_days=4000))
    assert [one.text for one in setup.examine(connection, "city", longer) if one.state is State.WRONG] == [
        "is kept for 1860 days, 4000 days wanted; run `ingest-service store init`"
    ]
    with pytest.raises(StoreError, match="organisation 'town' is not there"):
        list(setup.prepare(connection, "town", WANTED))


def test_what_a_device_read_at_once_is_one_line(server: StrictInflux, store: OnServer) -> None:
    store.write(one_block(1, ROWS))
    assert fields(server) == [("sample", "channel_1=1.0,channel_5=5.0", 0), ("sample", "channel_1=2.0", 1000)]
    assert all(",furnace=1号炉 " in line and ",edge=edge\\ '1'," in line for line in server.lines())


def test_means_go_to_buckets_of_their_own(server: StrictInflux, store: OnServer) -> None:
    store.write_means(means([(1, 0, 2.0)]), means([(1, 0, 3.0)]), store.dirty_minutes(0, 1))
    parts = ("covered", "high", "low", "mean")
    assert [name for name, _, _ in fields(server)] == [
        f"{period}_{part}" for period in ("hour", "minute") for part in parts
    ]


@pytest.mark.parametrize("fault", ["429 0.05", "503 0.05", "429", "reset"])
def test_a_server_that_asks_for_patience_gets_it_and_nothing_is_lost(
    server: StrictInflux, store: OnServer, fault: str
) -> None:
    server.tell(fault=fault, times=1)
    assert store.write(one_block(1, ROWS)).stored == 3
    assert len(server.lines()) == 2
    assert store.held(1, EPOCH) == [(1, 1)]


@pytest.mark.parametrize(
    ("fault", "times", "said"),
    [
        ("503 600", 1, "503: be patient"),
        ("500", 1, "no space left on device"),
        ("hang", 1, "does not answer in time"),
        ("reset", 2, "the connection broke"),
    ],
)
def test_what_cannot_be_written_now_is_not_held_and_the_next_write_succeeds(
    server: StrictInflux, store: OnServer, fault: str, times: int, said: str
) -> None:
    server.tell(fault=fault, times=times)
    started = time.monotonic()
    with pytest.raises(StoreError, match=said) as caught:
        store.write(one_block(1, ROWS))
    assert "\n" not in str(caught.value)
    assert time.monotonic() - started < 60, "it does not wait as long as the server asks for"
    assert store.held(1, EPOCH) == []
    assert store.write(one_block(1, ROWS)).stored == 3
    assert len(server.lines()) == 2


def test_a_token_that_was_revoked_is_told_and_works_again_when_it_is_given_back(
    server: StrictInflux, store: OnServer
) -> None:
    server.tell(token="another")
    with pytest.raises(StoreError, match="401: the token is not accepted: unauthorized access"):
        store.write(one_block(1, ROWS))
    assert store.held(1, EPOCH) == []
    server.tell(token="secret")
    assert store.write(one_block(1, ROWS)).stored == 3


def test_a_bucket_that_was_deleted_is_named_with_what_to_do(server: StrictInflux, store: OnServer) -> None:
    server.tell(buckets={})
    with pytest.raises(StoreError, match=r'404: bucket "clearstack" not found \(`ingest-service store init` makes'):
        store.write(one_block(1, ROWS))
    list(setup.prepare(Connection(address(server)), "city", WANTED))
    assert store.write(one_block(1, ROWS)).stored == 3


def test_a_body_that_is_too_large_is_sent_in_parts(server: StrictInflux, store: OnServer) -> None:
    server.tell(largest=20_000)
    many: list[Row] = [(1, at, float(at)) for at in range(2_000)]
    assert store.write(one_block(1, many)).stored == 2_000
    assert len(server.lines()) == 2_000


def test_a_field_of_another_type_is_put_aside_the_rest_of_the_batch_is_written(
    server: StrictInflux, store: OnServer
) -> None:
    server.tell(conflict="channel_5")
    many: list[Row] = [(series, at * 1000, float(at)) for at in range(40) for series in (1, 5)]
    assert store.write(one_block(1, many)).stored == 80
    assert len(set(server.lines())) == 40
    assert store.held(1, EPOCH) == [(1, 1)]
    assert "422: partial write: field type conflict" in store.refused()
    assert store.waiting() == 40


def test_samples_that_were_put_aside_are_taken_when_the_cause_has_gone(server: StrictInflux, store: OnServer) -> None:
    server.tell(conflict="channel_5")
    store.write(one_block(1, ROWS))
    posts = server.posts()
    store.write(one_block(2, [(5, 2000, 6.0)]))
    assert server.posts() == posts  # a refused series rests, so that a large batch is not taken apart each time
    store.write_means(means([]), means([]), store.dirty_minutes(START_MS + HOUR_MS, 99))
    store.seal(START_MS)
    assert store.waiting() == 2
    server.tell(conflict="")
    store.seal(START_MS)
    assert store.waiting() == 0
    assert ("sample", "channel_5=5.0", 0) in fields(server)
    marks = store.dirty_minutes(START_MS + HOUR_MS, 99)
    assert (marks.source.tolist(), (marks.minute - START_MS // 60_000).tolist()) == ([2, 2], [0, 1])


def test_a_request_that_is_wrong_itself_puts_nothing_aside(server: StrictInflux, tmp_path: Path) -> None:
    elsewhere = Address(url=f"{server.url}/wrong", token="secret", org="city", timeout_s=1.0)
    store = OnServer(tmp_path, lambda catalogue: InfluxEngine(elsewhere, BUCKET, catalogue))
    with pytest.raises(StoreError, match="404"):
        store.write(one_block(1, ROWS))
    assert store.waiting() == 0
    store.close()


@pytest.mark.parametrize(
    ("header", "version"),
    [
        ("1.6.7~rc0", Version.V1),
        ("v2.7.12", Version.V2),
        ("2.0.9", Version.V2),
        ("3.0.1", Version.V3),
        ("", Version.V3),
    ],
)
def test_versions_are_told_by_what_ping_says(header: str, version: Version) -> None:
    assert Version.of(header) is version


def test_a_server_of_version_3_takes_the_same_lines(tmp_path: Path) -> None:
    server = StrictInflux("3.2.0")
    server.tell(buckets={BUCKET: {"name": BUCKET, "id": "1"}})
    store = OnServer(tmp_path, lambda catalogue: InfluxEngine(address(server), BUCKET, catalogue))
    assert store.write(one_block(1, ROWS)).stored == 3
    assert len(server.lines()) == 2
    (told, *_) = (
        one for one in setup.examine(Connection(address(server)), "city", WANTED) if one.state is State.UNKNOWN
    )
    assert "does not tell" in told.text
    store.close()
    server.kill()


def test_no_value_is_ever_written_as_nan(server: StrictInflux, store: OnServer) -> None:
    batch = one_block(1, [(1, 0, float("nan")), (1, 1, float("inf"))])
    batch.reason[:] = np.array([36, 38], np.uint8)
    store.write(batch)
    assert fields(server) == [("quality", "channel_1=36.0", 0), ("quality", "channel_1=38.0", 1)]
