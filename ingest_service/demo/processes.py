"""Starts the demo's programs, keeps their output in files, notices when one dies, and ends them all."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from ingest_service.errors import ConfigError, ServiceError

STOP_TIMEOUT_S = 10.0


class Processes:
    """The running programs by name, in the order in which they were started. A context manager that ends them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *command: str) -> Path:
        """Start one program; return the file that its output goes to."""
        log = self._folder / f"{name}.log"
        with log.open("wb") as output:
            self._running[name] = subprocess.Popen(
                (sys.executable, "-m", "ingest_service.demo.child", str(os.getpid()), *command),
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
                start_new_session=True,  # Ctrl-C is for the demo, which then ends its programs in order
            )
        return log

    def check(self) -> None:
        """Raise ServiceError when a program has ended by itself, with the last line that it wrote."""
        for name, process in self._running.items():
            if process.poll() is not None:
                lines = (self._folder / f"{name}.log").read_text(errors="replace").strip().splitlines()
                raise ServiceError(f"{name} ended with code {process.returncode}: {(lines or ['no output'])[-1]}")

    def finish(self, name: str) -> None:
        """Wait for a program that ends by itself; raise ServiceError when it fails."""
        self._running[name].wait()
        if self._running[name].returncode:
            self.check()
        del self._running[name]

    def runs(self, name: str) -> bool:
        """Whether a program is running."""
        return name in self._running and self._running[name].poll() is None

    def stop(self, name: str) -> None:
        """Ask one program to end; kill it when it takes too long."""
        process = self._running.pop(name)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in reversed(list(self._running)):
            self.stop(name)


def program(name: str) -> tuple[str, ...]:
    """The command line of one of our two programs, run by this very Python."""
    return (sys.executable, "-m", {"edge-agent": "edge_agent", "ingest-service": "ingest_service"}[name])


def free_port() -> int:
    """A TCP port on loopback that nobody uses now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def page_port(wanted: int | None, usual: int) -> int:
    """The wanted port, else the usual one, else a free one. Raises ConfigError where the wanted one is taken."""
    if wanted is None:
        return free_port() if listens(usual) else usual
    if listens(wanted):
        raise ConfigError("--port", "", f"something listens on {wanted} already", "another port, or none")
    return wanted


def find_mosquitto() -> str | None:
    """The path of mosquitto; Debian puts it where only root's PATH looks."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def wait_until(ready: Callable[[], bool], processes: Processes, what: str, timeout_s: float) -> None:
    """Poll until `ready`; raise ServiceError when a program dies or the time is up."""
    deadline = time.monotonic() + timeout_s
    while not ready():
        processes.check()
        if time.monotonic() > deadline:
            raise ServiceError(f"{what}: not there after {timeout_s:.0f} s")
        time.sleep(0.1)


def listens(port: int) -> bool:
    """Whether something accepts connections on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
