"""What one sample costs on its way from an MQTT payload to a durable row, stage by stage and as a whole."""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import duckdb
import numpy as np

from edge_agent.wire.birth import Birth, ChannelBirth, encode_birth
from edge_agent.wire.command import parse_payload
from edge_agent.wire.data import decode_data, encode_data
from edge_agent.wire.metric import DataType
from edge_agent.wire.sample import Sample
from ingest_service.anomaly.standing import StandingValues
from ingest_service.emissions.minute_tally import MinuteTally
from ingest_service.intake.arrivals import Arrival, ArrivalQueue
from ingest_service.intake.read_ahead import Packet
from ingest_service.store.batch import BlockRef, SampleBatch
from ingest_service.store.database import database_url, open_database
from ingest_service.store.embedded import EmbeddedStore
from ingest_service.store.gaps import GapLog
from ingest_service.store.live import LiveTable
from ingest_service.store.registry import Registry
from ingest_service.store.rejections import RejectionLog
from ingest_service.workers.ingest import Current, IngestWorker, Records
from tests.bench.machine import machine

NOW_MS = 1_764_000_000_000
TAGS = 40
BLOCK_ALIAS = 1
ALIASES = range(10, 10 + TAGS)
DATATYPES: dict[int, DataType] = dict.fromkeys(ALIASES, DataType.DOUBLE)


def main(argv: list[str]) -> None:
    """Measure with so many furnaces of 40 tags, for so many seconds of data."""
    parser = argparse.ArgumentParser(prog="ingest_path")
    parser.add_argument("--furnaces", type=int, default=2_000)
    parser.add_argument("--seconds", type=int, default=5)
    options = parser.parse_args(argv)
    print(machine())
    figures = {**write_figures(), **stage_figures(), **path_figures(options.furnaces, options.seconds)}
    for name, figure in figures.items():
        print(f"{name:32} {figure:>14,.2f}")
    print(json.dumps({"machine": machine(), **figures}))


def write_figures() -> dict[str, float]:
    """Rows a second into the store, beside those of a plain executemany in the same run."""
    small_ms = seconds_a_write(10_000, 40) * 1000
    large_ms = seconds_a_write(300_000, 8) * 1000
    return {
        "write_10k_ms": small_ms,
        "write_10k_rows_per_s": 10_000 / small_ms * 1000,
        "write_300k_ms": large_ms,
        "write_300k_rows_per_s": 300_000 / large_ms * 1000,
        "executemany_rows_per_s": executemany_rows_per_s(2_000),
    }


def seconds_a_write(rows: int, writes: int) -> float:
    """The median of so many writes of so many rows, 40 rows a block."""
    with tempfile.TemporaryDirectory() as folder:
        store = EmbeddedStore(Path(folder))
        batches = [batch_of(rows, number) for number in range(writes)]
        found = float(np.median([seconds_of(partial(store.write, batch)) for batch in batches]))
        store.close()
    return found


def batch_of(rows: int, number: int) -> SampleBatch:
    blocks = rows // TAGS
    at_ms = NOW_MS + number * 1000
    refs = tuple(
        BlockRef(1 + one, 1 + one, 77, 1 + number, one * TAGS, (one + 1) * TAGS, at_ms, at_ms) for one in range(blocks)
    )
    value = np.random.default_rng(number).normal(850, 20, rows).round(1)
    series = np.arange(rows, dtype=np.int32)
    return SampleBatch(series, np.full(rows, at_ms, np.int64), value, np.zeros(rows, np.uint8), refs)


def executemany_rows_per_s(rows: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        connection = duckdb.connect(f"{folder}/plain.duckdb")
        connection.execute("CREATE TABLE sample (series INTEGER, measured_at_ms BIGINT, value DOUBLE, reason UTINYINT)")
        values = [(row, NOW_MS, 850.0, 0) for row in range(rows)]
        taken_s = seconds_of(lambda: connection.executemany("INSERT INTO sample VALUES (?, ?, ?, ?)", values))
        connection.close()
    return rows / taken_s


def stage_figures() -> dict[str, float]:
    """Parsing and decoding alone, ns a sample."""
    payload = data_payload(1, 2)
    parsed = parse_payload(payload)
    known: dict[int | str, DataType] = dict.fromkeys(ALIASES, DataType.DOUBLE)
    parse_s = seconds_of(lambda: [parse_payload(payload) for _ in range(5_000)]) / 5_000
    decode_s = seconds_of(lambda: [decode_data(parsed, known, BLOCK_ALIAS) for _ in range(5_000)]) / 5_000
    return {"parse_ns_per_sample": parse_s / TAGS * 1e9, "decode_ns_per_sample": decode_s / TAGS * 1e9}


def path_figures(furnaces: int, seconds: int) -> dict[str, float]:
    """The whole of a step: understand, admit, write, show, acknowledge."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        engine = open_database(database_url(folder, ""))
        store, queue, said = EmbeddedStore(folder), ArrivalQueue(2**31), list[Packet]()
        records = Records(Registry(engine), store, RejectionLog(engine), GapLog(engine))
        current = Current(LiveTable(), MinuteTally(), StandingValues())
        worker = IngestWorker(queue, records, current, said.extend, lambda: NOW_MS + 1000)
        births_s = births(worker, queue, furnaces)
        taken_s, cpu_s = data(worker, queue, furnaces, seconds)
        counters = worker.counters()
        store.close()
        engine.dispose()
    samples = furnaces * seconds * TAGS
    assert counters.samples_stored == samples, f"{counters.samples_stored} of {samples} stored"
    return {
        "furnaces": furnaces,
        "births_per_s": furnaces / births_s,
        "samples": samples,
        "path_ns_per_sample": taken_s / samples * 1e9,
        "path_samples_per_s": samples / taken_s,
        "path_cpu_us_per_message": cpu_s / furnaces / seconds * 1e6,
    }


def births(worker: IngestWorker, queue: ArrivalQueue, furnaces: int) -> float:
    for number in range(furnaces):
        node = Birth(channels=(), bd_seq=0, epoch=77)
        queue.put(Arrival(f"spBv1.0/h{number}/NBIRTH/e", encode_birth(node, 0, NOW_MS), NOW_MS))
        queue.put(Arrival(f"spBv1.0/h{number}/DBIRTH/e/plc", device_birth(), NOW_MS))
    return seconds_of(lambda: drain(worker))


def data(worker: IngestWorker, queue: ArrivalQueue, furnaces: int, seconds: int) -> tuple[float, float]:
    for second in range(seconds):
        payload = data_payload(1 + second, 2 + second)
        for number in range(furnaces):
            queue.put(Arrival(f"spBv1.0/h{number}/DDATA/e/plc", payload, NOW_MS))
    cpu_s = time.process_time()
    return seconds_of(lambda: drain(worker)), time.process_time() - cpu_s


def drain(worker: IngestWorker) -> None:
    while worker.step(0):
        pass


def device_birth() -> bytes:
    channels = tuple(ChannelBirth(name=f"t{alias}", alias=alias, datatype=DataType.DOUBLE) for alias in ALIASES)
    return encode_birth(Birth(channels=channels, block_alias=BLOCK_ALIAS), 1, NOW_MS)


def data_payload(block: int, seq: int) -> bytes:
    samples = [Sample(alias, NOW_MS + block, 850.0 + alias / 7) for alias in ALIASES]
    return encode_data(
        samples, DATATYPES, seq=seq, sent_at_ms=NOW_MS, block=block, block_alias=BLOCK_ALIAS, historical=False
    )


def seconds_of(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
