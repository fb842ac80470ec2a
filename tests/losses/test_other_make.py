"""A Sparkplug edge of another make: no blocks, no epoch, names instead of aliases. It is taken as it is."""

import time
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from edge_agent.wire.metric import DataType
from edge_agent.wire.sparkplug_b_pb2 import Payload
from tests.support.plant import Plant, plant
from tests.support.waiting import PATIENCE_S

pytestmark = pytest.mark.timeout(300)
NODE, DEVICE = "spBv1.0/south/{}/box-7", "spBv1.0/south/{}/box-7/oven"


class OtherMake:
    """Speaks Sparkplug as its makers understood it."""

    def __init__(self, port: int) -> None:
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="box-7", clean_session=True)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._seq = -1

    def be_born(self) -> None:
        self._seq = -1
        node = Payload(timestamp=now_ms())
        node.metrics.add(name="bdSeq", datatype=DataType.INT64, long_value=0)
        node.metrics.add(name="Node Control/Rebirth", datatype=DataType.BOOLEAN, boolean_value=False)
        self._send(NODE.format("NBIRTH"), node)
        device = Payload(timestamp=now_ms())
        device.metrics.add(name="Oven/Temperature", datatype=DataType.FLOAT, float_value=20.0, timestamp=now_ms())
        device.metrics.add(name="Oven/Serial", datatype=DataType.STRING, string_value="A-77", timestamp=now_ms())
        self._send(DEVICE.format("DBIRTH"), device)

    def measure(self, at_ms: int, value: float) -> None:
        payload = Payload(timestamp=now_ms())
        payload.metrics.add(name="Oven/Temperature", float_value=value, timestamp=at_ms)
        self._send(DEVICE.format("DDATA"), payload)

    def end(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _send(self, topic: str, payload: Payload) -> None:
        self._seq = (self._seq + 1) % 256
        payload.seq = self._seq
        self._client.publish(topic, payload.SerializeToString(), qos=0).wait_for_publish(PATIENCE_S)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Plant]:
    with plant(tmp_path) as running:
        yield running


def test_it_is_shown_as_best_effort_and_what_it_sends_twice_is_there_once(made: Plant) -> None:
    http, other = made.service.http, OtherMake(made.broker.port)
    other.be_born()
    made.wait(lambda: "Oven/Temperature" in made.service.tags("south", "oven"))
    begun_ms = now_ms() + 1  # after the birth, whose value counts too
    for step in (0, 1, 1, 2, 0, 3):
        other.measure(begun_ms + step * 1_000, 800.0 + step)
    made.wait(lambda: made.service.tags("south", "oven")["Oven/Temperature"]["value"] == 803.0)
    series = made.service.tags("south", "oven")["Oven/Temperature"]["series"]
    span = {"from": begun_ms, "to": begun_ms + 4_000}
    made.wait(lambda: len(http.get(f"/api/v1/series/{series}/raw", params=span).json()["value"]) == 4)
    raw = http.get(f"/api/v1/series/{series}/raw", params=span).json()
    other.end()
    assert raw["value"] == [800.0, 801.0, 802.0, 803.0]
    assert raw["measured_at_ms"] == [begun_ms + step * 1_000 for step in range(4)]
    (edge,) = http.get("/api/v1/edges").json()
    assert (edge["home_id"], edge["name"], edge["best_effort"], edge["online"]) == ("south", "box-7", True, True)
    assert "cannot resend" in http.get("/data", headers={"Accept-Language": "en"}).text
    whole = http.get(
        "/api/v1/homes/south/furnaces/oven/completeness", params={**span, "from": begun_ms - 60_000}
    ).json()
    hours = {tag["channel"]: tag["hours"] for tag in whole["tags"]}
    assert set(hours) == {"Oven/Temperature"}
    assert sum(hour["received"] for hour in hours["Oven/Temperature"]) == 5
