import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from edge_agent.wire.command import HostState, decode_state, encode_state
from edge_agent.wire.mqtt import MqttVersion
from ingest_service.intake import subscriber as module
from ingest_service.intake.arrivals import Arrival, ArrivalQueue
from ingest_service.intake.subscriber import BrokerAddress, Subscriber
from tests.support.broker import Mosquitto, free_port, start_mosquitto
from tests.support.proxy import Trouble, proxies
from tests.support.waiting import PATIENCE_S, wait_until

STATE = "spBv1.0/STATE/clearstack"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture(autouse=True)
def quick_reconnect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(module, "_LONGEST_PAUSE_S", 0.1)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with start_mosquitto(tmp_path) as running:
        yield running


class Listening:
    """A running subscriber and what it put in its queue."""

    def __init__(
        self,
        port: int,
        *,
        username: str = "",
        password: str = "",
        max_bytes: int = 10**6,
        mqtt: MqttVersion = MqttVersion.V3_1_1,
    ) -> None:
        self.queue = ArrivalQueue(max_bytes)
        address = BrokerAddress(
            host="127.0.0.1",
            port=port,
            host_id="clearstack",
            topics=("spBv1.0/#",),
            username=username,
            password=password,
            mqtt=mqtt,
        )
        self.subscriber = Subscriber(address, self.queue, now_ms)
        self.arrived: list[Arrival] = []

    def heard(self) -> list[tuple[str, bytes]]:
        self.arrived += self.queue.take(1000, 0)
        return [(arrival.topic, arrival.payload) for arrival in self.arrived]


@contextmanager
def running(started: Listening) -> Iterator[Listening]:
    started.subscriber.start()
    try:
        yield started
    finally:
        started.subscriber.stop()


class Watcher:
    """Another client of the broker: sees every STATE and publishes what a test wants."""

    def __init__(self, port: int) -> None:
        self.states: list[HostState] = []
        self.messages: list[tuple[str, bytes, int]] = []
        self.client = Client(CallbackAPIVersion.VERSION2)
        self.client.on_message = self._on_message
        subscribed = threading.Event()
        self.client.on_subscribe = lambda *_: subscribed.set()
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.client.subscribe([(STATE, 1), ("spBv1.0/+/NCMD/+", 1)])
        assert subscribed.wait(PATIENCE_S)

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        if message.topic == STATE:
            with suppress(ValueError):
                self.states.append(decode_state(bytes(message.payload)))
        else:
            self.messages.append((message.topic, bytes(message.payload), message.qos))

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self.client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(PATIENCE_S)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def watcher(broker: Mosquitto) -> Iterator[Watcher]:
    watching = Watcher(broker.port)
    yield watching
    watching.close()


def test_messages_of_edges_reach_the_queue_and_those_of_hosts_do_not(broker: Mosquitto, watcher: Watcher) -> None:
    with running(Listening(broker.port)) as host:
        wait_until(lambda: host.subscriber.online)
        watcher.publish("spBv1.0/STATE/another", encode_state(HostState(online=True, timestamp=1)))
        watcher.publish("spBv1.0/east/NCMD/edge-1", b"command")
        watcher.publish("spBv1.0/east/NDATA/edge-1", b"data")
        wait_until(host.heard)
        assert host.heard() == [("spBv1.0/east/NDATA/edge-1", b"data")]
        assert abs(host.arrived[0].received_at_ms - now_ms()) < 10_000


@pytest.mark.parametrize("mqtt", list(MqttVersion))
def test_many_commands_at_once_arrive_each_for_itself(broker: Mosquitto, watcher: Watcher, mqtt: MqttVersion) -> None:
    commands = [(f"spBv1.0/east/NCMD/edge-{number}", b"%d" % number * number) for number in range(200)]
    with running(Listening(broker.port, mqtt=mqtt)) as host:
        wait_until(lambda: host.subscriber.online)
        host.subscriber.publish_all([])
        host.subscriber.publish_all(commands)
        wait_until(lambda: len(watcher.messages) == len(commands))
    assert {(topic, payload) for topic, payload, _ in watcher.messages} == set(commands)
    assert {qos for _, _, qos in watcher.messages} == {0}


def test_commands_that_cannot_be_sent_now_are_dropped(broker: Mosquitto, watcher: Watcher) -> None:
    host = Listening(broker.port)
    host.subscriber.publish_all([("spBv1.0/east/NCMD/edge-0", b"too early")])
    with running(host):
        wait_until(lambda: host.subscriber.online)
        host.subscriber.publish_all([("spBv1.0/east/NCMD/edge-0", b"in time")])
        wait_until(lambda: watcher.messages)
    assert [payload for _, payload, _ in watcher.messages] == [b"in time"]


def test_it_says_online_when_it_hears_and_offline_when_it_stops(broker: Mosquitto, watcher: Watcher) -> None:
    with running(Listening(broker.port)) as host:
        wait_until(lambda: watcher.states)
        assert host.subscriber.online
        assert [state.online for state in watcher.states] == [True]
    wait_until(lambda: len(watcher.states) == 2)
    assert not watcher.states[1].online
    assert watcher.states[1].timestamp >= watcher.states[0].timestamp
    late = Watcher(broker.port)
    wait_until(lambda: late.states)
    assert not late.states[0].online
    late.close()


def test_it_contradicts_whoever_says_offline_in_its_name(broker: Mosquitto, watcher: Watcher) -> None:
    with running(Listening(broker.port)) as host:
        wait_until(lambda: host.subscriber.online)
        wait_until(lambda: watcher.states)
        watcher.publish(STATE, encode_state(HostState(online=False, timestamp=2**45)), retain=True)
        wait_until(lambda: len(watcher.states) >= 3)
        assert [state.online for state in watcher.states[:3]] == [True, False, True]
        assert watcher.states[2].timestamp == watcher.states[0].timestamp


