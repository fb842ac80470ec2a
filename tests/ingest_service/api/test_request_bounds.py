"""What a client may send and how slowly, over a real socket; and what every answer carries."""

import json
import re
import select
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from ingest_service.api import connection, request_bounds
from ingest_service.api.connection import HEAD_BYTES
from ingest_service.api.page.assets import asset_url
from ingest_service.api.protection import HEADERS, STRICT_TRANSPORT
from ingest_service.api.request_bounds import BODY_BYTES
from ingest_service.config import Http
from tests.support.browser import served
from tests.support.city import small_city

FORM = "/alarms/1/acknowledge"


@pytest.fixture
def place(client: httpx.Client) -> tuple[str, int]:
    """Host and port of a service with its usual patience."""
    return client.base_url.host, client.base_url.port or 0


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """Host and port of a service that loses patience soon."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(connection, "HEAD_S", 1.0)
        patched.setattr(connection, "STALLED_S", 0.3)
        patched.setattr(request_bounds, "BODY_S", 1.0)
        with small_city(tmp_path_factory.mktemp("limits"), Http(port=0)) as city, served(city) as address:
            url = httpx.URL(address)
            yield url.host, url.port or 0


@contextmanager
def connected(place: tuple[str, int]) -> Iterator[socket.socket]:
    with closing(socket.create_connection(place, timeout=60)) as client:
        yield client


def answer(client: socket.socket) -> tuple[int, dict[str, Any]]:
    """Status and JSON of the answer after which the service closes."""
    said = b""
    while part := client.recv(65_536):
        said += part
    head, _, body = said.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def test_a_head_without_end_is_refused(place: tuple[str, int]) -> None:
    with connected(place) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * (HEAD_BYTES + 1))
        assert answer(client) == (
            431,
            {"error": "request_header_fields_too_large", "detail": "more than 16384 bytes of headers"},
        )


def test_a_head_that_is_too_large_but_whole_is_refused(place: tuple[str, int]) -> None:
    with connected(place) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * (HEAD_BYTES + 1) + b"\r\n\r\n")
        assert answer(client)[0] == 431


@pytest.mark.parametrize("said", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_who_does_not_finish_a_head_is_let_go(hasty: tuple[str, int], said: bytes) -> None:
    with connected(hasty) as client:
        client.sendall(said)
        assert answer(client)[0] == 408


def test_a_second_request_on_a_connection_is_due_as_well(hasty: tuple[str, int]) -> None:
    with connected(hasty) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        first = b""
        while not first.endswith(b'"alive"}'):
            first += client.recv(65_536)
        client.sendall(b"GET /hea")
        assert answer(client)[0] == 408


def test_what_is_no_http_is_refused(place: tuple[str, int]) -> None:
    with connected(place) as client:
        client.sendall(b"\x16\x03\x01\x02\x00\r\n\r\n")
        assert answer(client) == (400, {"error": "bad_request", "detail": "this is no HTTP request"})


def test_a_body_that_is_announced_too_large_is_not_read(place: tuple[str, int]) -> None:
    with connected(place) as client:
        client.sendall(f"POST {FORM} HTTP/1.1\r\nHost: x\r\nContent-Length: {BODY_BYTES + 1}\r\n\r\n".encode())
        status, found = answer(client)
    assert (status, found["error"]) == (413, "request_entity_too_large")


@contextmanager
def form_begun(place: tuple[str, int], framing: str) -> Iterator[socket.socket]:
    """A form of the JSON API whose body is still to come."""
    with connected(place) as client:
        path = "/api/v1/alarms/1/acknowledge"
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{framing}\r\n\r\n"
        client.sendall(head.encode())
        yield client


def test_a_body_without_end_is_refused_where_it_is_too_large(place: tuple[str, int]) -> None:
    with form_begun(place, "Transfer-Encoding: chunked") as client:
        part = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
        try:
            for _ in range(BODY_BYTES // 0x8000 + 8):
                client.sendall(part)
        except (BrokenPipeError, ConnectionResetError):
            return  # refused and closed before we had sent all
        assert client.recv(65_536).startswith(b"HTTP/1.1 413")


def test_a_body_that_does_not_come_is_not_waited_for(hasty: tuple[str, int]) -> None:
    with form_begun(hasty, "Content-Length: 100") as client:
        client.sendall(b"{")
        assert answer(client)[0] == 408


def test_a_reader_that_takes_nothing_is_let_go(hasty: tuple[str, int]) -> None:
    with connected(hasty) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        asked = f"GET {asset_url('vendor/uplot.iife.min.js')} HTTP/1.1\r\nHost: x\r\n\r\n"
        client.sendall(asked.encode() * 200)  # the answers are some megabytes
        ended = select.poll()
        ended.register(client, 0)
        assert ended.poll(10_000), "the connection still stands"


@pytest.mark.parametrize("path", ["/", "/api/v1/homes", "/api/v1/no", "/no", "/healthz", "/static/x/no"])
def test_every_answer_carries_the_headers(client: httpx.Client, path: str) -> None:
    found = client.get(path).headers
    assert {name: found[name] for name in HEADERS} == HEADERS
    assert "Strict-Transport-Security" not in found


def test_the_policy_allows_nothing_inline_and_nothing_foreign() -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "http" not in policy
    assert policy.startswith("default-src 'none'")


FORWARDED = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}


@pytest.mark.parametrize(("trusted", "is_believed"), [(("10.0.0.0/8",), False), (("127.0.0.1",), True)])
def test_a_proxy_is_believed_only_where_it_is_named(
    tmp_path: Path, trusted: tuple[str, ...], is_believed: bool
) -> None:
    with small_city(tmp_path, Http(port=0, trusted_proxies=trusted)) as city, served(city) as address:
        found = httpx.get(f"{address}/healthz", headers=FORWARDED)
    assert (found.headers.get("Strict-Transport-Security") == STRICT_TRANSPORT) is is_believed


def test_a_failure_of_ours_tells_the_reader_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_asked: object) -> None:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr("ingest_service.store.overview.homes", fails)
    with small_city(tmp_path, Http(port=0)) as city, served(city) as address:
        found = httpx.get(f"{address}/api/v1/homes")
        assert httpx.get(f"{address}/healthz").status_code == 200
    assert (found.status_code, found.text) == (500, "Internal Server Error")
    assert {name: found.headers[name] for name in HEADERS} == HEADERS


@pytest.mark.parametrize("method", ["TRACE", "PUT", "DELETE", "PATCH"])
def test_a_method_that_nothing_needs_is_refused(client: httpx.Client, method: str) -> None:
    assert client.request(method, "/api/v1/homes").status_code == 405


def test_a_body_ends_where_its_chunks_end_whatever_length_is_said(place: tuple[str, int]) -> None:
    with form_begun(place, "Transfer-Encoding: chunked\r\nContent-Length: 4") as client:
        client.sendall(b"2\r\n{}\r\n0\r\n\r\n" + b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        said = b""
        while part := client.recv(65_536):
            said += part
    assert re.findall(rb"HTTP/1.1 (\d+)", said) == [b"401", b"200"]


def test_who_is_refused_is_in_the_log(client: httpx.Client) -> None:
    with structlog.testing.capture_logs() as lines:
        found = client.post("/alarms/1/acknowledge", headers={"Sec-Fetch-Site": "cross-site"})
    assert found.status_code == 403
    refused = [line for line in lines if line["event"] == "access_refused"]
    assert [(line["address"], line["path"]) for line in refused] == [("127.0.0.1", "/alarms/1/acknowledge")]


INLINE = re.compile(r"""<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|javascript:""")


def test_no_template_of_the_page_holds_script_or_style_of_its_own() -> None:
    folder = files("ingest_service.api.page").joinpath("templates")
    found = {file.name: INLINE.findall(file.read_text(encoding="utf-8")) for file in folder.iterdir()}
    assert len(found) > 20
    assert {name: what for name, what in found.items() if what} == {}
