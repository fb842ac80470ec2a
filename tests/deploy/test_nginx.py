"""The shipped nginx configuration before the service, with a real nginx."""

import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice, pairwise
from pathlib import Path

import httpx
import msgspec
import pytest

from ingest_service.api.protection import HEADERS, STRICT_TRANSPORT
from ingest_service.api.request_bounds import BODY_BYTES
from ingest_service.audit.entry import Action
from ingest_service.config import Http
from ingest_service.people.hashing import hash_password
from ingest_service.people.roles import KeyUse
from ingest_service.store.audit import AuditFilter
from ingest_service.store.doing import Doing
from tests.support.broker import free_port
from tests.support.browser import served
from tests.support.certificates import make_certificates
from tests.support.city import City, small_city
from tests.support.visitors import machine
from tests.support.waiting import PATIENCE_S, wait_until

SHIPPED = Path(__file__).parents[2] / "deploy" / "nginx" / "clearstack.conf"
BINARY = shutil.which("nginx") or "/usr/sbin/nginx"
PASSWORD = "seven grey lanterns"
AROUND = """
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/clearstack.conf;
}}
"""

pytestmark = pytest.mark.skipif(not Path(BINARY).exists(), reason="nginx is not installed")


class Front(msgspec.Struct, frozen=True):
    """A city behind the proxy, and the service itself behind that."""

    city: City
    port: int
    plain_port: int
    direct: str
    trust: str

    def client(self, source: str = "127.0.0.1", **headers: str) -> httpx.Client:
        """A client of the proxy from that address of this machine."""
        context = ssl.create_default_context(cafile=self.trust)
        transport = httpx.HTTPTransport(verify=context, local_address=source)
        headers["Authorization"] = f"Bearer {machine(self.city, 'all', KeyUse.READ)}"
        return httpx.Client(transport=transport, base_url=f"https://127.0.0.1:{self.port}", headers=headers, timeout=60)


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp("front")
    made = make_certificates(folder).server
    port, plain_port = free_port(), free_port()
    with (
        small_city(folder / "city", Http(port=0, trusted_proxies=("127.0.0.1",))) as city,
        served(city) as direct,
    ):
        text = SHIPPED.read_text()
        for shipped, ours in (
            ("listen 443 ", f"listen 127.0.0.1:{port} "),
            ("listen 80;", f"listen 127.0.0.1:{plain_port};"),
            ("/etc/nginx/clearstack/page.pem", made.cert),
            ("/etc/nginx/clearstack/page.key", made.key),
            ("http://127.0.0.1:8080", direct),
        ):
            assert shipped in text
            text = text.replace(shipped, ours)
        (folder / "clearstack.conf").write_text(text)
        with running(folder, port):
            yield Front(city, port, plain_port, direct, made.cert)


@contextmanager
def running(folder: Path, port: int) -> Iterator[None]:
    user = "user root;" if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder, user=user))
    process = subprocess.Popen([BINARY, "-c", str(folder / "nginx.conf"), "-e", str(folder / "nginx.log")])

    def accepts() -> bool:
        assert process.poll() is None, (folder / "nginx.log").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        wait_until(accepts)
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_of_today_is_spoken(front: Front, version: ssl.TLSVersion) -> None:
    context = ssl.create_default_context(cafile=front.trust)
    context.minimum_version = context.maximum_version = version
    with httpx.Client(verify=context) as client:
        assert client.get(f"https://127.0.0.1:{front.port}/healthz").status_code == 200


def test_tls_of_yesterday_is_refused(front: Front) -> None:
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{front.port}", "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"]
    done = subprocess.run(command, input=b"", capture_output=True, check=False)
    assert done.returncode != 0
    assert b"Cipher is (NONE)" in done.stdout


def test_plain_http_leads_to_tls(front: Front) -> None:
    found = httpx.get(f"http://127.0.0.1:{front.plain_port}/alarms?x=1")
    assert (found.status_code, found.headers["Location"]) == (301, "https://127.0.0.1/alarms?x=1")


@pytest.mark.parametrize("path", ["/api/v1/homes", "/api/v1/nothing", "/sign-in"])
def test_headers_pass_and_browsers_are_told_to_stay_with_tls(front: Front, path: str) -> None:
    with front.client() as client:
        found = client.get(path).headers
    assert {name: found[name] for name in HEADERS} == HEADERS
    assert found["Strict-Transport-Security"] == STRICT_TRANSPORT
    assert found["Server"] == "nginx"


def test_a_person_signs_in_and_their_session_is_for_tls_only(front: Front) -> None:
    doing = Doing("the test", "127.0.0.1", front.city.now_ms)
    person = front.city.people.people.add("li", "Li", doing)
    front.city.people.people.set_password(person.id, hash_password(PASSWORD), None, doing)
    with front.client() as client:
        del client.headers["Authorization"]
        answer = client.post("/sign-in?lang=en", data={"account": "li", "password": PASSWORD})
        assert answer.status_code == 303
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("__Host-session=")
        for attribute in ("Secure", "HttpOnly", "SameSite=lax", "Path=/"):
            assert attribute in cookie
        assert client.get("/alarms?lang=en").headers["Set-Cookie"].endswith("Secure")


def test_the_live_stream_is_not_held_back(front: Front) -> None:
    with front.client() as client, client.stream("GET", "/api/v1/stream") as response:
        assert response.headers["Content-Type"].startswith("text/event-stream")
        heard = (time.monotonic() for line in response.iter_lines() if line.startswith("event: values"))
        pauses = (after - before for before, after in pairwise(islice(heard, 1, 25)))
        assert any(0.5 < pause < 1.5 for pause in pauses), "one event a second, each when it happens"


def address_seen(front: Front) -> str:
    """From where the last use of a key was, by the audit trail."""
    return front.city.trail.newest(AuditFilter(action=Action.KEY_USED), 1)[0].entry.address


@pytest.mark.parametrize("claimed", [{}, {"X-Forwarded-For": "203.0.113.9"}, {"X-Real-IP": "203.0.113.9"}])
def test_the_trail_has_the_clients_address_whatever_the_client_claims(front: Front, claimed: dict[str, str]) -> None:
    with front.client("127.0.0.2", **claimed) as client:
        assert client.get("/api/v1/homes").status_code == 200
    assert address_seen(front) == "127.0.0.2"


def test_who_comes_round_the_proxy_is_not_believed(front: Front) -> None:
    key = machine(front.city, "all", KeyUse.READ)
    claimed = {"X-Forwarded-For": "203.0.113.9", "Authorization": f"Bearer {key}"}
    with httpx.Client(transport=httpx.HTTPTransport(local_address="127.0.0.3")) as client:
        assert client.get(f"{front.direct}/api/v1/homes", headers=claimed).status_code == 200
    assert address_seen(front) == "127.0.0.3"


def test_what_is_too_large_does_not_reach_the_service(front: Front) -> None:
    with front.client() as client:
        assert client.post("/api/v1/alarms/1/acknowledge", content=b" " * (BODY_BYTES + 1)).status_code == 413


def test_who_asks_without_end_is_told_to_wait(front: Front) -> None:
    with front.client() as client:
        assert 429 in {client.get("/healthz").status_code for _ in range(400)}
