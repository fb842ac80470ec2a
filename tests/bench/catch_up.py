"""Many agents come back after an hour's outage: how soon is all at the centre, and how fresh do live values stay."""

import argparse
import asyncio
import json
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb
import httpx
import msgspec
import numpy as np
import psutil

from edge_agent.config import load_site
from edge_agent.outbox import OutboxFile
from edge_agent.simulator.faults import FaultyFurnace
from edge_agent.simulator.furnace import FurnaceModel
from edge_agent.simulator.history import Past, past_blocks, write_blocks
from edge_agent.simulator.schedule import Rhythm, Schedule
from edge_agent.tags import tag_devices
from tests.bench.machine import machine
from tests.support.broker import Mosquitto, free_port
from tests.support.plant import COUNTER, Service, Wiring, agent, furnaces, write_site
from tests.support.program import Program
from tests.support.waiting import wait_until

STEP_MS = 1_000  # read and packed as an agent does it: one block a device and second
SETTLE_S = 15.0
QUIET_S = 30.0
MOST_STREAMS = 8


class Backlog(msgspec.Struct, frozen=True):
    """What one outbox holds of the outage."""

    outbox: Path
    blocks: int
    samples: int
    to_ms: int


class Stage(msgspec.Struct):
    """Everything that runs."""

    broker: Mosquitto
    service: Service
    agents: list[Program]
    backlogs: list[Backlog]


class Freshness:
    """How old live values are when the page's stream tells them, s; in its own thread."""

    def __init__(self, service: Service, homes: Sequence[str]) -> None:
        self.ages: list[tuple[float, float]] = []
        self._service, self._homes = service, homes
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._listen()), name="freshness")

    def between(self, from_s: float, to_s: float) -> list[float]:
        """The ages told within these monotonic times."""
        return [age for at, age in self.ages if from_s <= at < to_s]

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Listen no more."""
        self._stop.set()
        self._thread.join()

    async def _listen(self) -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._follow(home)) for home in self._homes]
            await asyncio.to_thread(self._stop.wait)
            for task in tasks:
                task.cancel()

    async def _follow(self, home: str) -> None:
        """Each new value of one furnace's counter."""
        url = f"http://127.0.0.1:{self._service.port}/api/v1"
        newest_ms = 0
        async with httpx.AsyncClient(trust_env=False, timeout=60.0) as client:
            known = (await client.get(f"{url}/furnaces", params={"home": home})).json()
            async with client.stream("GET", f"{url}/stream", params={"furnace": known[0]["id"]}) as response:
                async for line in response.aiter_lines():
                    at_ms = _told_ms(line)
                    if at_ms > newest_ms:
                        newest_ms = at_ms
                        self.ages.append((time.monotonic(), time.time() - at_ms / 1000))


def main(argv: list[str]) -> None:
    """So many agents of one furnace each."""
    parser = argparse.ArgumentParser(prog="catch_up")
    parser.add_argument("--agents", type=int, default=50)
    parser.add_argument("--minutes", type=int, default=60, help="how long the outage was")
    options = parser.parse_args(argv)
    print(machine())
    with tempfile.TemporaryDirectory() as folder, stage(Path(folder), options.agents, options.minutes) as made:
        print(json.dumps(measure(made, [f"home-{number}" for number in range(1, options.agents + 1)])))


