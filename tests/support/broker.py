"""A real mosquitto on a free port, for tests that need a broker."""

import secrets
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.waiting import PATIENCE_S, wait_until

RELOADED = "Reloading config."
_BINARY = shutil.which("mosquitto") or "/usr/sbin/mosquitto"


# Below the ports that Linux gives to outgoing connections, so that none of those takes one before it is listened on.
_PORTS = range(20_000, 32_000)


def free_port() -> int:
    """A TCP port of the loopback interface that nobody uses now."""
    while True:
        port = secrets.choice(_PORTS)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


class Mosquitto:
    """A broker that can be stopped, killed and started again on the same port. It keeps nothing across restarts."""

    def __init__(self, folder: Path, port: int, settings: Sequence[str]) -> None:
        self.port = port
        self._log = folder / "mosquitto.log"
        self._config = folder / "mosquitto.conf"
        lines = (f"listener {port} 127.0.0.1", "allow_anonymous true", "persistence false", *settings)
        self._config.write_text("\n".join(lines) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it accepts connections."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([_BINARY, "-c", str(self._config)], stdout=log, stderr=log)
        wait_until(self._accepts)

    def stop(self) -> None:
        """End it as an administrator would."""
        self._end(kill=False)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(kill=True)

    def reload(self) -> None:
        """Let it read its files again, and wait until it has said so."""
        if self._process is None:
            raise RuntimeError("the broker does not run")
        before = self.log().count(RELOADED)
        self._process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.log().count(RELOADED) > before)

    def log(self) -> str:
        """All that it said so far."""
        return self._log.read_text()

    def _accepts(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"mosquitto ended at once: {self.log()}")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _end(self, *, kill: bool) -> None:
        if self._process is None:
            return
        if kill:
            self._process.kill()
        else:
            self._process.terminate()
        self._process.wait(PATIENCE_S)
        self._process = None


@contextmanager
def start_mosquitto(folder: Path, settings: Sequence[str] = ()) -> Iterator[Mosquitto]:
    """A running broker; `settings` are further lines of its configuration. It is ended with the context."""
    broker = Mosquitto(folder, free_port(), settings)
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()
