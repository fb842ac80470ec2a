from pathlib import Path

from edge_agent.outbox import Block, GapReason
from edge_agent.publisher import Node, NodeBirths, Presence, tag_names
from edge_agent.wire.birth import Birth, ChannelBirth, decode_birth
from edge_agent.wire.command import parse_payload
from edge_agent.wire.metric import DataType
from edge_agent.wire.sample import Sample
from edge_agent.wire.topic import MessageType
from tests.edge_agent.publisher.scene import IMPATIENT, Scene, births, play
from tests.support.broker import Mosquitto
from tests.support.host import TestHost, everything, nothing
from tests.support.waiting import until

NBIRTH, DBIRTH, DDEATH = MessageType.NBIRTH, MessageType.DBIRTH, MessageType.DDEATH


def device(first: int, *names: str) -> Birth:
    pairs = enumerate(names, first + 1)
    channels = tuple(ChannelBirth(name=name, alias=alias, datatype=DataType.DOUBLE) for alias, name in pairs)
    return Birth(channels=channels, block_alias=first)


def with_devices(**devices: Birth) -> NodeBirths:
    return NodeBirths(births().node, {name.replace("_", "-"): birth for name, birth in devices.items()})


def test_last_values_go_with_their_tags_to_other_aliases() -> None:
    node = Node("home-1", "edge-1", births())
    node.remember([Block(1, "furnace-1", (Sample(11, 5, 1.0), Sample(12, 5, 2.0)))])
    node.use_births(with_devices(furnace_1=device(10, "o2", "so2")))
    birth = decode_birth(parse_payload(node.device_birth("furnace-1", 9).payload))
    assert [channel.name for channel in birth.channels] == ["o2", "so2"]
    assert birth.samples == (Sample(11, 5, 2.0),)
    assert node.devices == {"furnace-1"}


def test_other_births_are_told_at_once_and_data_goes_on_in_the_same_session(
    broker: Mosquitto, host: TestHost, tmp_path: Path
) -> None:
    async def story(scene: Scene) -> None:
        await scene.connected()
        await scene.measure(3)
        await until(lambda: scene.counters.blocks_acknowledged == 3)
        await scene.publisher.use_births(with_devices(furnace_1=device(10, "co", "o2"), furnace_3=device(30, "co")))
        await scene.outbox.append("furnace-3", [Sample(31, 1_800_000_000_000, 7.0)])
        await until(lambda: scene.counters.blocks_acknowledged == 4)
        assert (scene.counters.connections, scene.counters.rebirths) == (1, 1)

    play(tmp_path / "outbox.db", broker.port, story)
    kinds = [(heard.type, heard.topic.device) for heard in host.heard]
    assert kinds[6:9] == [(NBIRTH, None), (DBIRTH, "furnace-1"), (DBIRTH, "furnace-3")]
    assert [heard.birth.bd_seq for heard in host.of(NBIRTH) if heard.birth] == [0, 0]
    assert [message.columns.values for message in host.data("furnace-3")] == [[7.0]]


def test_what_waits_is_sent_under_the_aliases_of_the_new_births_and_what_has_no_tag_is_a_gap(
    broker: Mosquitto, host: TestHost, tmp_path: Path
) -> None:
    host.acknowledges = nothing

    async def story(scene: Scene) -> None:
        await scene.outbox.use_tags(tag_names(births()))
        await scene.connected()
        await scene.measure(20)
        await scene.measure(5, "furnace-2")
        await scene.outbox.flush()
        await until(lambda: len(host.data("furnace-1")) == 20)
        await scene.publisher.use_births(with_devices(furnace_1=device(40, "so2", "co")))
        host.acknowledges = everything
        await until(lambda: scene.outbox.state.blocks == 0)
        [gap] = await scene.outbox.gaps()
        assert (gap.device, gap.samples, gap.reason) == ("furnace-2", 5, GapReason.NOT_CONFIGURED)

    play(tmp_path / "outbox.db", broker.port, story, IMPATIENT)
    keys = {(key, message.historical) for message in host.data("furnace-1") for key in message.columns.keys}
    assert (11, False) in keys
    assert (42, True) in keys
    after = host.heard.index(host.of(NBIRTH)[1])
    later = [heard.data for heard in host.heard[after:] if heard.data and heard.topic.device == "furnace-1"]
    assert {key for message in later for key in message.columns.keys} == {42}


def test_the_death_of_a_device_that_is_gone_is_forgotten(broker: Mosquitto, host: TestHost, tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.connected()
        scene.publisher.device_changed("furnace-2", Presence.DOWN)
        await until(lambda: host.of(DDEATH))
        await scene.publisher.use_births(with_devices(furnace_1=device(10, "co", "o2")))
        await until(lambda: len(host.of(NBIRTH)) == 2)
        await scene.publisher.use_births(births())
        await until(lambda: len(host.of(NBIRTH)) == 3)
        await scene.measure(1, "furnace-2")
        await until(lambda: scene.counters.blocks_acknowledged == 1)

    play(tmp_path / "outbox.db", broker.port, story)
    assert len(host.of(DDEATH)) == 1
    assert not any(message.historical for message in host.data("furnace-2"))


def test_how_far_our_clock_is_behind_is_seen_from_the_centres_commands(
    broker: Mosquitto, host: TestHost, tmp_path: Path
) -> None:
    async def story(scene: Scene) -> None:
        await scene.connected()
        assert scene.counters.clock_behind_ms is None
        await scene.measure()
        await until(lambda: scene.counters.blocks_acknowledged == 1)
        assert scene.counters.clock_behind_ms is not None
        assert -2_000 < scene.counters.clock_behind_ms <= 0

    play(tmp_path / "outbox.db", broker.port, story)
