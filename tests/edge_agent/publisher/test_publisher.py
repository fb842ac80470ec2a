from pathlib import Path

import pytest

from edge_agent.clock import SystemClock
from edge_agent.outbox import outbox as outbox_module
from edge_agent.publisher import publisher
from edge_agent.wire.topic import MessageType
from tests.edge_agent.outbox.disk import damage
from tests.edge_agent.publisher.scene import COMMAND, Scene, play, sequence
from tests.support.broker import start_mosquitto
from tests.support.host import TestHost
from tests.support.waiting import until

NBIRTH, DBIRTH, NDEATH = MessageType.NBIRTH, MessageType.DBIRTH, MessageType.NDEATH
NDATA, DDATA = MessageType.NDATA, MessageType.DDATA


def test_it_is_born_with_every_device_then_sends_and_says_farewell(host: TestHost, port: int, path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.connected()
        await scene.measure(2)
        await scene.measure(1, "")
        await until(lambda: scene.counters.blocks_acknowledged == 3)
        assert scene.outbox.state.blocks == 0

    play(path, port, story)
    host.wait(lambda: host.of(NDEATH))
    kinds = [(heard.type, heard.topic.device) for heard in host.heard]
    assert kinds[:3] == [(NBIRTH, None), (DBIRTH, "furnace-1"), (DBIRTH, "furnace-2")]
    assert sorted(kinds[3:-1], key=str) == sorted([(DDATA, "furnace-1"), (DDATA, "furnace-1"), (NDATA, None)], key=str)
    assert kinds[-1] == (NDEATH, None)
    assert sequence(host.heard) == [0, 1, 2, 3, 4, 5]
    assert {(heard.qos, heard.retained) for heard in host.heard[:-1]} == {(0, False)}
    assert (host.heard[-1].qos, host.heard[-1].payload.HasField("seq")) == (1, False)
    assert not any(message.historical for message in host.data("furnace-1"))


def test_bd_seq_is_one_for_will_birth_and_rebirth_and_moves_on_with_each_connection(
    host: TestHost, port: int, path: Path
) -> None:
    async def story(scene: Scene) -> None:
        await scene.connected()
        host.ask_rebirth(COMMAND)
        await until(lambda: scene.counters.rebirths == 1)

    for _ in range(2):
        play(path, port, story)
    host.wait(lambda: len(host.of(NDEATH)) == 2)
    assert [heard.birth.bd_seq for heard in host.of(NBIRTH) if heard.birth] == [0, 0, 1, 1]
    assert [heard.payload.metrics[0].long_value for heard in host.of(NDEATH)] == [0, 1]
    assert sequence(host.heard) == [0, 1, 2] * 4


def test_a_rebirth_holds_the_last_values_and_the_sequence_starts_anew(host: TestHost, port: int, path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.connected()
        await scene.measure(3)
        await until(lambda: scene.counters.blocks_acknowledged == 3)
        host.ask_rebirth(COMMAND)
        await until(lambda: len(host.of(DBIRTH)) == 4)

    play(path, port, story)
    births = [heard.birth for heard in host.of(DBIRTH) if heard.birth and heard.topic.device == "furnace-1"]
    assert [[sample.value for sample in birth.samples] for birth in births] == [[], [3.0]]
    assert sequence(host.heard) == [0, 1, 2, 3, 4, 5, 0, 1, 2]


def test_requests_for_rebirth_that_come_thick_are_answered_together(
    host: TestHost, port: int, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "REBIRTH_INTERVAL_MS", 500)

    async def story(scene: Scene) -> None:
        await scene.connected()
        for answered in (1, 2):
            for _ in range(40):
                host.ask_rebirth(COMMAND)
            await until(lambda least=answered: scene.counters.rebirths >= least)  # type: ignore[misc]

    play(path, port, story)
    assert 3 <= len(host.of(NBIRTH)) <= 6


def test_garbage_and_commands_of_others_are_counted_and_disturb_nothing(host: TestHost, port: int, path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.connected()
        for garbage in (b"\xff\xff\xff", b"\x12\x05hello", "鱼".encode()):
            host.send(COMMAND, garbage, qos=1)
        host.acknowledge(COMMAND, 1, epoch=12345)
        host.acknowledge(COMMAND, 2**63)
        await until(lambda: scene.outbox.refused_acknowledgements == 2)
        assert scene.counters.commands_refused == 3
        await scene.measure()
        await until(lambda: scene.counters.blocks_acknowledged == 1)

    play(path, port, story)
    assert len(host.of(NBIRTH)) == 1


def test_a_block_is_published_only_when_it_is_durable(
    host: TestHost, port: int, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "COMMIT_S", 3600)

    async def story(scene: Scene) -> None:
        await scene.connected()
        await scene.measure(3)
        host.ask_rebirth(COMMAND)
        await until(lambda: len(host.of(DBIRTH)) == 4)
        assert host.data("furnace-1") == []
        await scene.outbox.flush()
        await until(lambda: len(host.data("furnace-1")) == 3)

    play(path, port, story)


def test_between_a_request_and_its_births_no_data_are_sent(
    host: TestHost, port: int, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "REBIRTH_INTERVAL_MS", 600)

    async def story(scene: Scene) -> None:
        await scene.connected()
        host.ask_rebirth(COMMAND)
        await until(lambda: scene.counters.rebirths == 1)
        host.ask_rebirth(COMMAND)
        await until(lambda: scene.publisher.owes_births)
        await scene.measure(20)
        await until(lambda: scene.outbox.durable_number == 20)
        assert not (host.data("furnace-1") and scene.publisher.owes_births)
        await until(lambda: scene.counters.blocks_acknowledged == 20)

    play(path, port, story)
    kinds = [heard.type for heard in host.heard]
    assert kinds[:9] == [NBIRTH, DBIRTH, DBIRTH] * 3
    assert kinds[9:29] == [DDATA] * 20
    assert not any(message.historical for message in host.data("furnace-1"))


def test_a_connection_that_never_reached_the_broker_uses_no_bd_seq(tmp_path: Path, path: Path) -> None:
    with start_mosquitto(tmp_path) as broker:
        broker.stop()
        attempts: list[int] = []

        async def story(scene: Scene) -> None:
            await until(lambda: len(attempts) >= 3)
            broker.start()
            with TestHost(broker.port) as host:
                await scene.connected()
                await until(lambda: host.of(NBIRTH))
                assert [heard.birth.bd_seq for heard in host.of(NBIRTH) if heard.birth] == [0]

        play(path, broker.port, story, clock=CountingClock(attempts))


class CountingClock(SystemClock):
    """Notes when somebody asks for the wall time, as the publisher does for each will."""

    def __init__(self, asked: list[int]) -> None:
        self._asked = asked

    def wall_ms(self) -> int:
        self._asked.append(super().wall_ms())
        return self._asked[-1]


def test_the_sequence_wraps_after_255(host: TestHost, port: int, path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.connected()
        await scene.measure(600)
        await until(lambda: scene.counters.blocks_acknowledged == 600)

    play(path, port, story)
    assert sequence(host.heard) == [number % 256 for number in range(603)]


def test_a_new_outbox_means_a_new_epoch_and_births_that_tell_it(host: TestHost, port: int, path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.connected()
        await scene.measure(200)
        await until(lambda: scene.counters.blocks_acknowledged == 200)
        first = scene.outbox.epoch
        damage(path, 60_000)
        await scene.measure(3)
        await until(lambda: scene.outbox.durable_number == 203)
        await until(lambda: scene.counters.blocks_acknowledged == 203)
        assert [heard.birth.epoch for heard in host.of(NBIRTH) if heard.birth] == [first, scene.outbox.epoch]

    play(path, port, story)
