"""How long the completeness of a furnace takes: 24 hours by 37 tags, over HTTP, beside six other furnaces' data."""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import httpx
import numpy as np

from ingest_service.config import Http
from ingest_service.store.batch import DirtyMinutes, MeanBatch, SampleBatch
from tests.bench.machine import machine
from tests.support.browser import served
from tests.support.city import HOUR_MS, NOW_MS, City, small_city

HOURS, A_SECOND, TRIES = 24, 14, 30  # a burning furnace reports about 14 of its 37 values each second
PATH = "/homes/beishan/furnaces/furnace-1/completeness"


def main(argv: list[str]) -> None:
    """Print the distribution; the last line is JSON."""
    argparse.ArgumentParser(prog="completeness").parse_args(argv)
    print(machine())
    with tempfile.TemporaryDirectory() as folder, small_city(Path(folder), Http(port=0)) as city:
        rows = fill(city)
        with served(city) as address, httpx.Client(base_url=address, timeout=30, trust_env=False) as client:
            span = {"from": NOW_MS - HOURS * HOUR_MS, "to": NOW_MS}
            api_ms = times(client, f"/api/v1{PATH}", span)
            page_ms = times(client, PATH, {})
            raw_ms = times(client, f"/api/v1/series/{city.furnaces[0].series['co']}/raw", span)
    for name, found in (("api", api_ms), ("page", page_ms), ("raw samples of one tag, to compare", raw_ms)):
        print(f"{name}: first {found[0]:.0f} ms, median {statistics.median(found):.0f} ms, worst {max(found):.0f} ms")
    figures = {
        "rows": rows,
        "first_ms": round(api_ms[0], 1),
        "api_p50_ms": round(statistics.median(api_ms), 1),
        "api_worst_ms": round(max(api_ms), 1),
        "page_p50_ms": round(statistics.median(page_ms), 1),
    }
    print(json.dumps(figures))


def fill(city: City) -> int:
    """A day of samples and hour means of every furnace; all hours but the last are sealed. Returns the samples."""
    last_ms, rng, rows = NOW_MS // HOUR_MS * HOUR_MS, np.random.default_rng(1), 0
    for hour_ms in range(last_ms - (HOURS - 1) * HOUR_MS, last_ms + 1, HOUR_MS):
        for furnace in city.furnaces:
            ids = np.array(sorted(furnace.series.values()), np.int32)
            at_ms = hour_ms + np.repeat(np.arange(3600) * 1000, A_SECOND)
            at_ms = at_ms[at_ms < NOW_MS]
            series = rng.choice(ids, len(at_ms))
            reason = np.where(rng.random(len(at_ms)) < 2e-5, np.uint8(37), np.uint8(0))
            city.store.write(SampleBatch(series, at_ms, np.where(reason, np.nan, 40.0), reason))
            rows += len(at_ms)
            add_means(city, ids, hour_ms)
        city.store.seal(hour_ms)
    return rows


def add_means(city: City, ids: np.ndarray[tuple[int, ...], np.dtype[np.int32]], hour_ms: int) -> None:
    value, starts = np.full(len(ids), 40.0), np.full(len(ids), hour_ms, np.int64)
    means = MeanBatch(ids, starts, value, value, value, np.full(len(ids), 0.97, np.float32))
    nothing = DirtyMinutes(np.empty(0, np.int32), np.empty(0, np.int64))
    city.store.write_means(means, means, nothing)


def times(client: httpx.Client, path: str, params: dict[str, int]) -> list[float]:
    """How long the answers took, ms."""
    found = []
    for _ in range(TRIES):
        begun = time.perf_counter()
        client.get(path, params=params).raise_for_status()
        found.append((time.perf_counter() - begun) * 1000)
    return found
