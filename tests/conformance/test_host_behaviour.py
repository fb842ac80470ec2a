"""What a host application makes of edges: well behaved ones, and ones that are not."""

from collections.abc import Iterator

import pytest

from edge_agent.wire.metric import DataType
from edge_agent.wire.sample import Sample
from edge_agent.wire.sparkplug_b_pb2 import Payload
from edge_agent.wire.topic import MessageType
from tests.conformance.host_stage import HostStage, host_stage
from tests.conformance.said import NCMD
from tests.conformance.speaking_edge import CO, SpeakingEdge, now_ms, speaking
from tests.support.mqtt_packets import Kind
from tests.support.waiting import wait_until

REORDER_MS = 2_000
STALE = "stale"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostStage]:
    with host_stage(tmp_path_factory.mktemp("stage")) as running:
        yield running


def born(edge: SpeakingEdge, stage: HostStage, value: float = 1.0) -> None:
    """Births and a first block that was acknowledged."""
    edge.be_born()
    edge.send(1, value)
    wait_until(lambda: edge.acknowledged == {1})
    stage.shows(edge.home, value)


def test_blocks_are_acknowledged_by_commands_without_seq_type_and_name_at_qos_0(stage: HostStage) -> None:
    with speaking(stage.broker.port, "plain") as edge:
        born(edge, stage)
        edge.send(2, 2.0)
        wait_until(lambda: edge.acknowledged == {1, 2})
        assert {(qos, retained) for _, qos, retained in edge.raw} == {(0, False)}
        for payload, _, _ in edge.raw:
            found = Payload.FromString(payload)
            assert abs(found.timestamp - now_ms()) < 60_000
            assert not found.HasField("seq")
            assert [metric.HasField("name") or metric.HasField("datatype") for metric in found.metrics] == [False] * 2
            assert all(metric.HasField("alias") for metric in found.metrics)
    published = [one for one in stage.line().said(NCMD) if one.topic.group == "plain"]
    assert {(str(one.topic), one.qos, one.retain) for one in published} == {("spBv1.0/plain/NCMD/gateway", 0, False)}


def test_an_edge_that_was_not_born_is_asked_for_its_births_and_not_every_time_anew(stage: HostStage) -> None:
    with speaking(stage.broker.port, "unborn") as edge:
        for block in range(1, 30):
            edge.send(block, 1.0)
        wait_until(lambda: edge.rebirths >= 1)
        found = Payload.FromString(edge.raw[0][0])
        [rebirth] = found.metrics
        assert (rebirth.name, rebirth.boolean_value, rebirth.datatype) == (
            "Node Control/Rebirth", True, DataType.BOOLEAN,
        )  # fmt: skip
        assert abs(found.timestamp - now_ms()) < 60_000
        assert not found.HasField("seq")
        for block in range(30, 60):
            edge.send(block, 1.0)
        born_block = 60
        edge.be_born()
        edge.send(born_block, 5.0)
        wait_until(lambda: edge.acknowledged == {born_block})
        assert edge.rebirths < 4, "once in five seconds, then less often, and not for each of 59 messages"


def test_a_message_that_comes_late_within_the_reorder_timeout_is_put_in_order_and_nothing_is_asked(
    stage: HostStage,
) -> None:
    with speaking(stage.broker.port, "late") as edge:
        born(edge, stage)
        late, after = edge.data(2, 2.0), edge.data(3, 3.0)
        edge.say(MessageType.DDATA, after)
        wait_until(lambda: stage.edge("late")["seq_gaps"] == 1)
        assert edge.acknowledged == {1}
        edge.say(MessageType.DDATA, late)
        wait_until(lambda: edge.acknowledged == {1, 2, 3})
        edge.send(4, 4.0)
        wait_until(lambda: 4 in edge.acknowledged)
        assert edge.rebirths == 0
    assert stage.stored("late") == [1.0, 2.0, 3.0, 4.0]


def test_a_message_that_is_missing_for_longer_leads_to_births_and_what_was_held_back_is_not_lost(
    stage: HostStage,
) -> None:
    with speaking(stage.broker.port, "gap") as edge:
        born(edge, stage)
        edge.data(2, 2.0)
        missing_since_ms = now_ms()
        edge.send(3, 3.0)
        wait_until(lambda: edge.rebirths == 1)
        assert now_ms() - missing_since_ms >= REORDER_MS
        edge.be_born()
        edge.send(4, 4.0)
        wait_until(lambda: edge.acknowledged == {1, 3, 4})
        assert edge.rebirths == 1
    assert stage.stored("gap") == [1.0, 3.0, 4.0]


