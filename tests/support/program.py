"""A program in a process of its own, for tests that start, kill, pause and end it as fate or its owner would."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.waiting import PATIENCE_S, wait_until

PRODUCT = {"edge-agent": "edge_agent", "ingest-service": "ingest_service"}
STOP_TIMEOUT_S = 60.0


class Program:
    """One program that can be started again and again; its output is appended to `<name>.log`."""

    def __init__(
        self, folder: Path, name: str, words: Sequence[str], settings: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.log_file = folder / f"{name}.log"
        self._words, self._folder = list(words), folder
        self._settings = {**os.environ, **(settings or {})}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id. Raises RuntimeError when it does not run."""
        if self._process is None:
            raise RuntimeError(f"{self.name} is not running")
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def check(self) -> None:
        """Raise RuntimeError when it has ended by itself."""
        if self._process is not None and self._process.poll() is not None:
            raise RuntimeError(f"{self.name} ended with code {self._process.returncode}: {self.log()[-2000:]}")

    def start(self) -> None:
        """Start it; returns at once."""
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                self._words, stdout=log, stderr=subprocess.STDOUT, cwd=self._folder, env=self._settings
            )

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end, and see that it ends well; one that was still starting may just be gone."""
        code = self._end(signal.SIGTERM)
        if code not in (0, None, -signal.SIGTERM):
            raise RuntimeError(f"{self.name} ended with code {code}: {self.log()[-2000:]}")

    def pause(self) -> None:
        """Let it stand still: its connections stay open, and nothing is answered."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def log(self) -> str:
        """All that it said so far."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def wait_for(self, text: str, timeout_s: float = PATIENCE_S) -> None:
        """Wait until it says that. Raises RuntimeError when it ends before."""

        def said() -> bool:
            self.check()
            return text in self.log()

        wait_until(said, timeout_s)

    def _end(self, number: signal.Signals) -> int | None:
        process, self._process = self._process, None
        if process is None:
            return None
        process.send_signal(number)
        if number is not signal.SIGKILL:
            process.send_signal(signal.SIGCONT)
        try:
            return process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


def product(folder: Path, name: str, command: str, *words: str, settings: Mapping[str, str] | None = None) -> Program:
    """One of our two commands, run by this very Python."""
    module = PRODUCT[command]
    return Program(folder, name, [sys.executable, "-m", module, *words], settings)
