"""What a faulty or foreign sender can do to the running service: it is counted and shown, and disturbs nobody."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from edge_agent.wire.command import Acknowledgement, decode_command
from edge_agent.wire.sample import Sample
from edge_agent.wire.topic import MessageType
from ingest_service.intake.arrivals import Arrival
from tests.ingest_service.workers.edges import EPOCH, SpeakingEdge
from tests.support.plant import Plant, plant
from tests.support.waiting import PATIENCE_S, wait_until

HOME = "songhe"
GARBAGE = (b"\xff\xff\xff", b"\x12", b'{"co": 12}')
DAY_MS = 86_400_000


class Voice:
    """Publishes what an edge says, and hears how far it is acknowledged."""

    def __init__(self, port: int, edge: str) -> None:
        self.acknowledged: list[Acknowledgement] = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="voice")
        self._client.on_message = self._hear
        self._client.connect("127.0.0.1", port)
        self._client.subscribe(f"spBv1.0/east/NCMD/{edge}", 1)
        self._client.loop_start()

    def say(self, *arrivals: Arrival) -> None:
        for arrival in arrivals:
            self._client.publish(arrival.topic, arrival.payload).wait_for_publish(PATIENCE_S)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _hear(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        found = decode_command(bytes(message.payload)).acknowledgement
        self.acknowledged += [found] if found else []


@contextmanager
def voice(port: int, edge: str) -> Iterator[Voice]:
    made = Voice(port, edge)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """A service with one well-behaved home."""
    with plant(tmp_path_factory.mktemp("plant"), counter_s=0.25) as made:
        made.light(1)
        made.add_home(HOME, [1])
        made.wait(lambda: made.service.counter(HOME, "1") > 1)
        yield made


@contextmanager
def undisturbed(plant: Plant) -> Iterator[None]:
    """Whatever happens within: the well-behaved home's values come on and none of them is refused."""
    before = plant.service.counter(HOME, "1")
    yield
    plant.wait(lambda: plant.service.counter(HOME, "1") >= before + 2)
    assert all(row["home"] != HOME for row in plant.service.http.get("/api/v1/rejections").json())
    assert plant.service.ready()


def rejected(plant: Plant, kind: str, reason: str) -> float:
    wanted = f'clearstack_ingest_{kind}_rejected_total{{reason="{reason}"}} '
    lines = plant.service.http.get("/metrics").text.splitlines()
    return sum(float(line.removeprefix(wanted)) for line in lines if line.startswith(wanted))


def shown(plant: Plant, reason: str) -> dict[str, object]:
    rows = plant.service.http.get("/api/v1/rejections").json()
    return next((row for row in rows if row["reason"] == reason), {})


def speaking(edge: str) -> SpeakingEdge:
    found = SpeakingEdge(edge=edge, device=edge)
    found.at_ms = time.time_ns() // 1_000_000
    return found


def test_garbage_is_counted_and_shown_with_the_topic_that_it_came_on(running: Plant) -> None:
    with undisturbed(running), voice(running.broker.port, "garbler") as said:
        edge = speaking("garbler")
        said.say(*edge.births())
        said.say(*(Arrival(edge.topic(MessageType.DDATA), payload, 0) for payload in GARBAGE))
        wait_until(lambda: rejected(running, "messages", "garbage_payload") == len(GARBAGE))
        wait_until(lambda: shown(running, "garbage_payload").get("count") == len(GARBAGE))
    row = shown(running, "garbage_payload")
    assert (row["home"], row["edge"], row["device"]) == ("east", "garbler", "garbler")
    assert "spBv1.0/east/DDATA/garbler/garbler" in str(row["example"])


@pytest.mark.parametrize(
    ("reason", "ahead_ms", "value"),
    [("far_future", DAY_MS, 21.0), ("too_old", -20 * 365 * DAY_MS, 21.0), ("not_a_number", 0, math.nan),
     ("infinite", 0, math.inf)],
)  # fmt: skip
def test_a_sample_that_cannot_be_true_is_refused_and_its_good_neighbour_in_the_message_is_kept(
    running: Plant, reason: str, ahead_ms: int, value: float
) -> None:
    with undisturbed(running), voice(running.broker.port, reason) as said:
        edge = speaking(reason)
        bad, good = Sample(10, edge.at_ms + ahead_ms, value), Sample(11, edge.at_ms, 7.25)
        said.say(*edge.births(), edge.data(5, sorted((bad, good), key=lambda one: one.measured_at_ms)))
        wait_until(lambda: Acknowledgement(EPOCH, ((5, 5),)) in said.acknowledged)
        assert rejected(running, "samples", reason) == 1
        wait_until(lambda: shown(running, reason).get("edge") == reason)
    tags = running.service.http.get("/api/v1/homes/east/furnaces/F1").json()["tags"]
    assert {tag["channel"]: tag["value"] for tag in tags if tag["device"] == reason} == {"o2": 7.25, "co": None}


def test_an_edge_that_was_never_born_is_counted_asked_for_its_births_and_not_acknowledged(running: Plant) -> None:
    with undisturbed(running), voice(running.broker.port, "stranger") as said:
        stranger = speaking("stranger")
        said.say(stranger.data(1, [Sample(10, stranger.at_ms, 1.0)]))
        wait_until(lambda: rejected(running, "messages", "unknown_edge") >= 1)
        asked = running.service.metric("clearstack_ingest_rebirths_requested_total")
        assert asked >= 1
        assert said.acknowledged == []
    assert all(edge["name"] != "stranger" for edge in running.service.http.get("/api/v1/edges").json())


def test_an_empty_death_in_the_name_of_an_edge_does_not_keep_it_from_being_acknowledged(running: Plant) -> None:
    with undisturbed(running), voice(running.broker.port, "mourned") as said:
        before = rejected(running, "messages", "garbage_payload")
        edge = speaking("mourned")
        said.say(*edge.births(), Arrival(edge.topic(MessageType.NDEATH), b"", 0), *edge.births())
        said.say(edge.data(5, [Sample(10, edge.at_ms, 21.0)]))
        wait_until(lambda: Acknowledgement(EPOCH, ((5, 5),)) in said.acknowledged)
        assert rejected(running, "messages", "garbage_payload") == before + 1
