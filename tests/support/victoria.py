"""Debian's VictoriaMetrics on a free port and a folder of the test, with the flags that are shipped."""

from collections.abc import Sequence
from pathlib import Path

import httpx

from tests.support.broker import free_port
from tests.support.server import Server, binary
from tests.support.waiting import PATIENCE_S

FLAGS = Path(__file__).parents[2] / "deploy/victoriametrics/flags"


def shipped_flags() -> list[str]:
    """The flags of the shipped file."""
    lines = [line.strip() for line in FLAGS.read_text().splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


class VictoriaMetrics(Server):
    """`flags` are the ones of the shipped file, or others."""

    def __init__(self, folder: Path, flags: Sequence[str] | None = None) -> None:
        self.port = free_port()
        folder.mkdir(parents=True, exist_ok=True)
        command = [
            binary("victoria-metrics"),
            f"-storageDataPath={folder / 'data'}",
            f"-httpListenAddr=127.0.0.1:{self.port}",
            *(shipped_flags() if flags is None else flags),
        ]
        super().__init__(command, folder / "log.txt", self._pings)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def flush(self) -> None:
        """Let everything that was written be seen at once."""
        httpx.get(f"{self.url}/internal/force_flush", timeout=PATIENCE_S).raise_for_status()

    def _pings(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", timeout=PATIENCE_S).status_code == 200
        except httpx.TransportError:
            return False
