import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from edge_agent.wire.birth import EPOCH as EPOCH_METRIC
from edge_agent.wire.birth import Birth, encode_birth
from edge_agent.wire.metric import DataType
from edge_agent.wire.sample import Reason, Sample
from edge_agent.wire.sparkplug_b_pb2 import Payload
from edge_agent.wire.topic import MessageType
from ingest_service.errors import StoreError
from ingest_service.intake.arrivals import Arrival, ArrivalQueue
from ingest_service.intake.identity import CONTESTED_MS
from ingest_service.store.embedded import EmbeddedStore
from ingest_service.store.gaps import GapLog
from ingest_service.store.live import LiveTable
from ingest_service.store.registry import Registry
from ingest_service.store.rejections import RejectionLog
from ingest_service.workers.ingest import IngestWorker
from tests.ingest_service.workers.edges import NOW_MS, SpeakingEdge, Spoken
from tests.support.database import new_database
from tests.support.waiting import wait_until

NODE_BIRTH = encode_birth(Birth(channels=(), bd_seq=0), 0, NOW_MS)


class Centre:
    """The intake with everything real behind it, and a clock that the test moves."""

    def __init__(self, folder: Path) -> None:
        self.now_ms = NOW_MS
        self.folder = folder
        self.engine: Engine = new_database(folder)
        self.registry = Registry(self.engine)
        self.rejections = RejectionLog(self.engine)
        self.store = EmbeddedStore(folder)
        self.live = LiveTable()
        self.queue = ArrivalQueue()
        self.spoken = Spoken()
        self.worker = self.new_worker()

    def new_worker(self) -> IngestWorker:
        return IngestWorker(
            self.queue,
            self.registry,
            self.store,
            self.live,
            self.spoken.publish,
            lambda: self.now_ms,
            self.rejections,
            GapLog(self.engine),
        )

    def hear(self, *arrivals: Arrival) -> None:
        for arrival in arrivals:
            self.queue.put(arrival)
        self.worker.step(0)

    def after(self, milliseconds: int) -> None:
        self.now_ms += milliseconds
        self.worker.step(0)

    def series(self, channel: str, home: str = "east") -> int:
        (found,) = [source.series[channel] for source in self.registry.sources() if source.home == home]
        return found

    def stored(self, channel: str = "co") -> list[tuple[int, float]]:
        found = self.store.raw([self.series(channel)], NOW_MS - 10**10, NOW_MS + 10**10)
        return [(int(at) - NOW_MS, float(v)) for at, v in zip(found.measured_at_ms, found.value, strict=True)]

    def shown(self, channel: str = "co") -> list[tuple[float, int]]:
        rows = self.live.rows([self.series(channel)])
        return [(float(value), int(reason)) for value, reason in zip(rows.value, rows.reason, strict=True)]

    def close(self) -> None:
        self.store.close()
        self.engine.dispose()


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    centre = Centre(tmp_path)
    yield centre
    centre.close()


def co(after_ms: int, value: float | None, reason: Reason = Reason.GOOD) -> Sample:
    return Sample(10, NOW_MS + after_ms, value, reason)


def o2(after_ms: int, value: float) -> Sample:
    return Sample(11, NOW_MS + after_ms, value)


def test_samples_are_stored_shown_and_then_acknowledged(centre: Centre) -> None:
    edge = SpeakingEdge()
    centre.hear(*edge.births(), edge.data(1, [co(0, 42.0), o2(0, 11.0)]), edge.data(2, [co(1000, 43.0)]))
    assert centre.stored("co") == [(0, 42.0), (1000, 43.0)]
    assert centre.stored("o2") == [(0, 11.0)]
    assert centre.shown("co") == [(43.0, Reason.GOOD)]
    assert centre.spoken.acknowledged == [(1, 2)]
    assert centre.spoken.commands[0][0] == "spBv1.0/east/NCMD/edge-1"
    counters = centre.worker.counters()
    assert (counters.samples_received, counters.samples_stored, counters.acknowledged_blocks) == (3, 3, 2)
    assert (counters.acknowledged_samples, counters.messages, counters.births, counters.batches) == (3, 4, 2, 1)


def test_a_repeated_block_is_stored_once_and_acknowledged_again(centre: Centre) -> None:
    edge = SpeakingEdge()
    centre.hear(*edge.births(), edge.data(1, [co(0, 42.0)]))
    centre.now_ms += 1000
    centre.hear(edge.data(1, [co(0, 42.0)], historical=True))
    assert centre.stored() == [(0, 42.0)]
    assert centre.spoken.acknowledged == [(1, 1), (1, 1)]
    assert centre.worker.counters().samples_repeated == 1


