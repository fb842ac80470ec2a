"""One agent at ten times its speed for an hour, with faults all the time: does it keep its memory and its files?"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from statistics import linear_regression, median

import msgspec
import psutil

from edge_agent.vitals import AgentStatus
from tests.bench._host import Arrived
from tests.bench.edge import child, write_site
from tests.bench.machine import machine
from tests.support.broker import Mosquitto, free_port, start_mosquitto

LOOK_S, AWAY_S, FAULT_EVERY_S = 1.0, 5.0, 20.0
FAULTS_A_KIND, LATE_S = 0.005, 2.0


class Look(msgspec.Struct, frozen=True):
    """The agent at one moment, s after the start."""

    at_s: float
    rss_kb: float
    open_files: int
    threads: int


class Scene:
    """The agent's surroundings, and what goes wrong in them."""

    def __init__(self, site: Path, broker: Mosquitto, port: int, options: argparse.Namespace) -> None:
        self._site, self._broker, self._port, self._options = site, broker, port, options
        self._devices = self._started()
        self._deadbands = cycle((0.0, 0.01))

    def broker_goes(self) -> None:
        """No broker for some seconds."""
        self._broker.kill()
        time.sleep(AWAY_S)
        self._broker.start()

    def devices_go(self) -> None:
        """Every connection is cut, and refused for some seconds."""
        self.end()
        time.sleep(AWAY_S)
        self._devices = self._started()

    def site_changes(self) -> None:
        """Another deadband for all devices."""
        profile = self._site.with_name("waves.toml")
        lines = [line for line in profile.read_text().splitlines() if not line.startswith("deadband")]
        line = f"deadband = {next(self._deadbands)}"
        kept = "\n".join(f"{text}\n{line}" if text.startswith("address") else text for text in lines)
        profile.write_text(kept + "\n", encoding="utf-8")

    def agent_log(self) -> str:
        """What the agent said."""
        return self._site.with_name("agent.log").read_text(encoding="utf-8")

    def end(self) -> None:
        """Kill the devices."""
        self._devices.kill()
        self._devices.communicate()

    def _started(self) -> "subprocess.Popen[bytes]":
        shape = [str(self._options.devices), str(self._options.tags), "--port", str(self._port)]
        faults = ["--faults", str(FAULTS_A_KIND), "--late-s", str(LATE_S)]
        words = [sys.executable, "-m", "tests.bench._devices", *shape, *faults]
        devices = subprocess.Popen(words, stdout=subprocess.PIPE)
        assert devices.stdout
        devices.stdout.readline()
        return devices


def main(argv: list[str]) -> None:
    """Soak and print; the last line is one JSON object."""
    parser = argparse.ArgumentParser(prog="soak_edge")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--devices", type=int, default=10)
    parser.add_argument("--tags", type=int, default=40)
    parser.add_argument("--scan-s", type=float, default=0.1, help="0.1 is ten times the usual speed")
    options = parser.parse_args(argv)
    print(machine())
    with tempfile.TemporaryDirectory(prefix="soak-edge-") as folder:
        print(json.dumps(soak(Path(folder), options)))


def soak(folder: Path, options: argparse.Namespace) -> dict[str, float]:
    port = free_port()
    with (
        start_mosquitto(folder, ["max_queued_messages 0", "log_type none"]) as broker,
        child("tests.bench._host", str(broker.port)) as (centre, _),
        running_agent(site := write_site(folder, port, broker.port, options)) as agent,
    ):
        scene = Scene(site, broker, port, options)
        try:
            looks = watched(agent, scene, options.minutes * 60)
            agent.send_signal(signal.SIGTERM)
            agent.wait(30)
        finally:
            scene.end()
        centre.send_signal(signal.SIGTERM)
        assert centre.stdout
        arrived = msgspec.json.decode(centre.stdout.read(), type=Arrived)
    status = msgspec.json.decode(site.with_name("status.json").read_bytes(), type=AgentStatus)
    refusals = sum("Traceback" in line for line in site.with_name("agent.log").read_text().splitlines())
    return told(looks, status, arrived, refusals)


def watched(agent: "subprocess.Popen[bytes]", scene: Scene, seconds: float) -> list[Look]:
    """Look at the agent each second; something goes wrong every twenty."""
    process, start_s = psutil.Process(agent.pid), time.monotonic()
    faults: Iterator[Callable[[], None]] = cycle((scene.site_changes, scene.devices_go, scene.broker_goes))
    looks: list[Look] = []
    next_fault_s = FAULT_EVERY_S
    while (at_s := time.monotonic() - start_s) < seconds:
        if agent.poll() is not None:
            raise RuntimeError(f"the agent ended with {agent.returncode}: {scene.agent_log()[-6000:]}")
        looks.append(Look(at_s, process.memory_info().rss / 1024, process.num_fds(), process.num_threads()))
        if at_s > next_fault_s:
            next_fault_s += FAULT_EVERY_S
            next(faults)()
        time.sleep(LOOK_S)
    return looks


@contextmanager
def running_agent(site: Path) -> Iterator["subprocess.Popen[bytes]"]:
    words = [sys.executable, "-m", "edge_agent", "run", str(site), "--status-file", str(site.with_name("status.json"))]
    with site.with_name("agent.log").open("wb") as log, subprocess.Popen(words, stderr=log) as process:
        try:
            yield process
        finally:
            process.kill()


def told(looks: list[Look], status: AgentStatus, arrived: Arrived, tracebacks: int) -> dict[str, float]:
    """Print the figures for people and return them. The first fifth is warming up."""
    settled = looks[len(looks) // 5 :]
    tenth = max(1, len(settled) // 10)
    slope_kb_per_s = linear_regression([look.at_s for look in settled], [look.rss_kb for look in settled]).slope
    grown = median(look.open_files for look in settled[-tenth:]) - median(look.open_files for look in settled[:tenth])
    first_mb, last_mb = (median(look.rss_kb for look in part) / 1024 for part in (settled[:tenth], settled[-tenth:]))
    minutes = looks[-1].at_s / 60
    print(f"{minutes:.0f} minutes, {status.samples_read} samples read, {status.samples_acknowledged} acknowledged")
    print(f"memory  {first_mb:.1f} MB, at the end {last_mb:.1f} MB, slope {slope_kb_per_s * 3600:.0f} KB per hour")
    print(f"files   {grown:+g} open files, most {max(look.open_files for look in looks)}")
    return {
        "minutes": round(minutes, 1),
        "samples_read": status.samples_read,
        "samples_acknowledged": status.samples_acknowledged,
        "samples_dropped": status.samples_dropped,
        "blocks_missing": arrived.missing,
        "gap_records": arrived.gap_records,
        "blocks_pending": status.blocks_pending,
        "rss_first_mb": round(first_mb, 2),
        "rss_last_mb": round(last_mb, 2),
        "rss_slope_kb_per_hour": round(slope_kb_per_s * 3600, 1),
        "open_files_grown": grown,
        "threads_most": max(look.threads for look in settled),
        "tracebacks": tracebacks,
    }
