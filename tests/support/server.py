"""A server process of a test: started, waited for, killed, started again on the same files."""

import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.support.waiting import PATIENCE_S, wait_until

_PARTS = Path(__file__).parents[2] / ".parts/usr/bin"


def binary(name: str) -> str:
    """Where a server's program lies: installed, or unpacked by deploy/test-parts.sh."""
    found = shutil.which(name) or str(_PARTS / name)
    if not Path(found).exists():
        raise RuntimeError(f"{name} is missing: run deploy/test-parts.sh")
    return found


class Server:
    """`answers` says whether it is ready for questions."""

    def __init__(self, command: Sequence[str], log: Path, answers: Callable[[], bool]) -> None:
        self._command, self._log, self._answers = command, log, answers
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        wait_until(self._ready)

    def kill(self) -> None:
        """End it as a power cut of its process would."""
        self._end(subprocess.Popen.kill)

    def stop(self) -> None:
        """End it as an administrator would."""
        self._end(subprocess.Popen.terminate)

    def log(self) -> str:
        """All that it said so far."""
        return self._log.read_text(errors="replace")

    def _ready(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"{self._command[0]} ended at once: {self.log()[-2000:]}")
        return self._answers()

    def _end(self, how: Callable[[subprocess.Popen[bytes]], None]) -> None:
        if self._process is not None:
            how(self._process)
            self._process.wait(PATIENCE_S)
            self._process = None
