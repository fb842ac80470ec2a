"""One agent, many devices: its CPU and memory, beside a plain read of the same registers."""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import psutil

from edge_agent.vitals import AgentStatus
from tests.bench._host import Arrived
from tests.bench._plain import PlainCost
from tests.bench.machine import machine
from tests.support.broker import start_mosquitto
from tests.support.waiting import wait_until

CPU_TARGET, RSS_TARGET_MB = 0.15, 80.0
PROFILE = """
[profile]
id = "waves"
name_zh = "波"
name_en = "Waves"
origin = "example"
source = "made for a benchmark"
"""
CHANNEL = """
[[channel]]
name = "tag{number}"
type = "float32"
address = {address}
scan_s = {scan_s}
"""
HEAD = """
[site]
home = "bench"
edge = "edge"
[broker]
host = "127.0.0.1"
port = {broker}
[clock]
synchronisation = "unwatched"
"""
DEVICE = """
[[connection]]
name = "line{unit}"
host = "127.0.0.1"
port = {port}
[[device]]
name = "device{unit}"
furnace = "{unit}"
connection = "line{unit}"
unit_id = {unit}
profile = "waves.toml"
"""


class Cost(msgspec.Struct, frozen=True):
    """What the agent took while it was measured; `cpu_cores` is CPU time over wall time."""

    cpu_cores: float
    rss_mb: float
    samples: int
    seconds: float


def main(argv: list[str]) -> None:
    """Measure and print; the last line is one JSON object."""
    parser = argparse.ArgumentParser(prog="edge")
    parser.add_argument("--devices", type=int, default=64)
    parser.add_argument("--tags", type=int, default=40)
    parser.add_argument("--scan-s", type=float, default=1.0)
    parser.add_argument("--seconds", type=int, default=30, help="how long the agent is measured")
    parser.add_argument("--warm-up", type=int, default=15)
    options = parser.parse_args(argv)
    print(machine())
    with tempfile.TemporaryDirectory(prefix="bench-edge-") as folder:
        result = measure(Path(folder), options)
    print(json.dumps(result))


def measure(folder: Path, options: argparse.Namespace) -> dict[str, float | int | bool]:
    shape = (str(options.devices), str(options.tags))
    with (
        start_mosquitto(folder, ["max_queued_messages 0", "log_type none"]) as broker,
        child("tests.bench._devices", *shape) as (_, port),
        child("tests.bench._host", str(broker.port)) as (centre, _),
    ):
        site = write_site(folder, int(port), broker.port, options)
        cost = run_agent(site, options)
        plain = plain_cost(port, options)
        centre.send_signal(signal.SIGTERM)
        assert centre.stdout
        arrived = msgspec.json.decode(centre.stdout.read(), type=Arrived)
    return told(options, cost, plain, arrived)


def told(options: argparse.Namespace, cost: Cost, plain: PlainCost, arrived: Arrived) -> dict[str, float | int | bool]:
    """Print the figures for people and return them."""
    tags = options.devices * options.tags
    us_per_tag = cost.cpu_cores * cost.seconds * 1e6 / cost.samples
    print(f"{options.devices} devices x {options.tags} tags each {options.scan_s:g} s, {tags} tags in one agent")
    print(
        f"agent         {cost.cpu_cores:.3f} cores (target {CPU_TARGET}), {cost.rss_mb:.1f} MB (target {RSS_TARGET_MB})"
    )
    print(f"              {us_per_tag:.1f} us a tag: read, decoded, filtered, on disk, published, acknowledged")
    print(f"pymodbus      {plain.read_us:.1f} us a tag read, {plain.read_and_convert_us:.1f} us with its conversion")
    print(f"centre        {arrived.samples} samples, {arrived.missing} blocks missing, {arrived.repeated} repeated")
    return {
        "devices": options.devices,
        "tags": tags,
        "cpu_cores": round(cost.cpu_cores, 4),
        "rss_mb": round(cost.rss_mb, 1),
        "us_per_tag": round(us_per_tag, 2),
        "plain_read_us_per_tag": plain.read_us,
        "plain_read_and_convert_us_per_tag": plain.read_and_convert_us,
        "samples_per_s": round(cost.samples / cost.seconds, 1),
        "blocks_missing": arrived.missing,
        "cpu_within_target": cost.cpu_cores <= CPU_TARGET,
        "rss_within_target": cost.rss_mb <= RSS_TARGET_MB,
    }


def write_site(folder: Path, port: int, broker: int, options: argparse.Namespace) -> Path:
    channels = (
        CHANNEL.format(number=number, address=2 * number, scan_s=options.scan_s) for number in range(options.tags)
    )
    (folder / "waves.toml").write_text(PROFILE + "".join(channels), encoding="utf-8")
    devices = "".join(DEVICE.format(unit=unit, port=port) for unit in range(1, options.devices + 1))
    path = folder / "site.toml"
    path.write_text(HEAD.format(broker=broker) + devices, encoding="utf-8")
    return path


def run_agent(site: Path, options: argparse.Namespace) -> Cost:
    """Run the agent as people do, let it warm up, and measure it."""
    status = site.with_name("status.json")
    words = [sys.executable, "-m", "edge_agent", "run", str(site), "--status-file", str(status)]
    with site.with_name("agent.log").open("wb") as log, subprocess.Popen(words, stderr=log) as process:
        try:
            wait_until(lambda: status.exists() and samples(status) >= options.devices * options.tags, 30)
            time.sleep(options.warm_up)
            watched = psutil.Process(process.pid)
            before, cpu_s, start_s = samples(status), cpu_time_s(watched), time.monotonic()
            time.sleep(options.seconds)
            taken_s, seconds = cpu_time_s(watched) - cpu_s, time.monotonic() - start_s
            rss_mb = watched.memory_info().rss / 2**20
            return Cost(taken_s / seconds, rss_mb, samples(status) - before, seconds)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


def samples(status: Path) -> int:
    return msgspec.json.decode(status.read_bytes(), type=AgentStatus).samples_read


def cpu_time_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def plain_cost(port: str, options: argparse.Namespace) -> PlainCost:
    words = [port, str(options.devices), str(options.tags), "10"]
    done = subprocess.run([sys.executable, "-m", "tests.bench._plain", *words], stdout=subprocess.PIPE, check=True)
    return msgspec.json.decode(done.stdout, type=PlainCost)


@contextmanager
def child(module: str, *words: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A process that prints one line when it is ready."""
    with subprocess.Popen([sys.executable, "-m", module, *words], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()
