"""What the pages and lists that a country's supervisor opens cost, with every furnace of the country registered."""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import httpx

from ingest_service.config import Http
from tests.bench.machine import machine
from tests.support.browser import served
from tests.support.city import empty_city
from tests.support.country import settle

READS = 9
PATHS = {
    "overview": "/",
    "overview_page_2": "/?page=2",
    "overview_city": "/?city=市7",
    "overview_search": "/?q=殡仪馆 77",
    "furnaces": "/api/v1/furnaces",
    "furnaces_all": "/api/v1/furnaces?limit=10000",
    "homes": "/api/v1/homes",
    "alarms": "/alarms",
    "data": "/data",
    "energy": "/energy",
}


def main(argv: list[str]) -> None:
    """Print milliseconds and bytes; the last line is JSON."""
    parser = argparse.ArgumentParser(prog="overview")
    parser.add_argument("--homes", type=int, default=1500)
    parser.add_argument("--furnaces", type=int, default=5, help="of each home")
    args = parser.parse_args(argv)
    print(machine())
    with tempfile.TemporaryDirectory() as folder, empty_city(Path(folder) / "city", Http(port=0)) as city:
        furnaces = settle(city, args.homes, args.furnaces)
        with served(city) as address, httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
            figures = {name: read(client, path) for name, path in PATHS.items()}
    for name, (ms, size) in figures.items():
        print(f"{name}: {ms:.0f} ms of the processor, {size / 1000:.0f} kB")
    lines = {
        f"{name}_{what}": one for name, both in figures.items() for what, one in zip(("ms", "bytes"), both, strict=True)
    }
    print(json.dumps({"homes": args.homes, "furnaces": len(furnaces), **lines}))


def read(client: httpx.Client, path: str) -> tuple[float, int]:
    """The median time of the processor (client and service are one process), ms, and the size of the answer."""
    times = []
    for _ in range(READS):
        begun = time.process_time()
        answer = client.get(path)
        times.append((time.process_time() - begun) * 1000)
        answer.raise_for_status()
    return round(statistics.median(times[2:]), 1), len(answer.content)
