"""A server that speaks `/api/v2` as InfluxDB 2 does and forgives nothing; run as a process: `-m ... PORT VERSION`.

It keeps lines as they were written, checks token, organisation, bucket, precision and every line, and misbehaves for
as many requests as it is told: POST /tell with {"fault": ..., "times": n, "token": ..., "conflict": field}.
"""

import json
import re
import socket
import struct
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.support.broker import free_port
from tests.support.waiting import PATIENCE_S, wait_until

ORG = {"id": "0org", "name": "city"}
_KEY = r"(?:[^\s,=\\]|\\.)+"
_LINE = re.compile(rf"{_KEY}(?:,{_KEY}={_KEY})* ({_KEY}=-?\d[\d.e+-]*(?:,{_KEY}=-?\d[\d.e+-]*)*) -?\d{{13}}")


class Shop:
    """What the server knows."""

    token = "secret"
    fault = ""
    times = 0
    conflict = ""
    largest = 10**9
    posts = 0
    lines: list[str] = []  # noqa: RUF012 - one server a process
    buckets: dict[str, dict[str, Any]] = {}  # noqa: RUF012
    mappings: list[dict[str, Any]] = []  # noqa: RUF012


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    version = "v2.7.12"

    def log_message(self, format: str, *args: object) -> None:
        """Silence."""

    def do_GET(self) -> None:
        """Ping, organisations, buckets, mappings, and what a test wants to see."""
        url = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/ping":
            self._say(204, None, {"X-Influxdb-Version": self.version} if self.version else {})
        elif url.path == "/seen":
            self._say(200, {"lines": Shop.lines, "posts": Shop.posts})
        elif not self._admitted():
            return
        elif url.path == "/api/v2/orgs":
            self._say(200, {"orgs": [ORG] if asked.get("org") == ORG["name"] else []})
        elif url.path == "/api/v2/buckets":
            found = [one for one in Shop.buckets.values() if one["name"] == asked.get("name", one["name"])]
            self._say(200, {"buckets": found})
        elif url.path == "/api/v2/dbrps":
            self._say(200, {"content": [one for one in Shop.mappings if one["database"] == asked.get("db")]})
        else:
            self._say(404, {"code": "not found", "message": "path not found"})

    def do_PATCH(self) -> None:
        """Change a bucket."""
        body = json.loads(self._body())
        if self._admitted():
            bucket = next(one for one in Shop.buckets.values() if one["id"] == self.path.rpartition("/")[2])
            bucket["retentionRules"] = body["retentionRules"]
            self._say(200, bucket)

    def do_POST(self) -> None:
        """Lines, buckets, mappings, and what a test tells."""
        body = self._body()
        url = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/tell":
            for name, value in json.loads(body).items():
                setattr(Shop, name, value)
            self._say(204, None)
        elif url.path == "/api/v2/write":
            Shop.posts += 1
            if not self._misbehaves() and self._admitted():
                self._write(asked, body)
        elif self._admitted():
            self._make(url.path, json.loads(body))

    def _make(self, path: str, wanted: dict[str, Any]) -> None:
        if path == "/api/v2/buckets":
            Shop.buckets[wanted["name"]] = {**wanted, "id": f"0{len(Shop.buckets)}"}
        else:
            Shop.mappings.append(wanted)
        self._say(201, wanted)

    def _write(self, asked: dict[str, str], body: bytes) -> None:
        if asked.get("org") != ORG["name"] or asked.get("bucket") not in Shop.buckets:
            self._say(404, {"code": "not found", "message": f'bucket "{asked.get("bucket")}" not found'})
            return
        if asked.get("precision") != "ms":
            self._say(400, {"code": "invalid", "message": "invalid precision"})
            return
        if len(body) > Shop.largest:
            self._say(413, {"code": "request too large", "message": "points batch is too large"})
            return
        lines = body.decode().splitlines()
        bad = [line for line in lines if not _LINE.fullmatch(line)]
        clash = [line for line in lines if Shop.conflict and f"{Shop.conflict}=" in line.replace(",", " ")]
        Shop.lines += [line for line in lines if line not in bad and line not in clash]
        if bad or clash:
            why = (
                f"unable to parse '{bad[0]}'"
                if bad
                else f'partial write: field type conflict: input field "{Shop.conflict}"'
            )
            self._say(422 if clash else 400, {"code": "invalid", "message": why})
        else:
            self._say(204, None)

    def _misbehaves(self) -> bool:
        if Shop.times <= 0:
            return False
        Shop.times -= 1
        if Shop.fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
        elif Shop.fault == "hang":
            time.sleep(3)
            self.close_connection = True
        elif Shop.fault == "500":
            self._say(500, {"code": "internal error", "message": "engine: write /data/1.wal: no space left on device"})
        else:
            status, _, pause = Shop.fault.partition(" ")
            self._say(int(status), {"message": "be patient"}, {"Retry-After": pause} if pause else {})
        return True

    def _admitted(self) -> bool:
        if self.headers.get("Authorization") == f"Token {Shop.token}":
            return True
        self._say(401, {"code": "unauthorized", "message": "unauthorized access"})
        return False

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _say(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        raw = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


class StrictInflux:
    """The server's process, for a test."""

    def __init__(self, version: str = "v2.7.12") -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "tests.support.strict_influx", str(self.port), version]
        self._process = subprocess.Popen(command)
        wait_until(self._pings)

    def tell(self, **what: object) -> None:
        """Change what it knows."""
        httpx.post(f"{self.url}/tell", json=what, timeout=PATIENCE_S).raise_for_status()

    def lines(self) -> list[str]:
        """What is stored."""
        found: list[str] = httpx.get(f"{self.url}/seen", timeout=PATIENCE_S).json()["lines"]
        return found

    def posts(self) -> int:
        """How many writes were tried."""
        return int(httpx.get(f"{self.url}/seen", timeout=PATIENCE_S).json()["posts"])

    def kill(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait(PATIENCE_S)

    def _pings(self) -> bool:
        try:
            return httpx.get(f"{self.url}/ping", timeout=PATIENCE_S).status_code == 204
        except httpx.TransportError:
            return False


if __name__ == "__main__":
    Handler.version = sys.argv[2]
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
