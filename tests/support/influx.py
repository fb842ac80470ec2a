"""Debian's InfluxDB (1.6) on a free port and a folder of the test."""

from pathlib import Path

import httpx

from tests.support.broker import free_port
from tests.support.server import Server, binary
from tests.support.waiting import PATIENCE_S

_CONFIG = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  index-version = "tsi1"
  query-log-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
  auth-enabled = {auth}
[monitor]
  store-enabled = false
[continuous_queries]
  enabled = false
"""


class InfluxDB(Server):
    """`question(text)` runs a statement as an administrator would."""

    def __init__(self, folder: Path, *, auth: bool = False) -> None:
        self.folder, self.port = folder, free_port()
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "influxdb.conf"
        config.write_text(_CONFIG.format(folder=folder, port=self.port, rpc=free_port(), auth=str(auth).lower()))
        super().__init__([binary("influxd"), "-config", str(config)], folder / "log.txt", self._pings)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def question(self, text: str, database: str = "", **auth: str) -> httpx.Response:
        """The answer to a statement."""
        return httpx.post(
            f"{self.url}/query", params={"db": database, "epoch": "ms", **auth}, data={"q": text}, timeout=PATIENCE_S
        )

    def write(self, database: str, lines: str) -> httpx.Response:
        """Lines of somebody else."""
        return httpx.post(
            f"{self.url}/write", params={"db": database, "precision": "ms"}, content=lines, timeout=PATIENCE_S
        )

    def _pings(self) -> bool:
        try:
            return httpx.get(f"{self.url}/ping", timeout=PATIENCE_S).status_code == 204
        except httpx.TransportError:
            return False
