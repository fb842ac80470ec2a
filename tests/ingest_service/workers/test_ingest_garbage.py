from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_agent.wire.birth import EPOCH as EPOCH_METRIC
from edge_agent.wire.birth import Birth, encode_birth
from edge_agent.wire.sample import Sample
from edge_agent.wire.sparkplug_b_pb2 import Payload
from edge_agent.wire.topic import MessageType
from ingest_service.intake.arrivals import Arrival
from tests.ingest_service.workers.centre import Centre, co, o2
from tests.ingest_service.workers.edges import NOW_MS, SpeakingEdge

NODE_BIRTH = encode_birth(Birth(channels=(), bd_seq=0), 0, NOW_MS)


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
