"""The processes of the fleet benchmark: broker, service and load, and what they cost."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import httpx
import msgspec
import psutil

from ingest_service.demo.broker import CONFIGURATION
from tests.bench.fleet_load.__main__ import Progress
from tests.support.broker import free_port
from tests.support.waiting import wait_until

SERVICE_CONFIG = """\
[broker]
port = {broker}

[storage]
folder = "data"

[http]
port = {http}

[people]
sign_in = "off"
"""


def broker_settings() -> list[str]:
    """The limits of the broker's configuration as it is shipped."""
    return [line for line in CONFIGURATION.splitlines() if line.startswith("max_")]


class ServiceProcess:
    """The real service on free ports with its data in `folder`."""

    def __init__(self, folder: Path, broker_port: int) -> None:
        http = free_port()
        self.url = f"http://127.0.0.1:{http}"
        self.folder = folder
        config = folder / "service.toml"
        config.write_text(SERVICE_CONFIG.format(broker=broker_port, http=http), encoding="utf-8")
        with (folder / "service.log").open("wb") as log:
            command = [sys.executable, "-m", "ingest_service", "serve", str(config)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        self.usage = psutil.Process(self._process.pid)
        wait_until(self._ready, 60)

    def stop(self) -> None:
        """End it as an administrator would."""
        self._process.terminate()
        self._process.wait(120)

    def _ready(self) -> bool:
        if self._process.poll() is not None:
            raise RuntimeError((self.folder / "service.log").read_text())
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False


class LoadPlan(msgspec.Struct, frozen=True):
    """How many seconds lie between two scans, and which seed makes their values."""

    every: float
    seed: int


class LoadProcess:
    """One process of the load; a thread reads what it says."""

    def __init__(self, port: int, first: int, edges: int, plan: LoadPlan) -> None:
        numbers = {"port": port, "first": first, "edges": edges, **msgspec.structs.asdict(plan)}
        words = [word for name, number in numbers.items() for word in (f"--{name}", str(number))]
        command = [sys.executable, "-m", "tests.bench.fleet_load", *words]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.progress = Progress()
        self.usage = psutil.Process(self._process.pid)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def stop(self) -> None:
        """Let it send no more; it ends when the last acknowledgements have come."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait(10)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.progress = msgspec.json.decode(line, type=Progress)


@contextmanager
def loads(port: int, edges: int, plan: LoadPlan, processes: int) -> Iterator[list[LoadProcess]]:
    """The load in so many processes; what still runs in the end is killed."""
    bounds = [edges * at // processes for at in range(processes + 1)]
    started = [LoadProcess(port, first, stop - first, plan) for first, stop in pairwise(bounds)]
    try:
        yield started
    finally:
        for load in started:
            load.kill()