def measure(made: Stage, homes: Sequence[str]) -> dict[str, float | int | str]:
    """Let the centre come back, and watch."""
    blocks, samples = (sum(getattr(one, name) for one in made.backlogs) for name in ("blocks", "samples"))
    print(f"{len(homes)} agents wait with {blocks} blocks, {samples} samples of the outage")
    spent_s, begun_s = cpu_s(made.service), time.monotonic()
    made.broker.start()
    wait_until(lambda: len(made.service.http.get("/api/v1/furnaces").json()) == len(homes), 60)
    freshness = Freshness(made.service, homes[:: -(-len(homes) // MOST_STREAMS)])
    freshness.start()
    complete_s = watch(made.backlogs, begun_s)
    done_s = time.monotonic()
    spent_s = cpu_s(made.service) - spent_s
    wait_until(lambda: time.monotonic() > done_s + SETTLE_S + QUIET_S, SETTLE_S + QUIET_S + 5)
    freshness.stop()
    busy, quiet = freshness.between(begun_s, done_s), freshness.between(done_s + SETTLE_S, float("inf"))
    for name, ages in (("catching up", busy), ("afterwards", quiet)):
        shares = " ".join(f"p{share} {np.quantile(ages, share / 100):.2f}" for share in (50, 95, 99, 100))
        print(f"live values {name}: {shares} s (n {len(ages)})")
    for program in made.agents:
        program.kill()
    repeated = made.service.metric("clearstack_ingest_samples_repeated_total")
    made.service.program.stop()
    return {
        "machine": machine(),
        "agents": len(homes),
        "backlog_blocks": blocks,
        "backlog_samples": samples,
        "complete_s": round(complete_s, 1),
        "live_p50_s": round(float(np.quantile(busy, 0.5)), 2),
        "live_p95_s": round(float(np.quantile(busy, 0.95)), 2),
        "quiet_p95_s": round(float(np.quantile(quiet, 0.95)), 2),
        "service_cpu_s": round(spent_s, 1),
        "samples_repeated": int(repeated),
        "lost": samples - stored_until(made.service.data, max(one.to_ms for one in made.backlogs)),
    }


def watch(backlogs: Sequence[Backlog], begun_s: float) -> float:
    """Seconds until no outbox holds a block of the outage; says each ten seconds how many there are."""
    told_s = begun_s
    while left := sum(remaining(one) for one in backlogs):
        now_s = time.monotonic()
        if now_s - told_s >= 10:
            told_s = now_s
            print(f"{now_s - begun_s:6.0f} s  {left} blocks left", flush=True)
        time.sleep(0.5)
    return time.monotonic() - begun_s


def remaining(backlog: Backlog) -> int:
    """Blocks of the outage that the outbox still holds."""
    with closing(sqlite3.connect(f"file:{backlog.outbox}?mode=ro", uri=True, timeout=30)) as database:
        query = "SELECT count(*) FROM block WHERE number <= ?"
        left: int = database.execute(query, (backlog.blocks,)).fetchone()[0]
    return left


def stored_until(data: Path, to_ms: int) -> int:
    """Samples in the store that were measured before the agents ran."""
    with duckdb.connect(str(data / "series" / "samples.duckdb"), read_only=True) as database:
        files = [
            str(data / "series" / "sealed" / file)
            for (file,) in database.execute("SELECT file FROM sealed_hour").fetchall()
        ]
        counts = [database.execute("SELECT count(*) FROM sample WHERE measured_at_ms < ?", [to_ms]).fetchall()]
        if files:
            query = "SELECT count(*) FROM read_parquet(?) WHERE measured_at_ms < ?"
            counts.append(database.execute(query, [files, to_ms]).fetchall())
    return sum(int(count) for ((count,),) in counts)


@contextmanager
def stage(folder: Path, agents: int, minutes: int) -> Iterator[Stage]:
    """Furnaces, service and agents run; the broker is still away."""
    broker = Mosquitto(folder, free_port(), ["max_queued_messages 100000"])
    modbus = free_port()
    sites = [
        write_site(folder, f"home-{number}", Wiring(broker=broker.port, modbus=modbus), [number])
        for number in range(1, agents + 1)
    ]
    service, lit = Service(folder, broker.port), furnaces(folder, agents, modbus)
    programs = [agent(folder, site) for site in sites]
    try:
        with ProcessPoolExecutor() as workers:
            backlogs = list(workers.map(fill, sites, range(1, agents + 1), [minutes] * agents))
        lit.start()
        service.program.start()
        for program in programs:
            program.start()
        wait_until(service.alive, 60)
        wait_until(lambda: all(remaining_newer(one) for one in backlogs), 120)
        yield Stage(broker, service, programs, backlogs)
    finally:
        for program in (*programs, lit, service.program):
            program.kill()
        service.http.close()
        broker.kill()


def remaining_newer(backlog: Backlog) -> bool:
    """Whether the agent has begun to read."""
    with closing(sqlite3.connect(f"file:{backlog.outbox}?mode=ro", uri=True, timeout=30)) as database:
        newest: int = database.execute("SELECT max(number) FROM block").fetchone()[0]
    return newest > backlog.blocks


def fill(site_file: Path, furnace: int, minutes: int) -> Backlog:
    """Write the last minutes of one furnace into its outbox, as an agent would have done."""
    site = load_site(site_file)
    model = FurnaceModel(1, furnace, Schedule(Rhythm.ALWAYS_BURNING))
    pasts = [Past(FaultyFurnace(model, ()), tags, 1.0, STEP_MS) for tags in tag_devices(site)]
    to_ms = time.time_ns() // 1_000_000 // STEP_MS * STEP_MS
    from_ms = to_ms - minutes * 60_000
    with closing(OutboxFile.open(site.outbox, to_ms)) as file:
        blocks = [
            len(block.samples)
            for block in write_blocks(file, past_blocks(pasts, from_ms, to_ms, 1, block_ms=STEP_MS), to_ms)
        ]
    return Backlog(site.outbox.path, len(blocks), sum(blocks), to_ms)


def cpu_s(service: Service) -> float:
    """CPU seconds of the service so far."""
    times = psutil.Process(service.program.pid).cpu_times()
    return float(times.user + times.system)


def _told_ms(line: str) -> int:
    """When the counter that a line of the stream tells of was measured; 0 where it tells of none."""
    if not line.startswith("data:") or '"values"' not in line:
        return 0
    told = msgspec.json.decode(line.removeprefix("data:"))["values"]
    return max((one["shown"]["at_ms"] or 0 for one in told if one["shown"]["quantity"] == COUNTER), default=0)