def test_what_was_not_acknowledged_while_an_outbox_had_two_copies_is_acknowledged_afterwards(centre: Centre) -> None:
    edge = SpeakingEdge()
    centre.hear(*edge.births(), edge.data(1, [co(0, 42.0)]), edge.death(), *edge.births())
    centre.spoken.commands.clear()
    centre.hear(edge.data(2, [co(1000, 43.0)]), edge.data(3, [co(2000, 44.0)]))
    centre.after(CONTESTED_MS - 1000)
    centre.hear(edge.data(5, [co(3000, 45.0)]))
    centre.after(999)
    assert centre.spoken.acknowledged == []
    centre.after(1)
    assert centre.spoken.acknowledged == [(1, 3), (5, 5)]
    centre.after(1000)
    assert len(centre.spoken.commands) == 1


def test_history_is_stored_and_does_not_change_what_is_shown(centre: Centre) -> None:
    edge = SpeakingEdge()
    centre.hear(*edge.births(), edge.data(2, [co(0, 42.0)]), edge.data(1, [co(5000, 99.0)], historical=True))
    assert centre.stored() == [(0, 42.0), (5000, 99.0)]
    assert centre.shown() == [(42.0, Reason.GOOD)]


def test_an_unknown_edge_is_asked_for_its_birth_once_and_nothing_is_acknowledged(centre: Centre) -> None:
    edge = SpeakingEdge()
    centre.hear(edge.data(1, [co(0, 1.0)]), edge.data(2, [co(1, 2.0)]))
    assert centre.spoken.rebirths == ["spBv1.0/east/NCMD/edge-1"]
    assert centre.spoken.acknowledged == []
    assert centre.worker.counters().messages_rejected == {"unknown_edge": 2}
    centre.hear(*edge.births(), edge.data(1, [co(0, 1.0)], historical=True))
    assert centre.stored() == [(0, 1.0)]


def test_a_device_that_was_not_born_is_asked_for_and_not_acknowledged(centre: Centre) -> None:
    edge = SpeakingEdge()
    births = edge.births()
    edge.device = "other"
    centre.hear(*births, edge.data(1, [co(0, 1.0)]))
    assert len(centre.spoken.rebirths) == 1
    assert centre.spoken.acknowledged == []


def test_a_block_with_rejected_samples_is_acknowledged_and_the_rejections_can_be_seen(centre: Centre) -> None:
    edge = SpeakingEdge()
    future = Sample(10, NOW_MS + 10**9, 5.0)
    text = Sample(11, NOW_MS, "abc")
    arrivals = [*edge.births(), edge.data(1, [co(0, float("nan")), co(1, 7.0), future])]
    payload = Payload.FromString(edge.data(2, [o2(0, 1.0)]).payload)
    payload.metrics[1].string_value = str(text.value)
    centre.hear(*arrivals, Arrival(edge.topic(MessageType.DDATA), payload.SerializeToString(), NOW_MS))
    centre.after(2000)
    assert centre.stored() == [(1, 7.0)]
    assert centre.spoken.acknowledged == [(1, 2)]
    expected = {"not_a_number": 1, "far_future": 1, "text_value": 1}
    assert centre.worker.counters().samples_rejected == expected
    rows = centre.rejections.all()
    assert {row.reason: row.count for row in rows} == expected
    assert {(row.home, row.edge, row.device) for row in rows} == {("east", "edge-1", "plc")}
    assert "abc" in next(row.example for row in rows if row.reason == "text_value")


def test_rejections_add_up_over_time(centre: Centre) -> None:
    edge = SpeakingEdge()
    centre.hear(*edge.births())
    for block in range(1, 4):
        centre.now_ms += 1500
        centre.hear(edge.data(block, [co(block, float("inf"))]))
    (row,) = centre.rejections.all()
    assert (row.reason, row.count) == ("infinite", 3)
    assert row.last_at_ms > row.first_at_ms


