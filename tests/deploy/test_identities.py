"""The shipped broker with certificates: an edge is whom its certificate names, whatever it says of itself."""

import json
import os
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from ingest_service.__main__ import main
from tests.conformance.edge_story import furnace
from tests.support.broker import Mosquitto, free_port
from tests.support.certificates import Certificate
from tests.support.program import Program, product
from tests.support.waiting import PATIENCE_S, wait_until

SHIPPED = Path(__file__).parents[2] / "deploy" / "mosquitto" / "certificates" / "mosquitto.conf"
BARRIER = "spBv1.0/STATE/clearstack"
SITE = """
[site]
home = "beishan"
edge = "gateway"
name_zh = "北山殡仪馆"

[broker]
host = "127.0.0.1"
port = {broker}
ca_file = "{edge}/ca.pem"
cert_file = "{edge}/edge.pem"
key_file = "{edge}/edge.key"

[clock]
synchronisation = "unwatched"

[[connection]]
name = "plc"
host = "127.0.0.1"
port = {furnace}

[[device]]
name = "furnace-1"
furnace = "1"
connection = "plc"
profile = "simulator"
"""
SERVICE = """
[broker]
port = {broker}
ca_file = "ca/ca.pem"
cert_file = "ca/service.pem"
key_file = "ca/service.key"
[storage]
folder = "."
[http]
port = {http}
"""


class Centre:
    """A service's folder with its authority, and the broker that trusts it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ca = folder, folder / "ca"
        self.config = folder / "service.toml"
        self.broker_port = free_port()
        self.config.write_text('[storage]\nfolder = "."\n', encoding="utf-8")
        self.run("broker", "--name", "127.0.0.1")
        self.config.write_text(SERVICE.format(broker=self.broker_port, http=free_port()), encoding="utf-8")

    def run(self, action: str, *words: str) -> None:
        """`ingest-service edge`."""
        assert main(["edge", action, str(self.config), *words]) == 0

    def enrol(self, home: str, edge: str) -> Path:
        """The folder of the edge's certificate."""
        self.run("enrol", "--home", home, "--edge", edge)
        return self.ca / "edges" / home / edge

    def settings(self) -> list[str]:
        """The shipped configuration over our files."""
        text = SHIPPED.read_text().replace("/etc/mosquitto/clearstack", str(self.ca))
        text = text.replace("/var/lib/mosquitto/", f"{self.folder}/")
        assert "listener 8883\n" in text
        left_out = ("#", "per_listener_settings", "listener")
        lines = [line for line in text.splitlines() if line and not line.startswith(left_out)]
        return [*lines, "user root"] if os.getuid() == 0 else lines


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Centre:
    found = Centre(tmp_path_factory.mktemp("centre"))
    for home, edge in (("beishan", "gateway"), ("beishan", "spare"), ("donghu", "gateway")):
        found.enrol(home, edge)
    return found


@pytest.fixture(scope="module")
def broker(centre: Centre) -> Iterator[Mosquitto]:
    running = Mosquitto(centre.folder, centre.broker_port, centre.settings())
    running.start()
    yield running
    running.kill()


class Account:
    """Somebody with a certificate; `refused` says why the broker did not let them in."""

    def __init__(self, port: int, ca: Path, own: Certificate | None, topics: str = "", client_id: str = "") -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.refused, self.left = "", threading.Event()
        self._topics, self._ready = topics, threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, reconnect_on_failure=False)
        self._client.tls_set(str(ca), *((own.cert, own.key) if own else ()))
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = lambda _client, _data, one: self.heard.append((one.topic, bytes(one.payload)))
        try:
            self._client.connect("127.0.0.1", port)
        except (ssl.SSLError, OSError) as error:
            self._refuse(str(error))
            return
        self._client.loop_start()
        assert self._ready.wait(PATIENCE_S)

    def say(self, topic: str, payload: bytes) -> None:
        """Publish, and wait until the broker has taken it, or has made as if."""
        self._client.publish(topic, payload, 1).wait_for_publish(PATIENCE_S)

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, *facts: Any) -> None:
        if facts[3].is_failure:
            self._refuse(str(facts[3]))
        elif self._topics:
            self._client.subscribe(self._topics, 1)
        else:
            self._ready.set()

    def _on_disconnect(self, *facts: Any) -> None:
        self.left.set()
        if not self._ready.is_set():
            self._refuse(str(facts[3]))

    def _refuse(self, why: str) -> None:
        self.refused = why
        self._ready.set()


