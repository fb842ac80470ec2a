"""A whole country on one machine: N furnaces x 40 tags at 1 Hz through a real broker into the real service.

What runs: load processes (a connection for every edge of four furnaces), mosquitto, and the service with everything on.
`lost` counts samples that were sent and are not in the store in the end.
"""

import argparse
import contextlib
import json
import tempfile
from pathlib import Path

import msgspec

from tests.bench.fleet_load.furnace import FURNACES_AN_EDGE
from tests.bench.fleet_load.plant import LoadPlan, ServiceProcess, broker_settings, loads
from tests.bench.fleet_load.reading import reading_figures
from tests.bench.fleet_load.stored import Stored, stored
from tests.bench.fleet_load.watching import TAGS, Run
from tests.bench.machine import machine
from tests.support.broker import start_mosquitto


class Options(msgspec.Struct, frozen=True):
    """How large and how long; `folder` is where the service keeps its data ("": one that goes afterwards).

    `results` is a file to which the line of JSON is appended.
    """

    furnaces: int
    minutes: float
    loads: int
    seed: int
    every: float
    folder: str
    results: str


def main(argv: list[str]) -> None:
    """Measure a fleet."""
    parser = argparse.ArgumentParser(prog="fleet")
    parser.add_argument("--furnaces", type=int, default=750)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--loads", type=int, default=1, help="processes that make the load")
    parser.add_argument("--every", type=float, default=1.0, help="seconds from scan to scan")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", default="", help="keep the service's data there")
    parser.add_argument("--results", default="", help="append the line of JSON to that file")
    options = Options(**vars(parser.parse_args(argv)))
    print(machine(), flush=True)
    with contextlib.ExitStack() as stack:
        folder = Path(options.folder or stack.enter_context(tempfile.TemporaryDirectory())).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        figures = measure(options, folder)
    for name, figure in figures.items():
        print(f"{name:32} {figure!s:>14}")
    line = json.dumps({"machine": machine(), **figures})
    print(line)
    if options.results:
        with Path(options.results).open("a", encoding="utf-8") as results:
            results.write(line + "\n")


def measure(options: Options, folder: Path) -> dict[str, object]:
    """One run from the first birth to the count of what was stored."""
    edges = -(-options.furnaces // FURNACES_AN_EDGE)
    plan = LoadPlan(options.every, options.seed)
    with start_mosquitto(folder, broker_settings()) as broker:
        service = ServiceProcess(folder, broker.port)
        try:
            with loads(broker.port, edges, plan, options.loads) as running:
                run = Run(service, running, edges)
                figures = run.watch(options.minutes * 60)
                run.finish()
                sent = sum(load.progress.blocks_sent for load in running)
        finally:
            service.stop()
    return {**figures, **verdict(stored(folder / "data"), sent), **reading_figures()}


def verdict(found: Stored, blocks: int) -> dict[str, object]:
    """What became of the blocks that were sent."""
    return {
        "samples_sent": blocks * TAGS,
        "samples_stored": found.samples,
        "lost": max(blocks * TAGS - found.samples, (blocks - found.distinct_counters) * TAGS),
        "repeated": found.counters - found.distinct_counters,
        "hot_bytes_per_value": round(found.bytes / max(1, found.samples), 2),
    }