def test_with_mqtt_5_a_session_is_clean_and_ends_with_the_connection(tmp_path: Path) -> None:
    with start_mosquitto(tmp_path, ["log_type all"]) as broker:
        watcher = Watcher(broker.port)
        with running(Listening(broker.port, mqtt=MqttVersion.V5)) as host:
            wait_until(lambda: host.subscriber.online)
            watcher.publish("spBv1.0/east/NDATA/edge-1", b"data")
            wait_until(host.heard)
            host.subscriber.publish("spBv1.0/east/NCMD/edge-1", b"please")
            wait_until(lambda: watcher.messages)
        wait_until(lambda: [state.online for state in watcher.states] == [True, False])
        connected = next(line for line in broker.log().splitlines() if "as clearstack-" in line)
        assert "(p5, c1, k15)" in connected
        watcher.close()


def test_a_lost_connection_interrupts_the_queue_once(tmp_path: Path) -> None:
    with start_mosquitto(tmp_path) as broker, running(Listening(broker.port)) as host:
        wait_until(lambda: host.subscriber.online)
        assert host.queue.interruptions == 0
        broker.kill()
        wait_until(lambda: not host.subscriber.online)
        wait_until(lambda: host.queue.interruptions == 1)
        broker.start()
        wait_until(lambda: host.subscriber.online)
        assert host.queue.interruptions == 1


def test_a_broken_state_of_its_own_is_ignored(broker: Mosquitto, watcher: Watcher) -> None:
    with running(Listening(broker.port)) as host:
        wait_until(lambda: host.subscriber.online)
        watcher.publish("spBv1.0/STATE/clearstack", b'{"online": 7')
        watcher.publish("spBv1.0/east/NDATA/edge-1", b"data")
        wait_until(host.heard)
        assert host.subscriber.online


def test_commands_go_out_at_qos_0(broker: Mosquitto, watcher: Watcher) -> None:
    with running(Listening(broker.port)) as host:
        wait_until(lambda: host.subscriber.online)
        host.subscriber.publish("spBv1.0/east/NCMD/edge-1", b"please")
        wait_until(lambda: watcher.messages)
    assert watcher.messages == [("spBv1.0/east/NCMD/edge-1", b"please", 0)]


def test_it_waits_for_a_broker_that_is_not_there_yet(tmp_path: Path) -> None:
    port = free_port()
    with running(Listening(port)) as host:
        with socket.create_server(("127.0.0.1", port)) as mute:
            mute.accept()[0].close()
        assert not host.subscriber.online
        broker = Mosquitto(tmp_path, port, ())
        broker.start()
        wait_until(lambda: host.subscriber.online)
        broker.kill()
        wait_until(lambda: not host.subscriber.online)


def test_it_comes_back_after_the_broker_was_killed(broker: Mosquitto) -> None:
    with running(Listening(broker.port)) as host:
        wait_until(lambda: host.subscriber.online)
        broker.kill()
        wait_until(lambda: not host.subscriber.online)
        host.subscriber.publish("spBv1.0/east/NCMD/edge-1", b"to nobody")
        broker.start()
        wait_until(lambda: host.subscriber.online)
        watcher = Watcher(broker.port)
        watcher.publish("spBv1.0/east/NDATA/edge-1", b"again")
        wait_until(host.heard)
        watcher.close()


def test_the_broker_says_offline_for_a_centre_that_died(broker: Mosquitto, watcher: Watcher) -> None:
    with proxies() as lines:
        line = lines.line(broker.port)
        with running(Listening(line.port)):
            wait_until(lambda: watcher.states)
            line.suffer(Trouble.RESET)
            wait_until(lambda: len(watcher.states) >= 3)
    assert [state.online for state in watcher.states[:3]] == [True, False, True]
    assert watcher.states[1].timestamp == watcher.states[0].timestamp


def test_a_flood_is_cut_to_what_the_queue_holds_and_the_link_lives_on(broker: Mosquitto, watcher: Watcher) -> None:
    with running(Listening(broker.port, max_bytes=3000)) as host:
        wait_until(lambda: host.subscriber.online)
        for number in range(50):
            watcher.publish("spBv1.0/east/NDATA/edge-1", b"%d" % number)
        wait_until(lambda: len(host.queue) + host.queue.dropped == 50)
        assert host.queue.dropped > 0
        assert host.heard()[0][1] == b"0"
        watcher.publish("spBv1.0/east/NDATA/edge-1", b"without the ones between")
        watcher.publish("spBv1.0/east/NBIRTH/edge-1", b"born again")
        watcher.publish("spBv1.0/east/NDATA/edge-1", b"later")
        wait_until(lambda: [payload for _, payload in host.heard()[-2:]] == [b"born again", b"later"])


def test_a_wrong_password_is_refused_again_and_again_and_the_right_one_enters(tmp_path: Path) -> None:
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "centre", "right"], check=True, capture_output=True)
    passwords.chmod(0o644)
    settings = ("user root", "allow_anonymous false", f"password_file {passwords}")
    with start_mosquitto(tmp_path, settings) as broker:
        with running(Listening(broker.port, username="centre", password="wrong")) as host:
            wait_until(lambda: broker.log().count("not authorised") >= 2)
            assert not host.subscriber.online
        with running(Listening(broker.port, username="centre", password="right")) as host:
            wait_until(lambda: host.subscriber.online)