def test_what_comes_twice_is_stored_once_and_acknowledged_twice(stage: HostStage) -> None:
    with speaking(stage.broker.port, "twice") as edge:
        born(edge, stage)
        at_ms = now_ms()
        edge.send(2, 2.0, at_ms=at_ms)
        edge.send(2, 2.0, at_ms=at_ms)
        edge.send(3, 3.0)
        wait_until(lambda: 3 in edge.acknowledged)
    assert stage.stored("twice") == [1.0, 2.0, 3.0]
    assert stage.service.metric("clearstack_ingest_samples_repeated_total") >= 1


def test_an_alias_that_was_not_announced_leads_to_births(stage: HostStage) -> None:
    with speaking(stage.broker.port, "alias") as edge:
        born(edge, stage)
        edge.send(2, 9.0, alias=199)
        wait_until(lambda: edge.rebirths == 1)
    assert stage.stored("alias") == [1.0]


def test_a_death_of_an_earlier_connection_is_not_believed_and_that_of_this_one_makes_all_stale(
    stage: HostStage,
) -> None:
    with speaking(stage.broker.port, "death", bd_seq=7) as edge:
        born(edge, stage)
        edge.die(bd_seq=6)
        edge.send(2, 2.0)
        stage.shows("death", 2.0)
        assert stage.edge("death")["online"]
        edge.die()
        stage.shows("death", 2.0, STALE)
        wait_until(lambda: not stage.edge("death")["online"])
        edge.bd_seq = 8
        edge.be_born()
        edge.send(3, 3.0)
        stage.shows("death", 3.0)


def test_a_dead_device_is_stale_until_it_is_born_again(stage: HostStage) -> None:
    with speaking(stage.broker.port, "device") as edge:
        born(edge, stage)
        edge.device_dies()
        stage.shows("device", 1.0, STALE)
        assert stage.edge("device")["online"]
        edge.device_born((Sample(CO, now_ms(), 8.0),))
        stage.shows("device", 8.0)


def test_after_the_birth_of_the_node_nothing_is_believed_of_a_device_that_was_not_born_after_it(
    stage: HostStage,
) -> None:
    with speaking(stage.broker.port, "halfborn") as edge:
        born(edge, stage)
        edge.node_born()
        edge.send(2, 2.0)
        wait_until(lambda: edge.rebirths == 1)
        assert edge.acknowledged == {1}


def test_an_edge_of_another_make_is_stored_shown_and_never_acknowledged(stage: HostStage) -> None:
    with speaking(stage.broker.port, "other", epoch=None) as edge:
        edge.be_born((Sample(CO, now_ms(), 4.0),))
        payload = Payload(timestamp=now_ms(), seq=2)
        payload.metrics.add(name="co", timestamp=now_ms() + 1, double_value=5.0)
        edge.say(MessageType.DDATA, payload.SerializeToString())
        stage.shows("other", 5.0)
        assert stage.edge("other")["best_effort"]
        assert edge.commands == []
    assert stage.stored("other") == [4.0, 5.0]


def test_another_connection_of_the_service_finds_everything_stale_and_asks_for_births(stage: HostStage) -> None:
    with speaking(stage.broker.port, "cut") as edge:
        born(edge, stage)
        connections = len(stage.line().connects())
        stage.tap.cut()
        stage.shows("cut", 1.0, STALE)
        wait_until(lambda: len(stage.line().connects()) > connections)
        wait_until(stage.service.ready)
        edge.send(2, 2.0)
        wait_until(lambda: edge.rebirths >= 1)
        assert edge.acknowledged == {1}
        edge.be_born()
        edge.send(2, 2.0)
        stage.shows("cut", 2.0)


def test_the_service_commands_no_device_and_says_nothing_but_commands_and_state(stage: HostStage) -> None:
    assert {one.type for one in stage.line().said()} == {NCMD}
    assert {packet.kind for packet in stage.line().packets} <= {
        Kind.CONNECT, Kind.SUBSCRIBE, Kind.PUBLISH, Kind.PUBACK, Kind.PINGREQ, Kind.DISCONNECT,
    }  # fmt: skip