@pytest.mark.parametrize(
    ("topic", "payload", "label"),
    [
        pytest.param(
            "spBv1.0/east/DDATA/edge-1/plc", b"\xff\xff\xff", "garbage_payload", id="bytes that are no payload"
        ),
        pytest.param("spBv1.0/east/NBIRTH/edge-9", b"\x12\x02\x18\x01", "garbage_payload", id="a birth without names"),
        pytest.param("spBv1.0/east/XDATA/edge-1", b"", "bad_topic", id="an unknown message type"),
        pytest.param("", b"", "bad_topic", id="a topic that is no text"),
        pytest.param("spBv1.0/east/NDATA/edge-1/plc", b"", "bad_topic", id="a node message that names a device"),
        pytest.param(f"spBv1.0/{'x' * 201}/NBIRTH/e", NODE_BIRTH, "bad_name", id="a name that the tables cannot hold"),
    ],
)
def test_garbage_is_counted_and_shown_and_disturbs_nothing(
    centre: Centre, topic: str, payload: bytes, label: str
) -> None:
    edge = SpeakingEdge()
    centre.hear(*edge.births(), Arrival(topic, payload, NOW_MS), edge.data(1, [co(0, 1.0)]))
    assert centre.stored() == [(0, 1.0)]
    assert centre.worker.counters().messages_rejected == {label: 1}
    assert [(row.reason, row.count) for row in centre.rejections.all()] == [(label, 1)]


def test_a_death_without_a_bd_seq_is_counted_and_the_edge_is_acknowledged_on(centre: Centre) -> None:
    edge = SpeakingEdge()
    centre.hear(*edge.births())
    centre.hear(Arrival(edge.topic(MessageType.NDEATH), b"", NOW_MS))
    centre.hear(*edge.births(), edge.data(1, [co(0, 21.0)]))
    assert centre.worker.counters().messages_rejected == {"garbage_payload": 1}
    assert centre.spoken.acknowledged == [(1, 1)]


@pytest.mark.parametrize("births", [1, 2])
def test_a_birth_without_a_bd_seq_registers_nothing(centre: Centre, births: int) -> None:
    strangers = [SpeakingEdge(f"home-{number}") for number in range(births)]
    centre.hear(*(Arrival(edge.topic(MessageType.NBIRTH), b"", NOW_MS) for edge in strangers))
    assert centre.worker.counters().messages_rejected == {"garbage_payload": births}
    assert not centre.registry.edges()


def test_an_unknown_tag_leads_to_a_rebirth_and_the_rest_is_stored(centre: Centre) -> None:
    edge = SpeakingEdge()
    centre.hear(*edge.births(), edge.data(1, [co(0, 1.0), Sample(15, NOW_MS, 2.0)]))
    assert centre.stored() == [(0, 1.0)]
    assert centre.worker.counters().samples_rejected == {"unknown_tag": 1}
    assert len(centre.spoken.rebirths) == 1


def test_a_failing_store_acknowledges_nothing_and_recovers(centre: Centre, tmp_path: Path) -> None:
    edge = SpeakingEdge()
    centre.hear(*edge.births())
    centre.store.close()
    centre.hear(edge.data(1, [co(0, 1.0)]))
    assert "closed" in centre.worker.problem
    assert centre.spoken.acknowledged == []
    assert centre.worker.counters().samples_unstored == 1
    assert centre.worker.counters().store_errors == 1
    centre.store = EmbeddedStore(tmp_path)
    centre.worker = centre.new_worker()
    centre.hear(*edge.births(), edge.data(1, [co(0, 1.0)], historical=True))
    assert centre.worker.problem == ""
    assert centre.stored() == [(0, 1.0)]
    assert centre.spoken.acknowledged == [(1, 1)]


