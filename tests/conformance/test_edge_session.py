"""Connections of an edge node: clean sessions, wills, births first, deaths last."""

from edge_agent.wire.metric import DataType
from edge_agent.wire.sparkplug_b_pb2 import Payload
from tests.conformance.edge_story import EDGE, HOME
from tests.conformance.said import BIRTHS, DATA, DDEATH, NBIRTH, NDEATH, Line
from tests.support.mqtt_packets import Kind

DEATH_TOPIC = f"spBv1.0/{HOME}/NDEATH/{EDGE}"


def bd_seq_of(payload: Payload) -> int:
    [metric] = [metric for metric in payload.metrics if metric.name == "bdSeq"]
    assert metric.datatype == DataType.INT64
    return metric.long_value


def test_every_connection_is_clean(edge_line: Line) -> None:
    connects = edge_line.connects()
    assert len(connects) == 3
    assert {(one.level, one.clean) for one in connects} == {(4, True)}


def test_every_connection_has_its_death_as_will(edge_line: Line) -> None:
    for one in edge_line.connects():
        assert (one.will_topic, one.will_qos, one.will_retain) == (DEATH_TOPIC, 1, False)
        payload = Payload.FromString(one.will_payload)
        assert [metric.name for metric in payload.metrics] == ["bdSeq"]
        assert not payload.HasField("seq")


def test_bd_seq_begins_at_zero_and_counts_the_connections(edge_line: Line) -> None:
    wills = [bd_seq_of(Payload.FromString(one.will_payload)) for one in edge_line.connects()]
    assert wills == [0, 1, 2]


def test_will_births_and_death_of_a_connection_have_one_bd_seq_and_births_that_are_asked_for_repeat_it(
    edge_line: Line,
) -> None:
    said = edge_line.said(NBIRTH, NDEATH)
    found = [(one.connection, one.type, bd_seq_of(one.payload)) for one in said]
    assert found == [
        (1, NBIRTH, 0), (1, NBIRTH, 0), (1, NBIRTH, 0), (1, NDEATH, 0), (2, NBIRTH, 1), (3, NBIRTH, 2), (3, NDEATH, 2),
    ]  # fmt: skip


def test_it_hears_its_commands_at_qos_1_before_it_is_born(edge_line: Line) -> None:
    for connection in (1, 2, 3):
        assert edge_line.subscribed(connection) == [(f"spBv1.0/{HOME}/NCMD/{EDGE}", 1)]
        assert edge_line.kinds(connection)[:3] == [Kind.CONNECT, Kind.SUBSCRIBE, Kind.PUBLISH]


def test_the_first_that_it_publishes_on_a_connection_is_its_birth_and_then_those_of_its_devices(
    edge_line: Line,
) -> None:
    for connection in (1, 2, 3):
        first = [(one.type, one.topic.device) for one in edge_line.said() if one.connection == connection][:3]
        assert first == [(NBIRTH, None), (BIRTHS[1], "furnace-1"), (BIRTHS[1], "furnace-2")]


def test_before_it_disconnects_it_says_its_death_and_nothing_comes_between(edge_line: Line) -> None:
    for connection in (1, 3):
        assert edge_line.kinds(connection)[-1] == Kind.DISCONNECT
        said = [one for one in edge_line.said() if one.connection == connection]
        assert said[-1].type is NDEATH
        assert [one.type for one in said].count(NDEATH) == 1
    assert Kind.DISCONNECT not in edge_line.kinds(2)  # killed: the broker says it with the will
    assert not [one for one in edge_line.said(NDEATH) if one.connection == 2]


def test_its_death_holds_nothing_but_bd_seq_at_qos_1(edge_line: Line) -> None:
    for one in edge_line.said(NDEATH):
        assert (str(one.topic), one.qos, one.retain) == (DEATH_TOPIC, 1, False)
        assert [metric.name for metric in one.payload.metrics] == ["bdSeq"]
        assert not one.payload.HasField("seq")


def test_it_has_one_connection_at_a_time(edge_line: Line) -> None:
    order = [packet.connection for packet in edge_line.packets]
    assert order == sorted(order)


def test_births_are_repeated_within_a_connection_when_they_are_asked_for_however_that_is_written(
    edge_line: Line,
) -> None:
    births = [one for one in edge_line.said(*BIRTHS) if one.connection == 1]
    kinds = [(one.type, one.topic.device) for one in births]
    sequence = [(NBIRTH, None), (BIRTHS[1], "furnace-1"), (BIRTHS[1], "furnace-2")]
    assert kinds == [*sequence * 3, (BIRTHS[1], "furnace-2")]
    assert {one.payload.seq for one in births if one.type is NBIRTH} == {0}


def test_commands_to_devices_and_garbage_have_no_effect(edge_line: Line) -> None:
    last_births = max(at for at, one in enumerate(edge_line.said()) if one.type is NBIRTH and one.connection == 1)
    after = [one.type for one in edge_line.said()[last_births:] if one.connection == 1]
    assert after[1:3] == [BIRTHS[1], BIRTHS[1]]
    assert set(after[3:]) == {*DATA, DDEATH, BIRTHS[1], NDEATH}
