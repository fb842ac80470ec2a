import time
from contextlib import closing
from pathlib import Path

from edge_agent.config import OutboxLimits
from edge_agent.outbox import Block, OutboxFile
from edge_agent.publisher import PacingLimits
from edge_agent.publisher.window import WindowLimits
from edge_agent.wire.sample import Sample
from edge_agent.wire.topic import MessageType
from tests.edge_agent.publisher.scene import IMPATIENT, Scene, play
from tests.support.broker import start_mosquitto
from tests.support.host import Heard, TestHost, everything, nothing
from tests.support.waiting import until

NBIRTH, DDATA = MessageType.NBIRTH, MessageType.DDATA
NOW_MS = time.time_ns() // 1_000_000


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
        assert len(scene.pacing.under_way) <= 1
        host.acknowledges = everything
        await until(lambda: scene.counters.blocks_acknowledged == 60)

    play(path, port, story, limits)


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
