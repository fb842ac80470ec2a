"""What an edge node does when it is told to: wait for a primary host, speak MQTT 5."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge_agent.wire.command import HostState, encode_state
from edge_agent.wire.sparkplug_b_pb2 import Payload
from tests.conformance.edge_story import COMMAND, EDGE, HOME, TappedAgent, agent
from tests.conformance.said import NBIRTH, NDEATH, Line
from tests.support.broker import free_port, start_mosquitto
from tests.support.host import TestHost
from tests.support.mqtt_packets import Kind
from tests.support.mqtt_tap import tapped
from tests.support.waiting import wait_until

WITH_WILL = 0x04  # reason code of a DISCONNECT after which the broker says the will (MQTT 5.0, 3.14.2.1)


@contextmanager
def running(folder: Path, mqtt: str = "3.1.1", primary_host: str = "") -> Iterator[TappedAgent]:
    """An agent whose only device cannot be reached."""
    with start_mosquitto(folder) as broker, tapped(broker.port) as tap, TestHost(broker.port) as host:
        program = agent(folder, tap.port, [free_port()], mqtt, primary_host)
        program.start()
        try:
            yield TappedAgent(program, tap, host)
        finally:
            program.kill()


def test_with_mqtt_5_the_session_is_clean_and_ends_with_the_connection_and_the_will_is_said_at_the_end(
    tmp_path: Path,
) -> None:
    with running(tmp_path, mqtt="5") as edge:
        wait_until(lambda: edge.host.of(NBIRTH))
        edge.program.stop()
        wait_until(lambda: len(edge.host.of(NDEATH)) == 2)
        line = edge.line()
    [connect] = line.connects()
    assert (connect.level, connect.clean, connect.session_expiry_s) == (5, True, 0)
    assert (connect.will_topic, connect.will_qos, connect.will_retain) == (f"spBv1.0/{HOME}/NDEATH/{EDGE}", 1, False)
    assert line.subscribed(1) == [(f"spBv1.0/{HOME}/NCMD/{EDGE}", 1)]
    assert line.said()[-1].type is NDEATH
    assert line.packets[-1].kind == Kind.DISCONNECT
    assert line.packets[-1].body[0] == WITH_WILL


def test_an_edge_waits_for_its_primary_host_and_leaves_with_it(tmp_path: Path) -> None:
    with running(tmp_path, primary_host="centre") as edge:

        def say(host: str, online: bool, at_ms: int) -> None:
            edge.host.say_state(host, encode_state(HostState(online, at_ms)))

        wait_until(lambda: Kind.SUBSCRIBE in edge.line().kinds(1))
        say("another", True, 900)
        say("centre", False, 100)
        say("centre", True, 200)
        wait_until(lambda: edge.host.of(NBIRTH))
        say("centre", False, 150)
        edge.host.ask_rebirth(COMMAND)
        wait_until(lambda: len(edge.host.of(NBIRTH)) == 2)
        assert not edge.host.of(NDEATH)
        say("centre", False, 200)
        wait_until(lambda: len(edge.line().connects()) == 2)
        wait_until(lambda: Kind.SUBSCRIBE in edge.line().kinds(2))
        say("centre", True, 190)
        say("centre", True, 300)
        wait_until(lambda: len(edge.host.of(NBIRTH)) == 3)
        edge.program.stop()
        line = edge.line()
    assert dict(line.subscribed(1)) == {f"spBv1.0/{HOME}/NCMD/{EDGE}": 1, "spBv1.0/STATE/centre": 1}
    check_connections(line)


def check_connections(line: Line) -> None:
    """Each connection ends with death and disconnection, and has its own bdSeq."""
    for connection in (1, 2):
        said = [one for one in line.said() if one.connection == connection]
        assert (said[0].type, said[-1].type) == (NBIRTH, NDEATH)
        assert line.kinds(connection)[-1] == Kind.DISCONNECT
    numbers = [Payload.FromString(one.will_payload).metrics[0].long_value for one in line.connects()]
    assert numbers == [0, 1]
    assert [one.metric("bdSeq").long_value for one in line.said(NBIRTH)] == [0, 0, 1]