@contextmanager
def account(centre: Centre, name: str, topics: str = "", client_id: str = "") -> Iterator[Account]:
    """Somebody by the name of their certificate: "service", or HOME/EDGE."""
    files = centre.ca / "service" if name == "service" else centre.ca / "edges" / name / "edge"
    own = Certificate(f"{files}.pem", f"{files}.key")
    found = Account(centre.broker_port, centre.ca / "ca.pem", own, topics, client_id)
    try:
        assert found.refused == ""
        yield found
    finally:
        found.close()


@pytest.mark.parametrize(
    ("name", "topic", "allowed"),
    [
        ("beishan/gateway", "spBv1.0/beishan/NBIRTH/gateway", True),
        ("beishan/gateway", "spBv1.0/beishan/NDATA/gateway", True),
        ("beishan/gateway", "spBv1.0/beishan/DDATA/gateway/plc", True),
        ("beishan/gateway", "spBv1.0/beishan/NDATA/spare", False),
        ("beishan/gateway", "spBv1.0/beishan/DDATA/spare/plc", False),
        ("beishan/gateway", "spBv1.0/donghu/NDATA/gateway", False),
        ("beishan/gateway", "spBv1.0/donghu/NDEATH/gateway", False),
        ("beishan/gateway", "spBv1.0/beishan/NCMD/gateway", False),
        ("beishan/gateway", "spBv1.0/beishan/NCMD/spare", False),
        ("beishan/gateway", "spBv1.0/STATE/clearstack", False),
        ("beishan/gateway", "spBv1.0/beishan/NDATA/gateway/more", False),
        ("service", "spBv1.0/beishan/NCMD/gateway", True),
        ("service", "spBv1.0/beishan/DCMD/gateway/plc", True),
        ("service", "spBv1.0/beishan/NDATA/gateway", False),
    ],
)
def test_who_may_say_what(broker: Mosquitto, centre: Centre, name: str, topic: str, allowed: bool) -> None:
    with account(centre, "service", "spBv1.0/#") as listener:
        if name == "service":
            said_by(listener, topic)
        else:
            with account(centre, name) as speaker:
                said_by(speaker, topic)
        listener.say(BARRIER, b"end")
        wait_until(lambda: (BARRIER, b"end") in listener.heard)
        assert ((topic, b"said") in listener.heard) is allowed


def said_by(speaker: Account, topic: str) -> None:
    """The broker drops what is not allowed without a word, and a topic that makes no sense with the connection."""
    with suppress(RuntimeError, ValueError):
        speaker.say(topic, b"said")


def test_an_edge_hears_its_own_commands_and_no_others(broker: Mosquitto, centre: Centre) -> None:
    with account(centre, "beishan/spare", "spBv1.0/#") as edge, account(centre, "service", "spBv1.0/#") as service:
        for to in ("beishan/NCMD/gateway", "donghu/NCMD/gateway", "beishan/NCMD/spare"):
            service.say(f"spBv1.0/{to}", b"ack")
        wait_until(lambda: edge.heard)
        assert [topic for topic, payload in edge.heard if payload == b"ack"] == ["spBv1.0/beishan/NCMD/spare"]


def test_a_client_id_of_another_edge_throws_nobody_out(broker: Mosquitto, centre: Centre) -> None:
    with (
        account(centre, "beishan/gateway", client_id="beishan/gateway") as victim,
        account(centre, "donghu/gateway", client_id="beishan/gateway") as thief,
        account(centre, "service", "spBv1.0/#") as service,
    ):
        thief.say("spBv1.0/beishan/NDATA/gateway", b"stolen")
        victim.say("spBv1.0/beishan/NDATA/gateway", b"own")
        wait_until(lambda: ("spBv1.0/beishan/NDATA/gateway", b"own") in service.heard)
        assert b"stolen" not in [payload for _, payload in service.heard]
        assert not victim.left.is_set()


