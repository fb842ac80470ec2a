import numpy as np
import pytest

from edge_agent.wire.birth import BD_SEQ, Birth
from edge_agent.wire.metric import DataType
from edge_agent.wire.sparkplug_b_pb2 import Payload
from edge_agent.wire.topic import MessageType, Topic
from ingest_service.intake.device_map import DeviceMap
from ingest_service.intake.session import REORDER_TIMEOUT_MS, EdgeSession, Message

AT_MS = 1_764_000_000_000
PLC = DeviceMap(3, "plc", {10: 1}, {10: DataType.DOUBLE}, 1, np.array([1], np.int32))


def message(kind: MessageType, seq: int = 0, *, bd_seq: int | None = None, after_ms: int = 0) -> Message:
    payload = Payload(timestamp=AT_MS, seq=seq)
    if bd_seq is not None:
        payload.metrics.add(name=BD_SEQ, datatype=DataType.INT64, long_value=bd_seq)
    device = "plc" if kind.is_device else None
    return Message(Topic("east", kind, "edge-1", device), payload, AT_MS + after_ms)


def born(session: EdgeSession | None = None, bd_seq: int = 4, epoch: int | None = 77) -> EdgeSession:
    session = session or EdgeSession("east", "edge-1")
    session.hear(message(MessageType.NBIRTH, 0, bd_seq=bd_seq))
    session.node_born(9, Birth(channels=(), bd_seq=bd_seq, epoch=epoch), 0, None)
    session.hear(message(MessageType.DBIRTH, 1))
    session.device_born(PLC)
    return session


def test_an_edge_that_was_not_born_is_asked_for_its_birth() -> None:
    session = EdgeSession("east", "edge-1")
    heard = session.hear(message(MessageType.DDATA, 5))
    assert heard.rebirth
    assert not heard.ready


def test_after_its_births_its_data_is_understood() -> None:
    session = born()
    heard = session.hear(message(MessageType.DDATA, 2))
    assert [one.seq for one in heard.ready] == [2]
    assert session.device("plc") is PLC
    assert session.view().online


def test_a_birth_that_could_not_be_registered_leaves_the_edge_offline() -> None:
    session = born()
    session.hear(message(MessageType.NBIRTH, 0, bd_seq=5))
    assert session.hear(message(MessageType.DDATA, 1)).rebirth
    assert not session.view().online


def test_a_death_makes_the_edge_offline_and_its_devices_dead() -> None:
    session = born()
    heard = session.hear(message(MessageType.NDEATH, bd_seq=4))
    assert heard.dead == [PLC]
    assert not session.online
    assert session.hear(message(MessageType.DDATA, 2)).rebirth


def test_a_death_of_an_earlier_connection_is_ignored() -> None:
    session = born(bd_seq=5)
    heard = session.hear(message(MessageType.NDEATH, bd_seq=4))
    assert not heard.dead
    assert session.online


@pytest.mark.parametrize("kind", [MessageType.NBIRTH, MessageType.NDEATH])
def test_a_birth_or_death_of_a_node_without_a_bd_seq_is_refused_and_changes_nothing(kind: MessageType) -> None:
    session = born()
    with pytest.raises(ValueError, match=f"{kind} without a bdSeq"):
        session.hear(message(kind, after_ms=100))
    assert session.online
    assert session.last_seen_ms == AT_MS
    assert session.device("plc") is PLC
    assert [one.seq for one in session.hear(message(MessageType.DDATA, 2)).ready] == [2]


def test_a_lost_message_holds_back_what_follows_and_then_asks_for_a_birth() -> None:
    session = born()
    assert not session.hear(message(MessageType.DDATA, 3, after_ms=100)).ready
    assert not session.gap_overdue(AT_MS + 100 + REORDER_TIMEOUT_MS - 1)
    assert session.gap_overdue(AT_MS + 100 + REORDER_TIMEOUT_MS)
    assert session.view().seq_gaps == 1


def test_what_was_held_back_is_read_when_the_same_connection_is_born_again() -> None:
    session = born()
    session.hear(message(MessageType.DDATA, 3))
    heard = session.hear(message(MessageType.NBIRTH, 0, bd_seq=4))
    assert [one.topic.type for one in heard.ready] == [MessageType.DDATA, MessageType.NBIRTH]
    assert session.held_back_dropped == 0


def test_what_was_held_back_is_dropped_when_another_connection_is_born() -> None:
    session = born()
    session.hear(message(MessageType.DDATA, 3))
    heard = session.hear(message(MessageType.NBIRTH, 0, bd_seq=5))
    assert [one.topic.type for one in heard.ready] == [MessageType.NBIRTH]
    session.node_born(9, Birth(channels=(), bd_seq=5, epoch=77), 0, None)
    assert session.held_back_dropped == 1
    assert session.device("plc") is None


def test_the_clock_offset_is_that_of_the_quickest_of_the_newest_live_messages() -> None:
    session = born()
    assert session.view().clock_offset_ms is None
    for delay_ms in (40, 50, 9_000, 60, 45):
        session.note_clock(AT_MS, AT_MS + delay_ms)
    assert session.view().clock_offset_ms == 40


def test_an_edge_that_numbers_no_blocks_is_best_effort() -> None:
    assert born(epoch=None).view().best_effort
    assert not born().view().best_effort


def test_when_the_connection_is_lost_nothing_is_known_of_it_until_it_is_born_again() -> None:
    session = born()
    session.hear(message(MessageType.DDATA, 4))
    assert session.lose_link() == [PLC]
    assert session.lose_link() == []
    assert not session.view().online
    assert session.hear(message(MessageType.DDATA, 5)).rebirth
    assert born(session, bd_seq=4).hear(message(MessageType.DDATA, 2)).ready


def test_how_long_it_waits_for_a_missing_message_can_be_set() -> None:
    session = born(EdgeSession("east", "edge-1", reorder_timeout_ms=500))
    session.hear(message(MessageType.DDATA, 3))
    assert not session.gap_overdue(AT_MS + 499)
    assert session.gap_overdue(AT_MS + 500)