def test_a_failed_write_withholds_the_acknowledgement_until_the_edge_sends_again(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge = SpeakingEdge()
    centre.hear(*edge.births())
    with monkeypatch.context() as broken:
        broken.setattr(centre.store, "write", _disk_full)
        centre.hear(edge.data(1, [co(0, 1.0)]))
    assert centre.worker.problem == "disk full"
    assert centre.spoken.acknowledged == []
    assert centre.shown() == []
    centre.hear(edge.data(1, [co(0, 1.0)], historical=True))
    assert centre.worker.problem == ""
    assert centre.spoken.acknowledged == [(1, 1)]


def _disk_full(_batch: object) -> None:
    raise StoreError("disk full")


def test_a_lost_message_asks_for_a_rebirth_after_the_reorder_timeout(centre: Centre) -> None:
    edge = SpeakingEdge()
    centre.hear(*edge.births(), edge.data(1, [co(0, 1.0)]))
    edge.lose_message()
    centre.hear(edge.data(3, [co(2, 3.0)]))
    assert centre.spoken.acknowledged == [(1, 1)]
    centre.after(2000)
    assert len(centre.spoken.rebirths) == 1
    centre.hear(*edge.births())
    centre.after(1000)
    assert centre.stored() == [(0, 1.0), (2, 3.0)]
    assert centre.spoken.acknowledged == [(1, 1), (3, 3)]
    (view,) = centre.worker.edges()
    assert (view.seq_gaps, view.rebirths) == (1, 1)


def test_an_edge_for_which_there_was_no_room_is_asked_for_its_births_and_nothing_is_lost(centre: Centre) -> None:
    small = SpeakingEdge()
    centre.hear(*small.births())
    births = small.births()
    blocks = [small.data(number, [co(number, float(number))]) for number in range(1, 10)]
    centre.queue = ArrivalQueue(max_bytes=sum(len(birth.payload) + 200 for birth in births))
    centre.worker = centre.new_worker()
    centre.hear(*births)
    centre.hear(*blocks)
    taken = len(centre.stored())
    assert 0 < taken < 9
    centre.after(10)
    assert centre.spoken.rebirths == ["spBv1.0/east/NCMD/edge-1"]
    for arrival in (*small.births(), small.data(9, [co(9, 9.0)])):
        centre.hear(arrival)
    assert centre.stored()[-1] == (9, 9.0)


def test_messages_that_were_held_back_are_read_when_the_missing_one_comes(centre: Centre) -> None:
    edge = SpeakingEdge()
    centre.hear(*edge.births())
    first, second, third, fourth = (edge.data(number, [co(number, float(number))]) for number in range(1, 5))
    centre.hear(first, third)
    centre.hear(fourth)
    assert centre.stored() == [(1, 1.0)]
    centre.hear(second)
    assert centre.stored() == [(1, 1.0), (2, 2.0), (3, 3.0), (4, 4.0)]
    centre.after(1_000)
    assert centre.spoken.acknowledged == [(1, 1), (2, 4)]


def test_aliases_of_a_missed_birth_are_never_taken_for_those_of_the_one_before(centre: Centre) -> None:
    edge = SpeakingEdge()
    centre.hear(*edge.births(), edge.data(1, [co(0, 1.0), o2(0, 11.0)]))
    edge.bd_seq, edge.first_alias = 1, 11  # restarted with another site file: alias 11 is co now
    edge.births()  # and nobody heard it
    centre.hear(edge.data(2, [Sample(11, NOW_MS + 1, 500.0)]))
    centre.after(2500)
    assert centre.stored("o2") == [(0, 11.0)]
    assert len(centre.spoken.rebirths) == 1
    centre.hear(*edge.births(), edge.data(2, [Sample(11, NOW_MS + 1, 500.0)], historical=True))
    assert centre.stored("co") == [(0, 1.0), (1, 500.0)]
    assert centre.stored("o2") == [(0, 11.0)]


def test_a_birth_shows_the_values_that_came_with_it_without_storing_them_twice(centre: Centre) -> None:
    edge = SpeakingEdge()
    centre.hear(*edge.births([co(0, 42.0)]))
    assert centre.shown("co") == [(42.0, Reason.GOOD)]
    assert centre.shown("o2") == []
    assert centre.stored() == []


def test_an_edge_of_another_make_is_taken_as_it_is(centre: Centre) -> None:
    edge = SpeakingEdge("west", "other-make")
    edge.epoch = None
    named = Payload(timestamp=NOW_MS, seq=2)
    named.metrics.add(name="co", timestamp=NOW_MS + 5, double_value=44.0, datatype=DataType.DOUBLE)
    by_name = Arrival(edge.topic(MessageType.DDATA), named.SerializeToString(), NOW_MS)
    centre.hear(*edge.births([Sample(10, NOW_MS, 42.0)]), by_name)
    series = centre.series("co", "west")
    assert centre.store.raw([series], NOW_MS, NOW_MS + 10).value.tolist() == [42.0, 44.0]
    assert centre.spoken.acknowledged == []
    assert [view.best_effort for view in centre.worker.edges()] == [True]


def test_a_dead_device_is_shown_stale_until_it_is_born_again(centre: Centre) -> None:
    edge = SpeakingEdge()
    centre.hear(*edge.births([co(0, 42.0)]), edge.data(1, [co(1, 43.0)]), edge.device_death())
    assert centre.shown() == [(43.0, Reason.STALE)]
    centre.hear(edge.device_birth([co(1, 43.0)]))
    assert centre.shown() == [(43.0, Reason.GOOD)]


def test_a_dead_edge_is_offline_and_all_that_it_has_is_stale(centre: Centre) -> None:
    edge = SpeakingEdge()
    centre.hear(*edge.births([co(0, 42.0)]), edge.death())
    assert centre.shown() == [(42.0, Reason.STALE)]
    assert [view.online for view in centre.worker.edges()] == [False]
    edge.bd_seq = 1
    centre.hear(*edge.births([co(0, 42.0)]))
    assert centre.shown() == [(42.0, Reason.GOOD)]
    assert [view.online for view in centre.worker.edges()] == [True]


def test_a_restarted_centre_knows_its_edges_and_when_they_were_last_heard(centre: Centre) -> None:
    edge = SpeakingEdge()
    centre.hear(*edge.births())
    edge.at_ms += 12_000
    centre.now_ms += 12_000
    centre.hear(edge.data(1, [co(0, 1.0)]))
    centre.registry = Registry(centre.engine)
    (view,) = centre.new_worker().edges()
    assert (view.home, view.edge, view.online) == ("east", "edge-1", False)
    assert view.last_seen_ms == NOW_MS + 12_000


def test_bad_samples_keep_their_reason_and_have_no_value(centre: Centre) -> None:
    edge = SpeakingEdge()
    centre.hear(*edge.births(), edge.data(1, [co(0, None, Reason.WIRE_BREAK)]))
    found = centre.store.raw([centre.series("co")], NOW_MS, NOW_MS + 1)
    assert found.reason.tolist() == [Reason.WIRE_BREAK]
    assert np.isnan(found.value).all()


def test_it_runs_on_a_thread_until_it_is_told_to_stop(centre: Centre) -> None:
    edge, stop = SpeakingEdge(), threading.Event()
    thread = threading.Thread(target=centre.worker.run, args=(stop,))
    thread.start()
    for arrival in (*edge.births(), edge.data(1, [co(0, 1.0)])):
        centre.queue.put(arrival)
    wait_until(lambda: centre.spoken.acknowledged)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert centre.stored() == [(0, 1.0)]


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    centre = Centre(tmp_path_factory.mktemp("fuzzed"))
    centre.hear(*SpeakingEdge().births())
    yield centre
    centre.close()


names = st.sampled_from(
    ["", "bdSeq", "co", "Node Control/Rebirth", "Properties/Furnace", EPOCH_METRIC, "Outbox/Block", "ü"]
)
numbers = st.integers(0, 2**64 - 1)


@st.composite
def payloads(draw: st.DrawFn) -> bytes:
    payload = Payload(timestamp=draw(numbers), seq=draw(st.sampled_from([2, 2, 2, 0, 77, 300])))
    for _ in range(draw(st.integers(0, 3))):
        metric = payload.metrics.add(name=draw(names), timestamp=draw(numbers), datatype=draw(st.integers(0, 40)))
        if draw(st.booleans()):
            metric.alias = draw(st.sampled_from([0, 1, 10, 11, 2**64 - 1]))
        match draw(st.integers(0, 5)):
            case 0:
                metric.long_value = draw(numbers)
            case 1:
                metric.double_value = draw(st.floats())
            case 2:
                metric.bytes_value = draw(st.binary(max_size=9))
            case 3:
                metric.string_value = draw(st.text(max_size=3))
            case 4:
                metric.is_null = True
            case _:
                metric.int_value = draw(st.integers(0, 2**32 - 1))
    return payload.SerializeToString()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from([kind for kind in MessageType if not kind.value.endswith("CMD")]),
    payload=st.one_of(payloads(), st.binary(max_size=40)),
)
def test_nothing_that_an_edge_sends_stops_the_intake(fuzzed: Centre, kind: MessageType, payload: bytes) -> None:
    edge = SpeakingEdge()
    fuzzed.hear(*edge.births())  # so that a seq of 2 is in order
    before = fuzzed.worker.counters().messages
    fuzzed.hear(Arrival(edge.topic(kind), payload, fuzzed.now_ms))
    assert fuzzed.worker.counters().messages == before + 1
    assert len(fuzzed.worker.edges()) == 1
    assert fuzzed.worker.problem == ""
