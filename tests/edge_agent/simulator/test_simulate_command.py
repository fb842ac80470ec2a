"""`edge-agent simulate` as its own process, read by a client of another make."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pymodbus.client import ModbusTcpClient

from edge_agent.outbox.file import read_state
from edge_agent.simulator.read_log import CountedAnswer
from edge_agent.simulator.truth import TrueCycle
from edge_agent.wire.quantity import PHASES
from tests.support.waiting import PATIENCE_S

COMMAND = (sys.executable, "-m", "edge_agent", "simulate")
SITE = """
[site]
home = "home"
edge = "edge"
[broker]
host = "127.0.0.1"
[outbox]
path = "outbox.db"
[[connection]]
name = "plc"
host = "127.0.0.1"
port = 5020
[[device]]
name = "f1"
furnace = "1"
connection = "plc"
unit_id = 1
profile = "{profile}"
[[device]]
name = "f2"
furnace = "2"
connection = "plc"
unit_id = 2
profile = "{profile}"
"""


class _Simulator(msgspec.Struct):
    process: "subprocess.Popen[str]"
    port: int


@contextmanager
def _simulator(*arguments: str) -> Iterator[_Simulator]:
    process = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("listening on 127.0.0.1:"), line
        yield _Simulator(process, int(line.partition(",")[0].rpartition(":")[2]))
    finally:
        process.kill()
        process.communicate()


def _once(*arguments: str, folder: Path | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, cwd=folder, timeout=60, check=False)


def _uint32(registers: Sequence[int]) -> int:
    return registers[0] << 16 | registers[1]


def test_a_client_reads_every_furnace_and_the_counter_misses_nothing() -> None:
    with _simulator("--furnaces", "3", "--seed", "5", "--always-burning") as simulator:
        client: Any = ModbusTcpClient("127.0.0.1", port=simulator.port, retries=0)
        assert client.connect()
        for unit in (1, 2, 3):
            counts = [_uint32(client.read_holding_registers(26, count=2, device_id=unit).registers) for _ in range(50)]
            assert counts == list(range(1, 51))
            assert client.read_holding_registers(11, count=1, device_id=unit).registers[0] in PHASES
        assert client.read_holding_registers(26, count=2, device_id=4).exception_code == 11
        client.close()


def test_the_read_log_holds_every_counter_value_that_was_answered_with(tmp_path: Path) -> None:
    log = tmp_path / "reads.jsonl"
    for run in (1, 2):  # the second goes on behind the lines of the first
        with _simulator("--furnaces", "2", "--read-log", str(log)) as simulator:
            client: Any = ModbusTcpClient("127.0.0.1", port=simulator.port, retries=0)
            assert client.connect()
            for unit in (1, 2, 2):
                client.read_holding_registers(26, count=2, device_id=unit)
            client.read_holding_registers(0, count=10, device_id=1)
            client.close()
        answers = msgspec.json.Decoder(CountedAnswer).decode_lines(log.read_bytes())
        told = [(answer.furnace, answer.value) for answer in answers]
        assert told == [(1, 1), (2, 1), (2, 2)] * run
        assert [answer.at_ms for answer in answers] == sorted(answer.at_ms for answer in answers)


def test_sigterm_ends_it_although_a_client_is_connected() -> None:
    with _simulator() as simulator:
        client: Any = ModbusTcpClient("127.0.0.1", port=simulator.port)
        assert client.connect()
        simulator.process.send_signal(signal.SIGTERM)
        assert simulator.process.wait(PATIENCE_S) == 0
        client.close()


def test_the_truth_is_written_before_it_happens(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    with _simulator("--furnaces", "2", "--always-burning", "--truth", str(truth)):
        cycles = msgspec.json.Decoder(TrueCycle).decode_lines(truth.read_bytes())
    assert {cycle.furnace for cycle in cycles} == {1, 2}
    assert 72 <= len(cycles) <= 80
    assert all([phase.phase for phase in cycle.phases] == list(PHASES.values())[1:] for cycle in cycles)


def test_a_history_goes_into_the_outbox_behind_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(SITE.format(profile="simulator"), encoding="utf-8")
    for run in (1, 2):
        done = _once("--history", "2h", "--site", "site.toml", "--always-burning", folder=tmp_path)
        assert done.returncode == 0, done.stderr
        state = read_state(tmp_path / "outbox.db")
        assert 240 * run <= state.blocks <= 244 * run
        assert state.samples > 100 * state.blocks


REFUSED = [
    (("--furnaces", "0"), "--furnaces"),
    (("--furnaces", "2", "--fault", "furnace=3,kind=silent"), "1, 2"),
    (("--fault", "furnace=1,kind=melt"), "dosing_stop"),
    (("--history", "24h"), "--site"),
    (("--history", "soon", "--site", "site.toml"), "24h"),
    (("--history", "24h", "--site", "other.toml"), "simulator"),
    (("--history", "1h", "--site", "site.toml", "--fault", "furnace=3,kind=silent"), "1, 2"),
    (("--host", "203.0.113.1", "--port", "5020"), "cannot listen"),
    (("--port", "70000"), "0 to 65535"),
    (("--utc-offset", "nan"), "-12 to 14"),
    (("--truth", "nowhere/truth.jsonl"), "cannot be written"),
    (("--read-log", "nowhere/reads.jsonl"), "cannot be written"),
]


@pytest.mark.parametrize(("arguments", "said"), REFUSED, ids=[" ".join(row[0]) for row in REFUSED])
def test_what_cannot_be_done_is_one_line_and_exit_code_2(arguments: Sequence[str], said: str, tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(SITE.format(profile="simulator"), encoding="utf-8")
    (tmp_path / "meter.toml").write_text(METER, encoding="utf-8")
    (tmp_path / "other.toml").write_text(SITE.format(profile="meter.toml"), encoding="utf-8")
    done = _once(*arguments, folder=tmp_path)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


METER = """
[profile]
id = "meter"
name_zh = "表"
name_en = "Meter"
origin = "example"
source = "none"
[[channel]]
name = "gas_total"
quantity = "gas_total"
table = "holding"
address = 0
type = "uint32"
"""


def test_the_truth_of_a_past_needs_no_site(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    done = _once("--history", "24h", "--furnaces", "2", "--always-burning", "--truth", str(truth))
    assert done.returncode == 0, done.stderr
    cycles = msgspec.json.Decoder(TrueCycle).decode_lines(truth.read_bytes())
    assert {cycle.furnace for cycle in cycles} == {1, 2}
    assert all(
        earlier.to_ms <= later.from_ms for earlier, later in pairwise(cycles) if earlier.furnace == later.furnace
    )
