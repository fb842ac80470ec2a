"""The broker as it is shipped: who may say what, and that only the service can acknowledge."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from edge_agent.wire.birth import decode_birth
from edge_agent.wire.command import Acknowledgement, encode_acknowledgement, encode_rebirth, parse_payload
from edge_agent.wire.topic import MessageType, Topic
from tests.conformance.edge_story import COMMAND, EDGE, HOME, SITE, furnace
from tests.conformance.speaking_edge import now_ms
from tests.support.broker import Mosquitto, free_port, start_mosquitto
from tests.support.program import Program, product
from tests.support.waiting import PATIENCE_S, wait_until

SHIPPED = Path(__file__).parents[2] / "deploy" / "mosquitto"
PASSWORDS = {"clearstack": "c", "scada": "s", HOME: "h", "home-2": "i"}
BARRIER = "spBv1.0/STATE/clearstack"


def shipped_settings(folder: Path) -> list[str]:
    """The shipped configuration with the accounts of the test, its files in `folder`."""
    passwords = folder / "passwords"
    passwords.write_text("".join(f"{name}:{word}\n" for name, word in PASSWORDS.items()))
    subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True, capture_output=True)
    (folder / "acl").write_text((SHIPPED / "acl").read_text())
    text = (SHIPPED / "mosquitto.conf").read_text()
    assert "listener 1883\n" in text
    text = text.replace("listener 1883\n", "").replace("/etc/mosquitto/clearstack", str(folder))
    text = text.replace("/var/lib/mosquitto/", f"{folder}/")
    lines = [line for line in text.splitlines() if line and not line.startswith(("#", "per_listener_settings"))]
    return [*lines, "user root"] if os.getuid() == 0 else lines


class Account:
    """Somebody at the broker, and what was heard."""

    def __init__(self, port: int, name: str, topics: str = "") -> None:
        self.heard: list[tuple[str, bytes]] = []
        self._topics, self._ready = topics, threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.username_pw_set(name, PASSWORDS[name])
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = lambda _client, _data, one: self.heard.append((one.topic, bytes(one.payload)))
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        if not self._ready.wait(PATIENCE_S):
            raise TimeoutError("the broker did not answer")

    def say(self, topic: str, payload: bytes) -> None:
        """Publish, and wait until the broker has taken it, or has made as if."""
        self._client.publish(topic, payload, 1).wait_for_publish(PATIENCE_S)

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, *_: Any) -> None:
        if self._topics:
            self._client.subscribe(self._topics, 1)
        else:
            self._ready.set()


@contextmanager
def account(broker: Mosquitto, name: str, topics: str = "") -> Iterator[Account]:
    """Somebody with an account."""
    found = Account(broker.port, name, topics)
    try:
        yield found
    finally:
        found.close()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    folder = tmp_path_factory.mktemp("broker")
    with start_mosquitto(folder, shipped_settings(folder)) as running:
        yield running


def test_without_an_account_nobody_enters(broker: Mosquitto) -> None:
    refused = threading.Event()
    stranger = mqtt.Client(CallbackAPIVersion.VERSION2)

    def on_connect(*facts: Any) -> None:
        if facts[3].is_failure:
            refused.set()

    stranger.on_connect = on_connect
    stranger.connect("127.0.0.1", broker.port)
    stranger.loop_start()
    assert refused.wait(PATIENCE_S)
    stranger.disconnect()
    stranger.loop_stop()


@pytest.mark.parametrize(
    ("name", "topic", "allowed"),
    [
        (HOME, f"spBv1.0/{HOME}/NBIRTH/{EDGE}", True),
        (HOME, f"spBv1.0/{HOME}/NDATA/{EDGE}", True),
        (HOME, f"spBv1.0/{HOME}/NDEATH/{EDGE}", True),
        (HOME, f"spBv1.0/{HOME}/DBIRTH/{EDGE}/plc", True),
        (HOME, f"spBv1.0/{HOME}/DDATA/{EDGE}/plc", True),
        (HOME, f"spBv1.0/{HOME}/DDEATH/{EDGE}/plc", True),
        (HOME, f"spBv1.0/home-2/NBIRTH/{EDGE}", False),
        (HOME, f"spBv1.0/home-2/DDATA/{EDGE}/plc", False),
        (HOME, f"spBv1.0/home-2/NDEATH/{EDGE}", False),
        (HOME, f"spBv1.0/{HOME}/NCMD/{EDGE}", False),
        (HOME, "spBv1.0/home-2/NCMD/gateway", False),
        (HOME, "spBv1.0/STATE/scada", False),
        ("home-2", f"spBv1.0/{HOME}/NDATA/{EDGE}", False),
        ("scada", "spBv1.0/STATE/scada", True),
        ("scada", "spBv1.0/STATE/other", False),
        ("scada", f"spBv1.0/{HOME}/NCMD/{EDGE}", False),
        ("scada", f"spBv1.0/{HOME}/DCMD/{EDGE}/plc", False),
        ("scada", f"spBv1.0/{HOME}/NDATA/{EDGE}", False),
        ("scada", "anything", False),
        ("clearstack", f"spBv1.0/{HOME}/NCMD/{EDGE}", True),
        ("clearstack", f"spBv1.0/{HOME}/DCMD/{EDGE}/plc", True),
        ("clearstack", f"spBv1.0/{HOME}/NDATA/{EDGE}", False),
    ],
)
def test_who_may_say_what(broker: Mosquitto, name: str, topic: str, allowed: bool) -> None:
    with account(broker, "clearstack", "spBv1.0/#") as listener, account(broker, name) as speaker:
        speaker.say(topic, b"said")
        listener.say(BARRIER, b"end")
        wait_until(lambda: (BARRIER, b"end") in listener.heard)
        assert ((topic, b"said") in listener.heard) is allowed


def test_an_edge_hears_its_own_commands_only_and_other_hosts_hear_everything(broker: Mosquitto) -> None:
    with (
        account(broker, "home-2", "spBv1.0/#") as other,
        account(broker, HOME, f"spBv1.0/{HOME}/NCMD/+") as edge,
        account(broker, "scada", "spBv1.0/#") as scada,
        account(broker, "clearstack") as service,
    ):
        service.say(str(COMMAND), b"yours")
        service.say(f"spBv1.0/home-2/NCMD/{EDGE}", b"theirs")
        wait_until(lambda: len([one for one in scada.heard if one[1] in (b"yours", b"theirs")]) == 2)
        wait_until(lambda: (f"spBv1.0/home-2/NCMD/{EDGE}", b"theirs") in other.heard)
        assert [payload for _, payload in edge.heard] == [b"yours"]
        assert not [one for one in other.heard if one[1] == b"yours"]


@pytest.fixture
def agent(broker: Mosquitto, tmp_path: Path) -> Iterator[Program]:
    """An agent with its account, and its furnace."""
    port = free_port()
    burning = furnace(tmp_path, 1, port)
    text = SITE.format(broker=broker.port, mqtt="3.1.1", primary_host="")
    text = text.replace("[broker]\n", f'[broker]\nusername = "{HOME}"\npassword_env = "EDGE_PASSWORD"\n')
    device = f'[[connection]]\nname = "plc"\nhost = "127.0.0.1"\nport = {port}\n'
    device += '[[device]]\nname = "furnace-1"\nfurnace = "1"\nconnection = "plc"\nprofile = "simulator"\n'
    site = tmp_path / "site.toml"
    site.write_text(text + device, encoding="utf-8")
    words = ("run", str(site), "--status-file", str(tmp_path / "status.json"))
    running = product(tmp_path, "agent", "edge-agent", *words, settings={"EDGE_PASSWORD": PASSWORDS[HOME]})
    running.start()
    yield running
    running.kill()
    burning.kill()


def test_a_foreign_host_listens_unharmed_and_its_acknowledgement_has_no_effect(
    broker: Mosquitto, agent: Program, tmp_path: Path
) -> None:
    def acknowledged() -> int:
        file = tmp_path / "status.json"
        found = json.loads(file.read_text())["blocks_acknowledged"] if file.exists() else 0
        assert isinstance(found, int)
        return found

    with account(broker, "scada", "spBv1.0/#") as scada, account(broker, "clearstack", "spBv1.0/#") as service:
        ask = encode_rebirth(now_ms())
        wait_until(lambda: len(heard_of(service, MessageType.DDATA)) >= 4, 30)  # so blocks 1 to 3 are on its disk
        service.say(str(COMMAND), ask)
        wait_until(lambda: len(heard_of(service, MessageType.NBIRTH)) >= 1)
        birth = decode_birth(parse_payload(heard_of(service, MessageType.NBIRTH)[-1]))
        assert birth.epoch is not None
        everything = encode_acknowledgement(Acknowledgement(birth.epoch, ((1, 3),)), now_ms(), birth.command_aliases)
        scada.say(str(COMMAND), everything)
        births = len(heard_of(service, MessageType.NBIRTH))
        service.say(str(COMMAND), ask)
        wait_until(lambda: len(heard_of(service, MessageType.NBIRTH)) > births)
        assert acknowledged() == 0
        assert heard_of(scada, MessageType.DDATA)
        service.say(str(COMMAND), everything)
        wait_until(lambda: acknowledged() == 3)


def heard_of(listener: Account, kind: MessageType) -> list[bytes]:
    """The payloads of the agent's messages of a type."""
    device = "furnace-1" if kind.is_device else None
    topic = str(Topic(HOME, kind, EDGE, device))
    return [payload for name, payload in list(listener.heard) if name == topic]
