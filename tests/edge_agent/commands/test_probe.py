"""`edge-agent probe` against an independent server with holes, and against the simulator, each a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.__main__ import main
from edge_agent.devices.files import load_profile
from edge_agent.modbus.value import Order, Table, ValueType
from tests.edge_agent.modbus import holes
from tests.edge_agent.modbus.rtu_unit import rtu_unit
from tests.support.broker import free_port


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with holes.server_with_holes() as found:
        yield found


def test_units_islands_and_orders_are_found(port: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", f"127.0.0.1:{port}", "--units", "1,4"]) == 0
    out = capsys.readouterr().out
    assert "Units that answer: 1, 4 (of 2 asked)" in out
    assert "holding  100 to 111, 217 to 221\n" in out
    assert "holding registers: byte order CDAB is sure" in out
    assert "input registers: byte order ABCD is sure" in out
    row = next(line.split() for line in out.splitlines() if "E979 42F6" in line)
    assert row == ["100", "400101", "E979", "42F6", "59769", "17142", "-1.883367e+25", "*123.456", "1.5185e+35",
                   "-9.861115e+32"]  # fmt: skip


def test_what_goes_to_a_file_is_plain_text_that_keeps_its_columns(port: int) -> None:
    command = [sys.executable, "-m", "edge_agent", "probe", f"127.0.0.1:{port}", "--tables", "holding", "--units", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "\x1b" not in done.stdout
    assert done.stderr == ""
    lines = [line for line in done.stdout.splitlines() if "4001" in line]
    assert len({len(line) for line in lines}) == 1


def test_the_list_that_it_writes_becomes_a_profile(port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["probe", f"127.0.0.1:{port}", "--units", "1", "--csv", "found.csv"]) == 0
    assert main(["import", "found.csv", "--id", "found"]) == 0
    channels = {channel.name: channel for channel in load_profile("found.toml", tmp_path).channels}
    constant, count, coil = channels["hr100"], channels["hr217"], channels["co2"]
    assert (constant.address, constant.encoding.type, constant.encoding.order) == (100, ValueType.FLOAT32, Order.CDAB)
    assert (count.table, count.address, count.encoding.type) == (Table.HOLDING, 217, ValueType.UINT16)
    assert (coil.table, coil.address) == (Table.COIL, 2)


def test_each_unit_gets_its_own_list(port: int, tmp_path: Path) -> None:
    assert main(["probe", f"127.0.0.1:{port}", "--units", "1,4", "--csv", str(tmp_path / "found.csv")]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["found-unit1.csv", "found-unit4.csv"]


def test_units_that_only_refuse_are_not_looked_into_when_they_are_many(
    port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    # This server refuses whatever unit it does not have, as some gateways do.
    assert main(["probe", f"127.0.0.1:{port}", "--units", "1-9", "--range", "96-127", "--parallel", "3"]) == 0
    out = capsys.readouterr().out
    assert "Only refuse, not looked into: 2, 3, 5 to 9 (--units 2 looks into one)" in out
    assert "Unit 2" not in out


def test_our_simulator_is_read_like_any_device(capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-m", "edge_agent", "simulate", "--furnaces", "2", "--always-burning", "--seed", "3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as simulator:
        try:
            assert simulator.stdout is not None
            port = simulator.stdout.readline().partition(",")[0].rpartition(":")[2]
            assert main(["probe", f"127.0.0.1:{port}", "--units", "1-4", "--parallel", "2"]) == 0
        finally:
            simulator.kill()
    out = capsys.readouterr().out
    assert "Units that answer: 1, 2 (of 4 asked)" in out
    assert out.count("input    0 to 21\n") == 2
    assert "byte order ABCD" in out


def test_a_unit_on_a_serial_line_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    with rtu_unit() as path:
        words = ["--serial", path, "--baud", "115200", "--timeout", "0.1", "--units", "16-18", "--range", "0-63"]
        assert main(["probe", *words, "--tables", "holding,input"]) == 0
    out = capsys.readouterr().out
    assert "Units that answer: 17 (of 3 asked)" in out
    assert "holding  10 to 29\n" in out
    assert "input    nothing can be read\n" in out


def test_where_nobody_answers_the_exit_code_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", f"127.0.0.1:{free_port()}"]) == 1
    assert "cannot connect to 127.0.0.1" in capsys.readouterr().err


def test_a_serial_line_that_does_not_exist_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["probe", "--serial", str(tmp_path / "ttyS9"), "--baud", "19200"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "where to? (allowed: HOST[:PORT] or --serial DEVICE)"),
        (("host", "--serial", "/dev/ttyUSB0"), "where to?"),
        (("host:port",), '"host:port" is no host'),
        (("host:99999",), "port: 99999 is out of range"),
        (("host", "--baud", "9600"), 'baud: has no meaning for transport "tcp"'),
        (("--serial", "/dev/ttyUSB0", "--baud", "9601"), "9601 is no rate of a serial line"),
        (("--serial", "/dev/ttyUSB0", "--units", "0"), "--units: 0 cannot answer over rtu (allowed: 1 to 247)"),
        (("--serial", "/dev/ttyUSB0", "--parallel", "2"), "--parallel: 2 is out of range (allowed: 1 to 1)"),
        (("host", "--units", "9-1"), '--units: "9-1" is no range'),
        (("host", "--units", "1,300"), '--units: "300" is no range (allowed: N or FIRST-LAST, 0 to 255)'),
        (("host", "--range", "0-70000"), '--range: "0-70000" is no range'),
        (("host", "--range", "0-9,20-29"), "is not one range"),
        (("host", "--tables", "holdings"), 'unknown table "holdings" (allowed: holding, input, coil, discrete)'),
        (("host", "--most", "126"), "--most: 126 is out of range (allowed: 1 to 125)"),
        (("host", "--timeout", "0"), "timeout_s: 0 is out of range"),
    ],
)
def test_a_wrong_argument_is_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    assert main(["probe", *arguments]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
