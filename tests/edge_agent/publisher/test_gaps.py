"""What the centre will never get is told it, until it has answered; and births tell what was acknowledged."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from edge_agent.outbox import Gap, GapReason
from edge_agent.publisher import NodeBirths
from edge_agent.wire.gap import FIRST_GAP_BLOCK, NumberedGap, decode_gap
from edge_agent.wire.topic import MessageType
from tests.edge_agent.publisher.scene import COMMAND, Scene, births, play
from tests.support.broker import Mosquitto
from tests.support.host import Heard, TestHost, everything, nothing
from tests.support.waiting import until

GAP_ALIAS = 99
FIRST = Gap("furnace-1", 1_000, 2_000, 0, GapReason.OVERRUN)
SECOND = Gap("furnace-2", 5_000, 9_000, 7, GapReason.DISK_FULL)


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gaps are over at once, and told again soon."""
    monkeypatch.setattr("edge_agent.outbox.gap_table.QUIET_MS", -1)
    monkeypatch.setattr("edge_agent.publisher.publisher.GAP_ANSWER_MS", 300)
    monkeypatch.setattr("edge_agent.publisher.publisher.IDLE_MS", 100)


def with_gaps() -> NodeBirths:
    return replace(births(), node=replace(births().node, gap_alias=GAP_ALIAS))


def told(host: TestHost) -> list[NumberedGap]:
    """The gap records that were heard, repeats included."""
    texts = [(data.block, text) for data in host.data() for key, _, text in data.columns.texts if key == GAP_ALIAS]
    return [decode_gap(block, text) for block, text in texts]


async def lose(scene: Scene, *gaps: Gap) -> None:
    for gap in gaps:
        scene.outbox.lose(gap)
        assert await scene.outbox.flush()


def numbered(count: int, gap: Gap) -> NumberedGap:
    return NumberedGap(FIRST_GAP_BLOCK + count, gap)


def test_a_gap_is_told_once_where_it_is_acknowledged_and_then_forgotten(broker: Mosquitto, tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.publisher.use_births(with_gaps())
        await scene.connected()
        await lose(scene, FIRST)
        await until(lambda: scene.outbox.state.gaps == 1 and scene.outbox.state.gaps_waiting == 0)
        await lose(scene, SECOND)
        await until(lambda: scene.outbox.state.gaps == 2 and scene.outbox.state.gaps_waiting == 0)

    with TestHost(broker.port, everything) as host:
        play(tmp_path / "outbox.db", broker.port, story)
        assert told(host) == [numbered(1, FIRST), numbered(2, SECOND)]
        assert all(metric.is_historical for heard in host.of(MessageType.NDATA) for metric in heard.payload.metrics)


def test_a_gap_is_told_again_the_same_until_it_is_acknowledged(broker: Mosquitto, tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.publisher.use_births(with_gaps())
        await scene.connected()
        await lose(scene, FIRST)
        await until(lambda: len(told(host)) >= 1)
        await lose(scene, replace(FIRST, from_ms=2_500, to_ms=3_000))
        await until(lambda: len(told(host)) >= 3)
        host.acknowledge(COMMAND, FIRST_GAP_BLOCK + 1)
        await until(lambda: numbered(2, replace(FIRST, from_ms=2_500, to_ms=3_000)) in told(host))

    with TestHost(broker.port, nothing) as host:
        play(tmp_path / "outbox.db", broker.port, story)
        assert told(host)[:3] == [numbered(1, FIRST)] * 3


def test_an_acknowledgement_of_a_gap_that_was_never_told_is_refused(broker: Mosquitto, tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.publisher.use_births(with_gaps())
        await scene.connected()
        host.acknowledge(COMMAND, FIRST_GAP_BLOCK + 5)
        await until(lambda: scene.outbox.refused_acknowledgements == 1)
        await lose(scene, FIRST)
        await until(lambda: len(told(host)) == 1)

    with TestHost(broker.port, nothing) as host:
        play(tmp_path / "outbox.db", broker.port, story)


def test_births_that_announce_no_gap_records_tell_none(broker: Mosquitto, tmp_path: Path) -> None:
    async def story(scene: Scene) -> None:
        await scene.connected()
        await lose(scene, FIRST)
        await scene.measure(3)
        await until(lambda: scene.counters.blocks_acknowledged == 3)
        assert scene.outbox.state.gaps_waiting == 1

    with TestHost(broker.port, everything) as host:
        play(tmp_path / "outbox.db", broker.port, story)
        assert host.data() == []


def test_births_tell_which_blocks_were_acknowledged(broker: Mosquitto, tmp_path: Path) -> None:
    def all_but_the_third(heard: Heard) -> bool:
        return heard.data is not None and heard.data.block != 3

    async def story(scene: Scene) -> None:
        await scene.connected()
        await scene.measure(5)
        await until(lambda: scene.counters.blocks_acknowledged == 4)
        host.ask_rebirth(COMMAND)
        await until(lambda: len(host.of(MessageType.NBIRTH)) == 2)

    with TestHost(broker.port, all_but_the_third) as host:
        play(tmp_path / "outbox.db", broker.port, story)
        first, second = (heard.birth for heard in host.of(MessageType.NBIRTH)[:2])
        assert first is not None
        assert second is not None
        assert first.acknowledged == ()
        assert [(one.first, one.last) for one in second.acknowledged] == [(1, 2), (4, 5)]
        sent_ms = [at_ms for data in host.data("furnace-1")[:5] for at_ms in data.columns.measured_at_ms]
        assert [(one.from_ms, one.to_ms) for one in second.acknowledged] == [
            (sent_ms[0], sent_ms[1]),
            (sent_ms[3], sent_ms[4]),
        ]
