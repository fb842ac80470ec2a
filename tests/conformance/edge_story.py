"""What an agent lives through once, so that all rules of an edge node can be held against what it said meanwhile."""

from collections.abc import Callable
from pathlib import Path

from edge_agent.wire.sparkplug_b_pb2 import Payload
from edge_agent.wire.topic import MessageType, Topic
from tests.conformance.said import DBIRTH, DDATA, DDEATH, NBIRTH, NDATA, NDEATH, Line
from tests.support.broker import free_port, start_mosquitto
from tests.support.host import TestHost
from tests.support.mqtt_tap import Tap, tapped
from tests.support.program import Program, product
from tests.support.waiting import wait_until

HOME, EDGE = "home-1", "edge-1"
COMMAND = Topic(HOME, MessageType.NCMD, EDGE)
SITE = """
[site]
home = "home-1"
edge = "edge-1"
name_zh = "示例殡仪馆"

[broker]
host = "127.0.0.1"
port = {broker}
mqtt = "{mqtt}"
primary_host = "{primary_host}"

[clock]
synchronisation = "unwatched"
"""
DEVICE = """
[[connection]]
name = "plc-{number}"
host = "127.0.0.1"
port = {port}
timeout_s = 0.5

[[device]]
name = "furnace-{number}"
furnace = "{number}"
connection = "plc-{number}"
profile = "simulator"
"""


def furnace(folder: Path, number: int, port: int) -> Program:
    """A simulated furnace of its own."""
    found = product(folder, f"furnace-{number}", "edge-agent", "simulate", "--port", str(port), "--always-burning")
    found.start()
    found.wait_for("listening on")
    return found


def agent(folder: Path, broker: int, furnaces: list[int], mqtt: str = "3.1.1", primary_host: str = "") -> Program:
    """An agent that is not started yet; `furnaces` are the ports of its devices."""
    devices = "".join(DEVICE.format(number=number, port=port) for number, port in enumerate(furnaces, 1))
    site = folder / "site.toml"
    site.write_text(SITE.format(broker=broker, mqtt=mqtt, primary_host=primary_host) + devices, encoding="utf-8")
    return product(folder, "agent", "edge-agent", "run", str(site))


class EdgeStory:
    """Three runs of one agent: stopped, killed, stopped. Between, births are asked for and a device goes and comes."""

    def __init__(self, folder: Path) -> None:
        self.ports = [free_port(), free_port()]
        self._folder = folder
        self.asked_ms: list[int] = []
        with start_mosquitto(folder) as broker, tapped(broker.port) as tap, TestHost(broker.port) as host:
            self._tap, self._host = tap, host
            self._live(agent(folder, tap.port, self.ports))
            self.wills_ms = [one.payload.timestamp for one in host.of(NDEATH)]
            self.line = Line(list(tap.packets))

    def _live(self, running: Program) -> None:
        furnaces = [furnace(self._folder, number, port) for number, port in enumerate(self.ports, 1)]
        try:
            self._first_run(running, furnaces)
            self._second_run(running)
            running.start()
            self._wait(lambda: self._count(NBIRTH) == 5 and self._count(DBIRTH) >= 9)
            running.stop()
            self._wait(lambda: len(self._host.of(NDEATH)) == 3)
        finally:
            for one in (running, *furnaces):
                one.kill()

    def _first_run(self, running: Program, furnaces: list[Program]) -> None:
        running.start()
        self._flow()
        self._host.ask_rebirth(COMMAND)
        self._wait(lambda: self._count(NBIRTH) == 2)
        self._flow()
        self._host.send(COMMAND, b"\xff garbage")
        self._host.send(Topic(HOME, MessageType.DCMD, EDGE, "furnace-1"), _untimed_rebirth(), qos=1)
        self._host.send(COMMAND, _untimed_rebirth(), qos=1)
        self._wait(lambda: self._count(NBIRTH) == 3)
        self._flow()
        furnaces[1].kill()
        self._wait(lambda: self._count(DDEATH) == 1)
        self._flow("furnace-1")
        furnaces[1].start()
        self._wait(lambda: self._count(DBIRTH) == 7)
        self._flow()
        running.stop()
        self._wait(lambda: len(self._host.of(NDEATH)) == 1)

    def _second_run(self, running: Program) -> None:
        running.start()
        self._wait(lambda: self._count(NBIRTH) == 4)
        self._flow()
        running.kill()
        self._wait(lambda: len(self._host.of(NDEATH)) == 2)

    def _flow(self, *devices: str) -> None:
        """Wait for two more data messages of each device, and one more of the node."""
        before = {device: len(self._said(DDATA, device)) for device in devices or ("furnace-1", "furnace-2")}
        self._wait(lambda: all(len(self._said(DDATA, device)) >= count + 2 for device, count in before.items()))
        self._wait(lambda: self._count(NDATA) >= 1)

    def _said(self, kind: MessageType, device: str) -> list[object]:
        return [heard for heard in self._host.of(kind) if heard.topic.device == device]

    def _count(self, kind: MessageType) -> int:
        return len(self._host.of(kind))

    def _wait(self, condition: Callable[[], object]) -> None:
        wait_until(condition)


class TappedAgent:
    """An agent over a tapped line, with a host that acknowledges."""

    def __init__(self, program: Program, tap: Tap, host: TestHost) -> None:
        self.program, self.tap, self.host = program, tap, host

    def line(self) -> Line:
        """What it has said so far."""
        return Line(list(self.tap.packets))


def _untimed_rebirth() -> bytes:
    """A request for births as some hosts make it: without any time."""
    payload = Payload()
    payload.metrics.add(name="Node Control/Rebirth", boolean_value=True)
    return payload.SerializeToString()
