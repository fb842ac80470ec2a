import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.publisher.primary_host import PrimaryHost
from edge_agent.wire.command import HostState, encode_state
from edge_agent.wire.topic import MessageType
from tests.edge_agent.publisher.scene import Scene, play
from tests.support.broker import Mosquitto, start_mosquitto
from tests.support.host import TestHost
from tests.support.waiting import until

NBIRTH, NDEATH = MessageType.NBIRTH, MessageType.NDEATH


@pytest.mark.parametrize(
    ("heard", "online"),
    [
        pytest.param([], False, id="nothing yet"),
        pytest.param([(True, 5)], True, id="online"),
        pytest.param([(False, 5)], False, id="offline"),
        pytest.param([(True, 5), (False, 5)], False, id="offline at the time of its birth: its will"),
        pytest.param([(True, 5), (False, 4)], True, id="the will of an earlier connection"),
        pytest.param([(True, 5), (False, 9), (True, 7)], False, id="an old word of being online"),
        pytest.param([(True, 5), (False, 9), (True, 9)], True, id="online again"),
    ],
)
def test_the_latest_word_of_a_host_counts(heard: list[tuple[bool, int]], online: bool) -> None:
    host = PrimaryHost()
    for state in heard:
        host.hear(HostState(*state))
    assert host.online is online


def test_on_a_new_connection_it_must_be_heard_anew_and_not_with_an_older_word() -> None:
    host = PrimaryHost()
    host.hear(HostState(True, 5))
    host.connected()
    assert not host.online
    host.hear(HostState(True, 4))
    assert not host.online
    host.hear(HostState(True, 5))
    assert host.online


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with start_mosquitto(tmp_path) as running:
        yield running


def test_without_its_primary_host_an_edge_is_silent_and_keeps_what_it_measures(
    broker: Mosquitto, tmp_path: Path
) -> None:
    said_ms: list[int] = []
    with TestHost(broker.port) as host:

        def say(name: str, online: bool, at_ms: int) -> None:
            host.say_state(name, encode_state(HostState(online, at_ms)))

        async def story(scene: Scene) -> None:
            say("another", True, 50)
            say("centre", False, 100)
            await scene.measure(3)
            await until(lambda: scene.outbox.durable_number == 3)
            said_ms.append(time.time_ns() // 1_000_000)
            say("centre", True, 200)
            await until(lambda: scene.counters.blocks_acknowledged == 3)
            say("centre", False, 199)
            await scene.measure(1)
            await until(lambda: scene.counters.blocks_acknowledged == 4)
            say("centre", False, 200)
            await until(lambda: host.of(NDEATH))
            await scene.measure(2)
            await until(lambda: scene.outbox.durable_number == 6)
            say("centre", True, 300)
            await until(lambda: scene.counters.blocks_acknowledged == 6)

        play(tmp_path / "outbox.db", broker.port, story, primary_host="centre")
        host.wait(lambda: len(host.of(NDEATH)) == 2)
        assert host.heard[0].payload.timestamp >= said_ms[0]
        births = [heard.birth.bd_seq or 0 for heard in host.of(NBIRTH) if heard.birth]
        deaths = [heard.payload.metrics[0].long_value for heard in host.of(NDEATH)]
        assert births == deaths == sorted(set(births))
        data = host.data("furnace-1")
        assert [(message.block, message.historical) for message in data] == [
            (1, True), (2, True), (3, True), (4, False), (5, True), (6, True),
        ]  # fmt: skip


def test_garbage_in_the_name_of_the_primary_host_is_counted_and_ignored(broker: Mosquitto, tmp_path: Path) -> None:
    with TestHost(broker.port) as host:

        async def story(scene: Scene) -> None:
            host.say_state("centre", b'{"online": 3}')
            await until(lambda: scene.counters.commands_refused == 1)
            assert not host.heard
            host.say_state("centre", encode_state(HostState(True, 1)))
            await scene.connected()

        play(tmp_path / "outbox.db", broker.port, story, primary_host="centre")
