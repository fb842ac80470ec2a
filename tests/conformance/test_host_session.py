"""Connections of a host application: clean sessions, wills, STATE, hearing before speaking, a last word."""

import json
from itertools import groupby
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from edge_agent.wire.command import HostState, decode_state, encode_state
from tests.conformance.host_stage import host_stage
from tests.conformance.said import Line
from tests.support.mqtt_packets import Kind, Packet, Publish
from tests.support.waiting import wait_until

STATE = "spBv1.0/STATE/clearstack"


class Life:
    """What a service said that was started, contradicted, stopped, started again and killed; and what others heard."""

    def __init__(self, folder: Path) -> None:
        self.heard: list[HostState] = []
        with host_stage(folder) as stage:
            watcher = mqtt.Client(CallbackAPIVersion.VERSION2)
            watcher.on_message = lambda _client, _data, message: self.heard.append(decode_state(bytes(message.payload)))
            watcher.connect("127.0.0.1", stage.broker.port)
            watcher.loop_start()
            watcher.subscribe(STATE, 1)
            wait_until(lambda: len(self.heard) == 1)
            watcher.publish(STATE, encode_state(HostState(online=False, timestamp=2**45)), 1, retain=True)
            wait_until(lambda: len(self.heard) == 3)
            stage.service.program.stop()
            wait_until(lambda: len(self.heard) == 4)
            stage.service.start()
            wait_until(lambda: self.heard[-1].online)
            stage.service.program.kill()
            wait_until(lambda: not self.heard[-1].online)
            watcher.disconnect()
            watcher.loop_stop()
            self.line = stage.line()

    def states(self, connection: int) -> list[tuple[Packet, Publish]]:
        """The STATE messages of a connection."""
        return [(packet, one) for packet, one in self.line.published() if packet.connection == connection]


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    return Life(tmp_path_factory.mktemp("host"))


def stated(payload: bytes) -> tuple[bool, int]:
    """The two facts of a STATE message, which holds nothing else."""
    found = json.loads(payload.decode("utf-8"))
    assert sorted(found) == ["online", "timestamp"]
    assert isinstance(found["online"], bool)
    assert isinstance(found["timestamp"], int)
    return found["online"], found["timestamp"]


def connect_times(line: Line) -> list[int]:
    return [packet.at_ms for packet in line.packets if packet.kind == Kind.CONNECT]


def test_every_connection_is_clean(life: Life) -> None:
    assert [(one.level, one.clean) for one in life.line.connects()] == [(4, True)] * 2


def test_every_connection_has_a_will_that_says_offline_at_the_time_of_the_connection(life: Life) -> None:
    for one, at_ms in zip(life.line.connects(), connect_times(life.line), strict=True):
        assert (one.will_topic, one.will_qos, one.will_retain) == (STATE, 1, True)
        online, timestamp = stated(one.will_payload)
        assert not online
        assert abs(timestamp - at_ms) < 60_000


def test_it_hears_all_edges_and_its_own_state_before_it_says_that_it_is_online(life: Life) -> None:
    for connection in (1, 2):
        assert dict(life.line.subscribed(connection)) == {"spBv1.0/#": 1, STATE: 1}
        assert life.line.kinds(connection)[:3] == [Kind.CONNECT, Kind.SUBSCRIBE, Kind.PUBLISH]


def test_its_first_message_says_online_with_the_time_of_its_will(life: Life) -> None:
    for connection, connect in enumerate(life.line.connects(), 1):
        _, first = life.states(connection)[0]
        assert (first.topic, first.qos, first.retain) == (STATE, 1, True)
        assert stated(first.payload) == (True, stated(connect.will_payload)[1])


def test_all_that_it_says_of_being_online_has_the_time_of_its_will(life: Life) -> None:
    for connection, connect in enumerate(life.line.connects(), 1):
        online = [stated(one.payload) for _, one in life.states(connection) if stated(one.payload)[0]]
        assert set(online) == {(True, stated(connect.will_payload)[1])}


def test_it_contradicts_whoever_says_offline_in_its_name_with_the_time_of_its_will(life: Life) -> None:
    [_, (_, again), _] = life.states(1)
    assert (again.topic, again.qos, again.retain) == (STATE, 1, True)
    assert stated(again.payload) == (True, stated(life.line.connects()[0].will_payload)[1])


def test_before_it_disconnects_it_says_offline_and_is_not_contradicted_by_itself(life: Life) -> None:
    packet, last = life.states(1)[-1]
    assert (last.topic, last.qos, last.retain) == (STATE, 1, True)
    online, timestamp = stated(last.payload)
    assert not online
    assert abs(timestamp - packet.at_ms) < 60_000
    after = life.line.kinds(1)[life.line.kinds(1).index(Kind.PUBLISH) + 1 :]
    assert after[-1] == Kind.DISCONNECT
    assert after.count(Kind.PUBLISH) == 2


def test_when_it_is_killed_its_will_says_offline(life: Life) -> None:
    assert Kind.DISCONNECT not in life.line.kinds(2)
    said = [online for online, _ in groupby(state.online for state in life.heard)]
    assert said == [True, False, True, False, True, False]
    assert life.heard[-1].timestamp == life.heard[-2].timestamp


def test_with_mqtt_5_the_session_is_clean_and_ends_with_the_connection(tmp_path: Path) -> None:
    with host_stage(tmp_path, 'mqtt = "5"') as stage:
        stage.service.program.stop()
        [connect] = stage.line().connects()
        assert (connect.level, connect.clean, connect.session_expiry_s) == (5, True, 0)
        assert (connect.will_topic, connect.will_qos, connect.will_retain) == (STATE, 1, True)
        states = [stated(one.payload)[0] for _, one in stage.line().published()]
        assert states == [True, False]
        assert stage.line().kinds(1)[-1] == Kind.DISCONNECT
