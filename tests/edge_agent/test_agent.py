"""The agent as people run it: its own process beside a simulated furnace, a real broker and a host."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from edge_agent.config import OutboxLimits
from edge_agent.health import Health
from edge_agent.outbox import Gap, GapReason, OutboxFile, read_state
from edge_agent.vitals import AgentStatus, write_status
from edge_agent.wire.topic import MessageType, Topic
from tests.support.broker import Mosquitto, free_port, start_mosquitto
from tests.support.host import TestHost
from tests.support.waiting import PATIENCE_S, wait_until

COMMAND = Topic("home-1", MessageType.NCMD, "edge-1")
SITE = """
[site]
home = "home-1"
edge = "edge-1"
city_zh = "示例市"

[broker]
host = "127.0.0.1"
port = {broker}

[[connection]]
name = "furnaces"
transport = "tcp"
host = "127.0.0.1"
port = {simulator}
timeout_s = 20

[[device]]
name = "furnace-1"
furnace = "1"
connection = "furnaces"
unit_id = 1
profile = "simulator"
"""
BUSY = AgentStatus(
    samples_read=1,
    samples_published=1,
    blocks_pending=0,
    blocks_acknowledged=1,
    samples_acknowledged=1,
    samples_dropped=0,
    gaps=0,
)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with start_mosquitto(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture(scope="module")
def simulator() -> Iterator[int]:
    words = [sys.executable, "-m", "edge_agent", "simulate", "--always-burning"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        found = re.search(r":(\d+)", process.stdout.readline())
        assert found
        yield int(found[1])
        process.terminate()


@pytest.fixture
def site(tmp_path: Path, broker: Mosquitto, simulator: int) -> Path:
    path = tmp_path / "site.toml"
    path.write_text(SITE.format(broker=broker.port, simulator=simulator), encoding="utf-8")
    return path


@contextmanager
def agent(site: Path) -> Iterator["subprocess.Popen[str]"]:
    """A running agent with the status file status.json beside its site file."""
    words = [sys.executable, "-m", "edge_agent", "run", str(site), "--status-file", str(status_file(site))]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def status_file(site: Path) -> Path:
    return site.with_name("status.json")


def status(site: Path) -> AgentStatus:
    path = status_file(site)
    empty = msgspec.structs.replace(BUSY, samples_read=0, samples_acknowledged=0, blocks_acknowledged=0)
    return msgspec.json.decode(path.read_bytes(), type=AgentStatus) if path.exists() else empty


def gaps_left(site: Path) -> list[Gap]:
    """What the outbox of an agent that has ended still has to tell of losses."""
    file = OutboxFile.open(OutboxLimits(path=site.with_name("outbox.db")), 1)
    with closing(file):
        return file.gaps()


def counter_values(host: TestHost) -> list[float]:
    """The values of the channel that the simulator counts up with each reading, in order of measurement."""
    births = [heard.birth for heard in host.of(MessageType.DBIRTH) if heard.birth]
    alias = next(channel.alias for channel in births[0].channels if channel.name == "scan_counter")
    columns = [message.columns for message in host.data("furnace-1")]
    rows = {
        (at_ms, value)
        for column in columns
        for key, at_ms, value in zip(column.keys, column.measured_at_ms, column.values, strict=True)
        if key == alias
    }
    return [value for _, value in sorted(rows)]


def kill_in_full_flow(site: Path, host: TestHost, run: int) -> None:
    """Start an agent, kill it after some blocks, wait until the broker tells its death."""
    with agent(site) as process:
        host.wait(lambda: len(host.of(MessageType.NBIRTH)) == run)
        seen = len(host.data("furnace-1"))
        host.wait(lambda: len(host.data("furnace-1")) >= seen + 3)
        process.kill()
    host.wait(lambda: len(host.of(MessageType.NDEATH)) == run)


def test_registers_reach_the_host_and_what_is_acknowledged_leaves_the_disk(site: Path, broker: Mosquitto) -> None:
    with TestHost(broker.port) as host:
        with agent(site) as process:
            host.wait(lambda: len(host.data("furnace-1")) >= 3 and host.data(None))
            wait_until(lambda: status(site).samples_acknowledged > 0)
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 0
            assert process.stderr
            log = [json.loads(line) for line in process.stderr]
        host.wait(lambda: host.of(MessageType.NDEATH))
        values = counter_values(host)
        assert values == [values[0] + number for number in range(len(values))]
        node = host.of(MessageType.NBIRTH)[0].birth
        assert node
        names = [channel.name for channel in node.channels]
        assert names[: len(Health.__struct_fields__)] == list(Health.__struct_fields__)
        assert "device/furnace-1/response_p95_ms" in names
        assert node.attributes["CityZh"] == "示例市"
    assert {"link_opened", "device_came_up", "agent_stopped"} <= {line["event"] for line in log}
    final = status(site)
    assert final.samples_read >= final.samples_acknowledged > 0
    assert final.samples_dropped == 0
    assert {gap.reason for gap in gaps_left(site)} <= {GapReason.OVERRUN}, "a machine may be too busy to read in time"


def test_after_kill_9_the_will_tells_its_death_and_the_next_run_goes_on_without_a_hole(
    site: Path, broker: Mosquitto
) -> None:
    with TestHost(broker.port) as host:
        kill_in_full_flow(site, host, run=1)
        kill_in_full_flow(site, host, run=2)
        births = [heard.birth for heard in host.of(MessageType.NBIRTH) if heard.birth]
        deaths = [heard.payload.metrics[0].long_value for heard in host.of(MessageType.NDEATH)]
        assert [birth.bd_seq for birth in births] == deaths == [0, 1]
        assert len({birth.epoch for birth in births}) == 1
        numbers = [message.block for device in ("furnace-1", None) for message in host.data(device)]
        live = [
            message.block for device in ("furnace-1", None) for message in host.data(device) if not message.historical
        ]
        assert len(live) == len(set(live))
        steps = [after - before for before, after in pairwise(sorted(set(numbers)))]
        assert min(numbers) == 1
        assert [step for step in steps if step != 1] == [2**16 + 1]  # after a kill numbers are left out


def test_without_a_broker_it_goes_on_reading_and_the_outbox_command_shows_what_waits(
    tmp_path: Path, simulator: int
) -> None:
    site = tmp_path / "site.toml"
    site.write_text(SITE.format(broker=free_port(), simulator=simulator), encoding="utf-8")
    with agent(site):
        wait_until(lambda: status(site).blocks_pending >= 3)
        words = [sys.executable, "-m", "edge_agent", "outbox", str(site)]
        shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    state = read_state(tmp_path / "outbox.db")
    assert f"epoch    {state.epoch:016x}" in shown
    found = re.search(r"waiting  (\d+) blocks, (\d+) samples", shown)
    assert found
    assert 2 <= int(found[1]) <= state.blocks
    lost = re.search(r"lost     0 samples in (\d+) gaps, (\d+) still to be told", shown)
    assert lost
    assert int(lost[1]) == int(lost[2]), "there is nobody to be told"
    assert {gap.reason for gap in gaps_left(site)} <= {GapReason.OVERRUN}, "a machine may be too busy to read in time"


def test_the_outbox_command_without_an_outbox_says_so_in_one_line(site: Path) -> None:
    words = [sys.executable, "-m", "edge_agent", "outbox", str(site)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)


def test_an_outbox_that_cannot_be_opened_ends_the_agent_with_one_line(site: Path) -> None:
    site.with_name("outbox.db").mkdir()
    words = [sys.executable, "-m", "edge_agent", "run", str(site)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("edge-agent: outbox ")
    assert len(done.stderr.splitlines()) == 1


def test_the_status_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    write_status(path, BUSY)
    write_status(path, msgspec.structs.replace(BUSY, samples_read=2))
    assert json.loads(path.read_text())["samples_read"] == 2
    assert list(tmp_path.iterdir()) == [path]


def test_a_status_file_that_cannot_be_written_disturbs_nothing(tmp_path: Path) -> None:
    write_status(tmp_path / "nowhere" / "status.json", BUSY)
    assert list(tmp_path.iterdir()) == []
