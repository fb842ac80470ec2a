from pathlib import Path

import pytest

from edge_agent.publisher import Presence, presences
from edge_agent.wire.sample import Reason
from edge_agent.wire.topic import MessageType
from tests.edge_agent.publisher.scene import COMMAND, IMPATIENT, Scene, play, sequence
from tests.support.host import TestHost, everything, nothing
from tests.support.waiting import until

NBIRTH, DBIRTH, DDATA = MessageType.NBIRTH, MessageType.DBIRTH, MessageType.DDATA
NDEATH, DDEATH = MessageType.NDEATH, MessageType.DDEATH


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
