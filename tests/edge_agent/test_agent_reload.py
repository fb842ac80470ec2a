"""The running agent goes over to other site files and says what happens: real processes, a real broker."""

import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from edge_agent.outbox import read_state
from edge_agent.wire.birth import Birth, ChannelBirth
from edge_agent.wire.topic import MessageType
from tests.edge_agent.test_agent import SITE
from tests.support.broker import Mosquitto, free_port, start_mosquitto
from tests.support.host import TestHost
from tests.support.waiting import PATIENCE_S, wait_until

NBIRTH, DBIRTH, NDEATH, DDEATH = MessageType.NBIRTH, MessageType.DBIRTH, MessageType.NDEATH, MessageType.DDEATH
SECOND = """
[[device]]
name = "furnace-2"
furnace = "2"
connection = "furnaces"
unit_id = 2
profile = "simulator"
"""
NEW_LINE = """
[[connection]]
name = "more"
host = "127.0.0.1"
port = {simulator}
timeout_s = 20
"""


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with start_mosquitto(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture(scope="module")
def simulator() -> Iterator[int]:
    words = [sys.executable, "-m", "edge_agent", "simulate", "--furnaces", "3", "--always-burning"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        found = re.search(r":(\d+)", process.stdout.readline())
        assert found
        yield int(found[1])
        process.terminate()


class Running:
    """An agent whose site file is edited."""

    def __init__(self, site: Path, process: "subprocess.Popen[bytes]", host: TestHost) -> None:
        self.site, self.process, self.host = site, process, host
        self._log = site.with_name("agent.log")

    def write(self, text: str) -> None:
        self.site.write_text(text, encoding="utf-8")

    def log(self) -> list[dict[str, Any]]:
        """What it said so far; a line that is being written is left out."""
        lines = self._log.read_text(encoding="utf-8").split("\n")[:-1]
        return [json.loads(line) for line in lines if line.startswith("{")]

    def events(self) -> Counter[str]:
        return Counter(str(line["event"]) for line in self.log())

    def births(self, device: str | None) -> list[Birth]:
        return [heard.birth for heard in list(self.host.heard) if heard.birth and heard.topic.device == device]

    def node_value(self, channel: str) -> float | None:
        """The newest value of one of the node's own channels."""
        aliases = {channel.name: channel.alias for birth in self.births(None) for channel in birth.channels}
        found = None
        for message in self.host.data(None):
            columns = message.columns
            pairs = zip(columns.keys, columns.values, strict=True)
            found = next((value for key, value in pairs if key == aliases.get(channel)), found)
        return found

    def counts(self, device: str) -> list[float]:
        """What the counter showed at each reading, in order of time."""
        alias = next(c.alias for birth in self.births(device) for c in birth.channels if c.name == "scan_counter")
        rows = {
            (at_ms, value)
            for message in self.host.data(device)
            for key, at_ms, value in zip(
                message.columns.keys, message.columns.measured_at_ms, message.columns.values, strict=True
            )
            if key == alias
        }
        return [value for _, value in sorted(rows)]


@contextmanager
def running(folder: Path, text: str, broker: int, *words: str) -> Iterator[Running]:
    site = folder / "site.toml"
    site.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "edge_agent", "run", str(site), *words]
    with (
        TestHost(broker) as host,
        (folder / "agent.log").open("wb") as log,
        subprocess.Popen(command, stderr=log) as process,
    ):
        try:
            host.wait(lambda: host.data("furnace-1"))
            yield Running(site, process, host)
        finally:
            process.kill()


def channels(birth: Birth) -> dict[str, ChannelBirth]:
    return {channel.name: channel for channel in birth.channels}


def is_complete(counts: list[float]) -> bool:
    return len(counts) > 2 and counts == [counts[0] + number for number in range(len(counts))]


def test_devices_come_and_go_while_the_others_lose_no_reading(
    tmp_path: Path, broker: Mosquitto, simulator: int
) -> None:
    one = SITE.format(broker=broker.port, simulator=simulator)
    more = NEW_LINE.format(simulator=simulator) + SECOND.replace('"furnaces"', '"more"')
    with running(tmp_path, one, broker.port) as agent:
        first = agent.births("furnace-1")[0]
        agent.write(more + one)
        agent.host.wait(lambda: agent.host.data("furnace-2"))
        agent.write(one)
        agent.host.wait(lambda: agent.events()["site_file_taken_up"] == 2)
        agent.host.wait(lambda: len(agent.births(None)) == 3)
        seen = len(agent.counts("furnace-1"))
        agent.host.wait(lambda: len(agent.counts("furnace-1")) >= seen + 2)
        agent.process.send_signal(signal.SIGTERM)
        assert agent.process.wait(PATIENCE_S) == 0
        agent.host.wait(lambda: agent.host.of(NDEATH))
        assert is_complete(agent.counts("furnace-1"))
        births = agent.births("furnace-1")
        assert all(channels(birth) == channels(first) for birth in births)
        assert {birth.block_alias for birth in births} == {first.block_alias}
        assert len(agent.births("furnace-2")) == 1
        assert agent.events()["device_came_up"] == 2
        assert {birth.bd_seq for birth in agent.births(None)} == {0}
    assert (read_state(tmp_path / "outbox.db").samples_dropped, agent.host.of(DDEATH)) == (0, [])


def test_a_wrong_file_is_refused_in_the_log_and_in_the_nodes_health_and_the_old_one_goes_on(
    tmp_path: Path, broker: Mosquitto, simulator: int
) -> None:
    text = SITE.format(broker=broker.port, simulator=simulator)
    with running(tmp_path, text, broker.port) as agent:
        agent.host.wait(lambda: agent.node_value("site_file_refused") == 0)
        agent.write(text.replace("unit_id = 1", "unit_id = 999"))
        agent.host.wait(lambda: agent.events()["site_file_refused"] == 1)
        agent.host.wait(lambda: agent.node_value("site_file_refused") == 1)
        agent.write(text)
        agent.host.wait(lambda: agent.events()["site_file_taken_up"] == 1)
        agent.host.wait(lambda: agent.node_value("site_file_refused") == 0)
        assert agent.node_value("reload_errors_total") == 1
        assert 10 < (agent.node_value("memory_mb") or 0) < 200
        assert agent.node_value("device/furnace-1/poll_p95_ms") is not None
        assert agent.node_value("device/furnace-1/response_p50_ms") is not None
        assert -2 < (agent.node_value("clock_offset_s") or 0) <= 0.5
        assert is_complete(agent.counts("furnace-1"))
        [refused] = [line for line in agent.log() if line["event"] == "site_file_refused"]
        assert refused["error"] == (
            f'{agent.site}: device "furnace-1".unit_id: 999 is out of range (allowed: 0 to 255)'
        )


def test_another_identity_is_another_node_in_the_same_process(
    tmp_path: Path, broker: Mosquitto, simulator: int
) -> None:
    text = SITE.format(broker=broker.port, simulator=simulator)
    with running(tmp_path, text, broker.port) as agent:
        agent.write(text.replace('"edge-1"', '"edge-7"'))
        agent.process.send_signal(signal.SIGHUP)
        agent.host.wait(lambda: any(heard.topic.edge == "edge-7" for heard in agent.host.of(NBIRTH)))
        assert [heard.topic.edge for heard in agent.host.of(NDEATH)] == ["edge-1"]
        agent.host.wait(lambda: any(heard.topic.edge == "edge-7" and heard.data for heard in agent.host.heard))
        agent.process.send_signal(signal.SIGTERM)
        assert agent.process.wait(PATIENCE_S) == 0


def test_an_outbox_that_cannot_be_opened_is_refused_and_the_old_one_goes_on(
    tmp_path: Path, broker: Mosquitto, simulator: int
) -> None:
    text = SITE.format(broker=broker.port, simulator=simulator)
    with running(tmp_path, text, broker.port) as agent:
        agent.write(text.replace("[broker]", '[outbox]\npath = "nowhere/outbox.db"\n[broker]'))
        agent.process.send_signal(signal.SIGHUP)
        agent.host.wait(lambda: agent.events()["site_file_refused"] == 1)
        agent.host.wait(lambda: len(agent.births(None)) == 2)
        agent.host.wait(lambda: agent.node_value("site_file_refused") == 1)
        agent.process.send_signal(signal.SIGTERM)
        assert agent.process.wait(PATIENCE_S) == 0


def test_a_password_that_is_not_there_is_refused_and_the_old_one_goes_on(
    tmp_path: Path, broker: Mosquitto, simulator: int
) -> None:
    text = SITE.format(broker=broker.port, simulator=simulator)
    with running(tmp_path, text, broker.port) as agent:
        agent.write(text.replace("[broker]", '[broker]\npassword_env = "NO_SUCH_VARIABLE"'))
        agent.process.send_signal(signal.SIGHUP)
        agent.host.wait(lambda: agent.events()["site_file_refused"] == 1)
        assert len(agent.births(None)) == 1
        assert agent.process.poll() is None


def test_it_says_each_change_of_state_once_and_nothing_at_each_poll(
    tmp_path: Path, broker: Mosquitto, simulator: int
) -> None:
    silent = SECOND.replace("furnace-2", "furnace-9").replace("unit_id = 2", "unit_id = 99")
    text = SITE.format(broker=broker.port, simulator=simulator) + silent
    text = text.replace("timeout_s = 20", "timeout_s = 1").replace(
        "[broker]", '[clock]\nsynchronisation = "unwatched"\n[broker]'
    )
    with running(tmp_path, text, broker.port) as agent:
        agent.host.wait(lambda: len(agent.counts("furnace-1")) >= 5 and agent.events()["device_went_down"])
        assert agent.events() == {
            "link_opened": 1, "device_came_up": 1, "device_read_failed": 1, "device_went_down": 1,
        }  # fmt: skip
        assert all({"event", "level", "timestamp"} <= line.keys() for line in agent.log())


def test_prometheus_is_answered_on_loopback_when_asked(tmp_path: Path, broker: Mosquitto, simulator: int) -> None:
    port = free_port()
    text = SITE.format(broker=broker.port, simulator=simulator)
    with running(tmp_path, text, broker.port, "--metrics-port", str(port)) as agent:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as response:
            figures = response.read().decode()
        assert 'clearstack_edge_device_response_p95_ms{device="furnace-1"}' in figures
        agent.process.send_signal(signal.SIGTERM)
        assert agent.process.wait(PATIENCE_S) == 0


def test_an_unsynchronised_clock_is_in_the_health_and_in_the_log_unless_nobody_can_know(
    tmp_path: Path, broker: Mosquitto, simulator: int
) -> None:
    text = SITE.format(broker=broker.port, simulator=simulator)
    with running(tmp_path, text, broker.port) as agent:
        agent.host.wait(lambda: agent.node_value("clock_unsynchronised") is not None)
        unsynchronised = agent.node_value("clock_unsynchronised") == 1
        assert (agent.events()["clock_unsynchronised"] == 1) == unsynchronised
        reasons = {reason for message in agent.host.data("furnace-1") for reason in message.columns.reasons}
        assert reasons == {1 if unsynchronised else 0}
    wait_until(lambda: agent.process.poll() is not None)
