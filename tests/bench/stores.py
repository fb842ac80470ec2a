"""What a sample costs in each kind of store, and how long questions take; beside the client's own way of writing."""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write.point import Point
from influxdb_client.client.write_api import SYNCHRONOUS
from sqlalchemy import Engine, insert
from sqlalchemy.orm import Session

from edge_agent.wire.durations import HOUR_MS
from ingest_service.config import Storage, StoreKind
from ingest_service.store.batch import BlockRef, SampleBatch
from ingest_service.store.database import database_url, open_database
from ingest_service.store.opening import open_series_store
from ingest_service.store.setting_up import prepare_store
from ingest_service.store.tables import Edge, Furnace, Home, Series, Source
from ingest_service.store.timeseries import TimeSeriesStore
from tests.bench.machine import machine
from tests.support.influx import InfluxDB
from tests.support.victoria import VictoriaMetrics

TAGS = 40
START_MS = time.time_ns() // 10**6 // HOUR_MS * HOUR_MS - 2 * HOUR_MS


def main(argv: list[str]) -> None:
    """Write so many seconds of so many furnaces of 40 tags at 1 Hz to each store, then ask."""
    parser = argparse.ArgumentParser(prog="stores")
    parser.add_argument("--furnaces", type=int, default=25)
    parser.add_argument("--seconds", type=int, default=600)
    options = parser.parse_args(argv)
    print(machine())
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        for kind, storage in servers(Path(name)):
            found = measure(storage, options.furnaces, options.seconds)
            for figure, value in found.items():
                print(f"{kind:16} {figure:32} {value:>14,.3f}", flush=True)
            figures |= {f"{kind}_{figure}": value for figure, value in found.items()}
    print(json.dumps({"machine": machine(), **figures}))


def servers(folder: Path) -> Iterator[tuple[str, Storage]]:
    """Each kind of store, with its server while it is measured."""
    yield "embedded", Storage(folder=str(folder / "embedded"))
    influx = InfluxDB(folder / "influx")
    with running(influx.start, influx.kill):
        yield "influxdb", Storage(folder=str(folder / "i"), kind=StoreKind.INFLUXDB, url=influx.url)
    victoria = VictoriaMetrics(folder / "victoria")
    with running(victoria.start, victoria.kill):
        storage = Storage(folder=str(folder / "v"), kind=StoreKind.VICTORIAMETRICS, url=victoria.url)
        yield "victoriametrics", storage
        value = points_us(victoria.url)
        print(f"{'client, Point':16} {'write_us_per_sample':32} {value:>14,.3f}", flush=True)


@contextmanager
def running(start: Callable[[], None], kill: Callable[[], None]) -> Iterator[None]:
    start()
    try:
        yield
    finally:
        kill()


def measure(storage: Storage, furnaces: int, seconds: int) -> dict[str, float]:
    """Microseconds a sample (wall and own CPU), and milliseconds a question."""
    Path(storage.folder).mkdir(parents=True)
    database = open_database(database_url(Path(storage.folder), ""))
    populate(database, furnaces)
    list(prepare_store(storage, "bench"))
    store = open_series_store(storage, database, "bench", lambda: time.time_ns() // 10**6)
    began, cpu = time.perf_counter(), time.process_time()
    for second in range(0, seconds, 5):
        store.write(five_seconds(furnaces, second))
    samples = furnaces * TAGS * seconds
    wall_us, cpu_us = (time.perf_counter() - began) / samples * 1e6, (time.process_time() - cpu) / samples * 1e6
    found = {"write_us_per_sample": wall_us, "write_cpu_us_per_sample": cpu_us, **ask(store, furnaces)}
    store.close()
    database.dispose()
    return found


def ask(store: TimeSeriesStore, furnaces: int) -> dict[str, float]:
    """Median of five."""
    end_ms = START_MS + HOUR_MS
    questions: dict[str, Callable[[], object]] = {
        "one_tag_ms": lambda: store.raw([1], START_MS, end_ms),
        "one_furnace_ms": lambda: store.raw(range(1, TAGS + 1), START_MS, end_ms),
        "counts_of_one_furnace_ms": lambda: store.tally(range(1, TAGS + 1), START_MS, end_ms),
        "newest_of_all_ms": lambda: store.latest(),
    }
    return {name: median_ms(question) for name, question in questions.items()}


def median_ms(question: Callable[[], object]) -> float:
    taken = []
    for _ in range(5):
        began = time.perf_counter()
        question()
        taken.append((time.perf_counter() - began) * 1000)
    return float(np.median(taken))


def five_seconds(furnaces: int, second: int) -> SampleBatch:
    """As it comes in: one block a furnace and second, all tags at one time."""
    series = np.tile(np.arange(1, furnaces * TAGS + 1, dtype=np.int32), 5)
    of_second = np.repeat(np.arange(second, second + 5, dtype=np.int64), furnaces * TAGS)
    at_ms = START_MS + of_second * 1000 + series // TAGS % 1000
    value = np.round(np.sin(of_second / 60 + series) * 400 + 500, 2)
    blocks = tuple(
        BlockRef(
            1 + at % furnaces,
            1,
            1,
            second * furnaces + at + 1,
            at * TAGS,
            (at + 1) * TAGS,
            int(at_ms[at * TAGS]),
            int(at_ms[at * TAGS]),
        )
        for at in range(5 * furnaces)
    )
    return SampleBatch(series, at_ms, value, np.zeros(len(series), np.uint8), blocks)


def points_us(url: str) -> float:
    """The way of the client's own examples: a Point a reading."""
    points = [_point(at) for at in range(20_000)]
    began = time.perf_counter()
    with InfluxDBClient(url, token="-", org="-") as client, client.write_api(write_options=SYNCHRONOUS) as writing:
        writing.write("-", "-", points)
    return (time.perf_counter() - began) / len(points) * 1e6


def _point(at: int) -> Point:
    point = Point("naive").tag("series", str(at % 1000)).field("value", float(at))  # type: ignore[no-untyped-call]
    named: Point = point.time(START_MS + at, "ms")
    return named


def populate(database: Engine, furnaces: int) -> None:
    with Session(database) as session, session.begin():
        session.add(Home(id="east"))
        session.flush()
        session.add(Edge(id=1, home_id="east", name="gateway", first_seen_ms=0, last_seen_ms=0))
        session.add_all(Furnace(id=one, home_id="east", name=f"{one}") for one in range(1, furnaces + 1))
        session.flush()
        session.add_all(
            Source(id=one, edge_id=1, device=f"plc-{one}", furnace_id=one) for one in range(1, furnaces + 1)
        )
        session.flush()
        rows = [
            {"id": 1 + at, "source_id": 1 + at // TAGS, "channel": f"channel_{at % TAGS}"}
            for at in range(furnaces * TAGS)
        ]
        session.execute(insert(Series), rows)
