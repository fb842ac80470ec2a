import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edge_agent.clock import SystemClock
from edge_agent.config import OutboxLimits
from edge_agent.outbox import Block, OutboxFile
from edge_agent.outbox import outbox as outbox_module
from edge_agent.publisher import PacingLimits, Presence, presences, publisher
from edge_agent.publisher.window import WindowLimits
from edge_agent.wire.sample import Reason, Sample
from edge_agent.wire.topic import MessageType
from tests.edge_agent.publisher.scene import COMMAND, IMPATIENT, Scene, play
from tests.support.broker import Mosquitto, start_mosquitto
from tests.support.host import Heard, TestHost, everything, nothing
from tests.support.waiting import until

NBIRTH, DBIRTH, NDEATH, DDEATH = MessageType.NBIRTH, MessageType.DBIRTH, MessageType.NDEATH, MessageType.DDEATH
DDATA, NDATA = MessageType.DDATA, MessageType.NDATA
NOW_MS = time.time_ns() // 1_000_000


@pytest.fixture(scope="module")
def shared_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with start_mosquitto(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture
def host(shared_broker: Mosquitto) -> Iterator[TestHost]:
    with TestHost(shared_broker.port) as listening:
        yield listening


@pytest.fixture
def port(shared_broker: Mosquitto) -> int:
    return shared_broker.port


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


def sequence(heard: list[Heard]) -> list[int]:
    return [message.payload.seq for message in heard if message.type is not NDEATH]


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


def test_what_was_measured_without_a_broker_follows_as_history_apart_from_what_is_live(
    tmp_path: Path, path: Path
) -> None:
    with start_mosquitto(tmp_path) as broker:
        broker.stop()

        async def story(scene: Scene) -> None:
            await scene.measure(300)
            await until(lambda: scene.outbox.durable_number == 300)
            broker.start()
            with TestHost(broker.port) as host:
                await scene.connected()
                await scene.measure(5)
                await until(lambda: scene.counters.blocks_acknowledged == 305)
                messages = host.data("furnace-1")
                history = [message.block for message in messages if message.historical]
                assert history == list(range(1, 301))
                assert [message.block for message in messages if not message.historical] == list(range(301, 306))
                flags = [{metric.is_historical for metric in heard.payload.metrics} for heard in host.of(DDATA)]
                assert all(len(flag) == 1 for flag in flags)

        play(path, broker.port, story)


def test_blocks_whose_acknowledgement_is_lost_are_sent_again_as_history(host: TestHost, port: int, path: Path) -> None:
    seen: set[int] = set()

    def second_time_only(heard: Heard) -> bool:
        assert heard.data
        known = heard.data.block in seen
        seen.add(heard.data.block)
        return known

    host.acknowledges = second_time_only

    async def story(scene: Scene) -> None:
        await scene.connected()
        await scene.measure(20)
        await until(lambda: scene.counters.blocks_acknowledged == 20)
        assert scene.outbox.state.blocks == 0

    play(path, port, story, IMPATIENT)
    messages = host.data("furnace-1")
    assert [message.block for message in messages if not message.historical] == list(range(1, 21))
    assert {message.block for message in messages if message.historical} == set(range(1, 21))
    values = {message.block: message.columns.values for message in messages}
    assert all(message.columns.values == values[message.block] for message in messages)


def test_no_live_block_is_sent_again_behind_a_backlog_that_nobody_acknowledges(
    host: TestHost, port: int, path: Path
) -> None:
    host.acknowledges = nothing

    async def before(scene: Scene) -> None:
        await scene.measure(200)
        await until(lambda: scene.outbox.durable_number == 200)

    play(path, port, before)
    host.heard.clear()
    host.acknowledges = lambda heard: heard.data is not None and not heard.data.historical

    async def story(scene: Scene) -> None:
        await scene.connected()
        for number in range(1, 11):
            await scene.measure()
            await until(lambda sent=number: scene.counters.blocks_acknowledged == sent)  # type: ignore[misc]
        await until(lambda: scene.counters.blocks_resent > 64 + 3)

    play(path, port, story, PacingLimits(first_timeout_ms=1500, least_timeout_ms=1500, most_timeout_ms=1500))
    live = [message.block for message in host.data("furnace-1") if message.block > 200]
    assert live == list(range(201, 211))


def test_while_the_centre_is_silent_history_is_tried_block_by_block(host: TestHost, port: int, path: Path) -> None:
    host.acknowledges = nothing
    limits = PacingLimits(window=WindowLimits(first=8), first_timeout_ms=80, least_timeout_ms=50, most_timeout_ms=120)

    async def story(scene: Scene) -> None:
        await scene.measure(60)
        await until(lambda: scene.outbox.durable_number == 60)
        await until(lambda: scene.counters.blocks_resent >= 10)
        assert len(scene.publisher._pacing.under_way) <= 1
        host.acknowledges = everything
        await until(lambda: scene.counters.blocks_acknowledged == 60)

    play(path, port, story, limits)


def told_of(host: TestHost, device: str) -> list[tuple[MessageType, int, bool]]:
    """What the host heard of a device: type, block number, whether it is history."""
    return [
        (heard.type, heard.data.block if heard.data else 0, bool(heard.data and heard.data.historical))
        for heard in host.heard
        if heard.topic.device == device
    ]


def test_a_device_dies_after_the_samples_that_say_why_and_is_silent_until_it_is_born_again(
    host: TestHost, port: int, path: Path
) -> None:
    async def story(scene: Scene) -> None:
        await scene.connected()
        await scene.measure(2)
        await scene.measure(reason=Reason.TIMEOUT)
        scene.publisher.device_changed("furnace-1", Presence.DOWN)
        await scene.measure(1, "furnace-2")
        await until(lambda: scene.counters.blocks_acknowledged == 4)
        await scene.measure(reason=Reason.TIMEOUT)
        await scene.measure(1, "furnace-2")
        await until(lambda: scene.counters.blocks_acknowledged == 5)
        scene.publisher.device_changed("furnace-1", Presence.UP)
        await scene.measure(1)
        await until(lambda: scene.counters.blocks_acknowledged == 7)

    play(path, port, story)
    told = told_of(host, "furnace-1")
    assert told[:6] == [
        (DBIRTH, 0, False), (DDATA, 1, False), (DDATA, 2, False), (DDATA, 3, False), (DDEATH, 0, False),
        (DBIRTH, 0, False),
    ]  # fmt: skip
    assert set(told[6:]) == {(DDATA, 7, False), (DDATA, 5, True)}
    assert [seq % 256 for seq in sequence(host.heard)] == list(range(12))


def test_what_waits_of_a_device_that_stays_dead_is_told_between_a_birth_and_another_death(
    host: TestHost, port: int, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presences, "PAUSE_MS", 300)
    host.acknowledges = nothing

    async def story(scene: Scene) -> None:
        await scene.connected()
        await scene.measure(3)
        scene.publisher.device_changed("furnace-1", Presence.DOWN)
        await until(lambda: host.of(DDEATH))
        host.acknowledges = everything
        await until(lambda: scene.counters.blocks_acknowledged == 3)
        await until(lambda: len(host.of(DDEATH)) == 2)

    play(path, port, story, IMPATIENT)
    told = told_of(host, "furnace-1")
    first_death = told.index((DDEATH, 0, False))
    assert told[: first_death + 2] == [
        (DBIRTH, 0, False), (DDATA, 1, False), (DDATA, 2, False), (DDATA, 3, False), (DDEATH, 0, False),
        (DBIRTH, 0, False),
    ]  # fmt: skip
    assert {(kind, historical) for kind, _, historical in told[first_death + 2 : -1]} == {(DDATA, True)}
    assert told[-1] == (DDEATH, 0, False)


def test_a_device_that_was_dead_before_the_session_tells_its_history_before_its_death(
    host: TestHost, port: int, path: Path
) -> None:
    host.acknowledges = nothing

    async def before(scene: Scene) -> None:
        await scene.measure(5)
        await until(lambda: scene.outbox.durable_number == 5)

    play(path, port, before)
    host.heard.clear()
    host.acknowledges = everything

    async def story(scene: Scene) -> None:
        scene.publisher.device_changed("furnace-1", Presence.DOWN)
        await until(lambda: scene.counters.blocks_acknowledged == 5)
        await until(lambda: host.of(DDEATH))

    play(path, port, story)
    history = [(DDATA, number, True) for number in range(1, 6)]
    assert told_of(host, "furnace-1") == [(DBIRTH, 0, False), *history, (DDEATH, 0, False)]


def test_between_a_request_and_its_births_no_data_are_sent(
    host: TestHost, port: int, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "REBIRTH_INTERVAL_MS", 600)

    async def story(scene: Scene) -> None:
        await scene.connected()
        host.ask_rebirth(COMMAND)
        await until(lambda: scene.counters.rebirths == 1)
        host.ask_rebirth(COMMAND)
        await until(lambda: scene.publisher._rebirth_wanted_ms is not None)
        await scene.measure(20)
        await until(lambda: scene.outbox.durable_number == 20)
        assert not host.data("furnace-1")
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
            scene.publisher._clock = CountingClock(attempts)
            await until(lambda: len(attempts) >= 3)
            broker.start()
            with TestHost(broker.port) as host:
                await scene.connected()
                await until(lambda: host.of(NBIRTH))
                assert [heard.birth.bd_seq for heard in host.of(NBIRTH) if heard.birth] == [0]

        play(path, broker.port, story)


class CountingClock(SystemClock):
    """Notes when somebody asks for the wall time, as the publisher does for each will."""

    def __init__(self, asked: list[int]) -> None:
        self._asked = asked

    def wall_ms(self) -> int:
        self._asked.append(super().wall_ms())
        return self._asked[-1]


def test_a_rebirth_announces_a_dead_device_and_its_death(host: TestHost, port: int, path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.connected()
        scene.publisher.device_changed("furnace-2", Presence.DOWN)
        await until(lambda: host.of(DDEATH))
        host.ask_rebirth(COMMAND)
        await until(lambda: len(host.of(DDEATH)) == 2)

    play(path, port, story)
    kinds = [(heard.type, heard.topic.device) for heard in host.heard if heard.type is not NDEATH]
    assert kinds[-4:] == [(NBIRTH, None), (DBIRTH, "furnace-1"), (DBIRTH, "furnace-2"), (DDEATH, "furnace-2")]


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
        scene.outbox._file._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with path.open("r+b") as raw:
            raw.seek(4096)
            raw.write(b"\xa5" * 60_000)
        scene.outbox._file._db.execute("PRAGMA shrink_memory")
        await scene.measure(3)
        await until(lambda: scene.outbox.durable_number == 203)
        await until(lambda: scene.counters.blocks_acknowledged == 203)
        assert [heard.birth.epoch for heard in host.of(NBIRTH) if heard.birth] == [first, scene.outbox.epoch]

    play(path, port, story)


def test_it_comes_back_after_the_broker_was_killed_and_nothing_is_lost(tmp_path: Path, path: Path) -> None:
    with start_mosquitto(tmp_path) as broker, TestHost(broker.port) as host:

        async def story(scene: Scene) -> None:
            await scene.connected()
            await scene.measure(10)
            await until(lambda: scene.counters.blocks_acknowledged == 10)
            broker.kill()
            await scene.measure(50)
            await until(lambda: scene.outbox.durable_number == 60)
            broker.start()
            await scene.connected(2)
            await scene.measure(10)
            await until(lambda: scene.counters.blocks_acknowledged == 70)

        play(path, broker.port, story, IMPATIENT)
        assert {message.block for message in host.data("furnace-1")} == set(range(1, 71))
        births = [heard.birth.bd_seq or 0 for heard in host.of(NBIRTH) if heard.birth]
        assert births == sorted(set(births))


def test_a_long_history_is_gone_in_seconds_and_live_values_pass_it(host: TestHost, port: int, path: Path) -> None:
    past = [Block(number, "furnace-1", (Sample(11, NOW_MS, float(number)),) * 20) for number in range(1, 5001)]
    with closing(OutboxFile.open(OutboxLimits(path=path), NOW_MS)) as file:
        file.append(past, NOW_MS)

    async def story(scene: Scene) -> None:
        await scene.connected()
        await scene.measure(1, "furnace-2")
        await until(lambda: scene.counters.blocks_acknowledged == 5001)

    play(path, port, story)
    told = [heard.topic.device for heard in host.of(DDATA)]
    assert told.count("furnace-1") == 5000
    assert told.index("furnace-2") < 4000
    assert all(message.historical for message in host.data("furnace-1"))
