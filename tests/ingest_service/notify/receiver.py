"""A real HTTP server that takes webhooks and answers as it is told."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec

from tests.support.waiting import PATIENCE_S


class Request(msgspec.Struct, frozen=True):
    """What came."""

    path: str
    headers: dict[str, str]
    body: bytes


class Inlet(ThreadingHTTPServer):
    """Answers with the statuses in turn, the last one for ever; 0 means: no answer before `release` is set."""

    daemon_threads = True

    def __init__(self, statuses: list[int]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses = statuses
        self.requests: list[Request] = []
        self.release = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook?token=hush"


class _Handler(BaseHTTPRequestHandler):
    server: Inlet

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append(Request(self.path, dict(self.headers.items()), body))
        statuses = self.server.statuses
        status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
        if status == 0:
            self.server.release.wait(20)
            return
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Keep the tests' output quiet."""


@contextmanager
def listening(*statuses: int) -> Iterator[Inlet]:
    inlet = Inlet(list(statuses) or [200])
    thread = threading.Thread(target=inlet.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield inlet
    finally:
        inlet.release.set()
        inlet.shutdown()
        thread.join(PATIENCE_S)
        inlet.server_close()