def test_without_a_certificate_or_with_one_of_another_authority_nobody_enters(
    broker: Mosquitto, centre: Centre, tmp_path: Path
) -> None:
    other = Centre(tmp_path)
    stranger = other.enrol("beishan", "gateway")
    for own in (None, Certificate(str(stranger / "edge.pem"), str(stranger / "edge.key"))):
        found = Account(centre.broker_port, centre.ca / "ca.pem", own)
        found.close()
        assert found.refused


def test_who_was_revoked_is_not_let_in_and_what_they_still_say_is_not_heard(tmp_path: Path) -> None:
    centre = Centre(tmp_path)
    for edge in ("lost", "kept"):
        centre.enrol("beishan", edge)
    broker = Mosquitto(centre.folder, centre.broker_port, centre.settings())
    broker.start()
    try:
        orders = "spBv1.0/beishan/NCMD/lost"
        with account(centre, "beishan/lost", orders) as lost, account(centre, "service", "spBv1.0/#") as service:
            lost.say("spBv1.0/beishan/NDATA/lost", b"before")
            service.say(orders, b"before")
            wait_until(lambda: service.heard and lost.heard)
            centre.run("revoke", "--home", "beishan", "--edge", "lost")
            broker.reload()
            with account(centre, "beishan/kept") as kept:
                lost.say("spBv1.0/beishan/NDATA/lost", b"after")
                service.say(orders, b"after")
                kept.say("spBv1.0/beishan/NDATA/kept", b"end")
                wait_until(lambda: b"end" in [payload for _, payload in service.heard])
            assert ("spBv1.0/beishan/NDATA/lost", b"after") not in service.heard
            assert lost.heard == [(orders, b"before")]
        assert tries(centre, "beishan/lost").refused, "the list of revoked certificates was read again with the rest"
        assert not tries(centre, "beishan/kept").refused
        broker.stop()
        broker.start()
        assert tries(centre, "beishan/lost").refused
    finally:
        broker.kill()


def tries(centre: Centre, name: str) -> Account:
    """Somebody who comes with their certificate, and went again."""
    files = centre.ca / "edges" / name / "edge"
    own = Certificate(f"{files}.pem", f"{files}.key")
    found = Account(centre.broker_port, centre.ca / "ca.pem", own)
    found.close()
    return found


@pytest.fixture
def agent(centre: Centre, tmp_path: Path) -> Iterator[Program]:
    """An enrolled agent and its furnace; not started."""
    port = free_port()
    burning = furnace(tmp_path, 1, port)
    site = tmp_path / "site.toml"
    edge = centre.ca / "edges" / "beishan" / "gateway"
    site.write_text(SITE.format(broker=centre.broker_port, edge=edge, furnace=port), encoding="utf-8")
    words = ("run", str(site), "--status-file", str(tmp_path / "status.json"))
    running = product(tmp_path, "agent", "edge-agent", *words)
    yield running
    running.kill()
    burning.kill()


def test_an_enrolled_edge_publishes_and_the_service_acknowledges(
    broker: Mosquitto, centre: Centre, agent: Program, tmp_path: Path
) -> None:
    def acknowledged() -> bool:
        for one in (service, agent):
            one.check()
        file = tmp_path / "status.json"
        return file.exists() and json.loads(file.read_text())["blocks_acknowledged"] > 2

    service = product(tmp_path, "service", "ingest-service", "serve", str(centre.config))
    service.start()
    try:
        agent.start()
        wait_until(acknowledged)
    finally:
        service.kill()


def test_the_audit_trail_says_who_was_enrolled(centre: Centre, capsys: pytest.CaptureFixture[str]) -> None:
    out = centre.folder / "trail.json"
    assert main(["audit", "export", str(centre.config), "--out", str(out)]) == 0
    assert "edge_enrolled" in out.read_text()
    assert '"subject":"edge beishan/gateway","home":"beishan"' in out.read_text()
    main(["edge", "list", str(centre.config)])
    assert "beishan/spare  holds" in capsys.readouterr().out
