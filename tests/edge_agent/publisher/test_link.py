import asyncio
import socket
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from edge_agent.config import Broker
from edge_agent.errors import ConfigError, LinkError
from edge_agent.publisher.link import Credentials, Link, connect
from edge_agent.publisher.node import Message
from edge_agent.wire.command import encode_death
from edge_agent.wire.mqtt import MqttVersion
from edge_agent.wire.topic import MessageType, Topic
from tests.support.broker import free_port, start_mosquitto
from tests.support.host import TestHost
from tests.support.waiting import until

WILL = Message("spBv1.0/home/NDEATH/edge", encode_death(7, 1), qos=1)
COMMANDS = "spBv1.0/home/NCMD/edge"


def link_to(broker: Broker, story: Callable[[Link], Awaitable[None]], credentials: Credentials | None = None) -> None:
    """Run a story with a connection."""

    async def scene() -> None:
        found = credentials or Credentials()
        async with connect(broker, found, "home-edge", WILL, COMMANDS, lambda: None) as link:
            await story(link)

    asyncio.run(scene())


async def done(_: Link) -> None:
    """Nothing more than being connected."""


def test_a_closed_port_is_a_link_error() -> None:
    with pytest.raises(LinkError, match="cannot connect to"):
        link_to(Broker(host="127.0.0.1", port=free_port()), done)


def test_an_unknown_host_is_a_link_error() -> None:
    with pytest.raises(LinkError, match="cannot connect to nowhere"):
        link_to(Broker(host="nowhere.invalid"), done)


def test_a_server_that_never_answers_is_a_link_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_agent.publisher.link.CONNECT_TIMEOUT_S", 0.1)
    monkeypatch.setattr("edge_agent.publisher.link.ANSWER_TIMEOUT_S", 0.1)

    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(LinkError, match="no answer"):
        link_to(Broker(host="127.0.0.1", port=silent.getsockname()[1]), done)


def test_a_wrong_password_is_refused_and_the_right_one_is_not(tmp_path: Path) -> None:
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "edge", "right"], check=True, capture_output=True)
    passwords.chmod(0o644)
    tmp_path.chmod(0o755)
    settings = (f"password_file {passwords}", "user root")
    with start_mosquitto(tmp_path, [*settings, "allow_anonymous false"]) as mosquitto:
        broker = Broker(host="127.0.0.1", port=mosquitto.port)
        with pytest.raises(LinkError, match="Not authorized"):
            link_to(broker, done, Credentials("edge", "wrong"))
        link_to(broker, done, Credentials("edge", "right"))


def test_a_cut_connection_leaves_the_will_and_a_farewell_leaves_one_death(tmp_path: Path) -> None:
    async def cut(link: Link) -> None:
        link.publish(Message("spBv1.0/home/NDATA/edge", encode_death(1, 1)))

    async def part(link: Link) -> None:
        await link.farewell(Message(WILL.topic, encode_death(8, 1), qos=1))

    with start_mosquitto(tmp_path) as mosquitto, TestHost(mosquitto.port) as host:
        broker = Broker(host="127.0.0.1", port=mosquitto.port)
        link_to(broker, cut)
        host.wait(lambda: len(host.of(MessageType.NDEATH)) == 1)
        link_to(broker, part)
        host.wait(lambda: len(host.of(MessageType.NDEATH)) == 2)
        link_to(broker, cut)
        host.wait(lambda: len(host.of(MessageType.NDEATH)) == 3)
        deaths = [heard.payload.metrics[0].long_value for heard in host.of(MessageType.NDEATH)]
        assert deaths == [7, 8, 7]


def test_a_broker_that_goes_is_noticed(tmp_path: Path) -> None:
    with start_mosquitto(tmp_path) as mosquitto:

        async def story(link: Link) -> None:
            link.check()
            mosquitto.kill()

            def lost() -> bool:
                try:
                    link.check()
                except LinkError:
                    return True
                return False

            await until(lost)
            with pytest.raises(LinkError):
                link.publish(WILL)

        link_to(Broker(host="127.0.0.1", port=mosquitto.port), story)


def test_a_password_comes_from_the_environment_or_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    broker = Broker(host="127.0.0.1", username="edge", password_env="EDGE_PASSWORD")
    with pytest.raises(ConfigError, match="EDGE_PASSWORD is not set"):
        Credentials.of(broker)
    monkeypatch.setenv("EDGE_PASSWORD", "secret")
    assert Credentials.of(broker) == Credentials("edge", "secret")
    assert Credentials.of(Broker(host="127.0.0.1")) == Credentials()


def test_a_password_comes_from_a_file_without_the_end_of_its_line(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("secret \n", encoding="utf-8")
    broker = Broker(host="127.0.0.1", username="edge", password_file=str(file))
    assert Credentials.of(broker) == Credentials("edge", "secret ")


@pytest.mark.parametrize(
    ("content", "password_env", "problem"),
    [
        (None, "", "cannot be read"),
        (b"\xff", "", "cannot be read"),
        (b"\n", "", "is empty"),
        (b"secret", "EDGE_PASSWORD", "name one of them"),
    ],
)
def test_a_file_that_holds_no_password_is_one_line(
    tmp_path: Path, content: bytes | None, password_env: str, problem: str
) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    broker = Broker(host="127.0.0.1", password_env=password_env, password_file=str(file))
    with pytest.raises(ConfigError, match=problem):
        Credentials.of(broker)


def test_with_mqtt_5_a_session_is_clean_and_ends_with_the_connection(tmp_path: Path) -> None:
    with start_mosquitto(tmp_path, ["log_type all"]) as broker, TestHost(broker.port) as host:

        async def story(link: Link) -> None:
            host.send(Topic("home", MessageType.NCMD, "edge"), b"one", qos=1)
            await until(lambda: link.take_commands() == [b"one"])
            await link.farewell(WILL)

        link_to(Broker(host="127.0.0.1", port=broker.port, mqtt=MqttVersion.V5), story)
        host.wait(lambda: len(host.of(MessageType.NDEATH)) == 2)  # said, and by the reason code of the disconnection
        connected = next(line for line in broker.log().splitlines() if "as home-edge" in line)
        assert "(p5, c1, k15)" in connected
