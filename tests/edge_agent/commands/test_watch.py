"""`edge-agent watch` as its own process, reading our simulator and a server of another make."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.edge_agent.modbus.server import running_server
from tests.edge_agent.sites import SITE, write_site
from tests.support.broker import free_port
from tests.support.waiting import PATIENCE_S

WATCH = (sys.executable, "-m", "edge_agent", "watch")


def once(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*WATCH, *arguments], capture_output=True, text=True, timeout=60, check=False)


def rows(out: str) -> list[list[str]]:
    """The table's cells, line by line."""
    return [re.split(r"\s{2,}", line.strip()) for line in out.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    found = free_port()
    with running_server(found):
        yield found


def test_once_shows_every_tag_of_every_device_and_ends(port: int, tmp_path: Path) -> None:
    done = once(str(write_site(tmp_path, port)), "--once")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    table = rows(done.stdout)
    assert table[0] == ["tag", "value", "unit", "quality", "age", "response"]
    heads = [row[0] for row in table if row[0].startswith("furnace")]
    assert [head.partition(" p50")[0] for head in heads] == [
        "furnace1 (furnace 1, unit 1 on plc)",
        "furnace2 (furnace 2, unit 2 on plc)",
    ]
    co = [row for row in table if row[0] == "co"]
    assert [row[1:4] for row in co] == [["123.456", "mg/m3", "good"]] * 2
    assert all(row[4].endswith(" s") and row[5].endswith(" ms") for row in co)
    assert [row[1:4] for row in table if row[0] == "chamber"] == [["850", "°C", "good"]] * 2
    assert [row[1] for row in table if row[0] == "door"] == ["1", "1"]


def test_a_value_that_cannot_be_had_shows_its_reason_beside_those_that_can(port: int, tmp_path: Path) -> None:
    site = SITE.replace("low = 0\nhigh = 1000", "low = 500\nhigh = 1000")
    table = rows(once(str(write_site(tmp_path, port, site=site)), "--once", "--device", "furnace2").stdout)
    assert not any(row[0].startswith("furnace1") for row in table)
    assert next(row for row in table if row[0] == "co")[1:5] == ["-", "mg/m3", "bad: out_of_range", "-"]
    assert next(row for row in table if row[0] == "chamber")[3] == "good"


def test_where_nothing_answers_the_table_says_so_and_the_command_ends(tmp_path: Path) -> None:
    done = once(str(write_site(tmp_path, free_port())), "--once")
    assert done.returncode == 0
    assert done.stdout.count("bad: not_connected") == 8


def test_without_a_terminal_one_table_is_printed(port: int, tmp_path: Path) -> None:
    assert once(str(write_site(tmp_path, port))).stdout.count("value") == 1


def test_our_simulator_is_shown_with_its_phase_by_name(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "edge_agent", "simulate", "--always-burning", "--seed", "4"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as simulator:
        try:
            assert simulator.stdout is not None
            port = int(simulator.stdout.readline().partition(",")[0].rpartition(":")[2])
            site = SITE.partition('[[device]]\nname = "furnace2"')[0].replace("furnace.toml", "simulator")
            done = once(str(write_site(tmp_path, port, site=site)), "--once")
        finally:
            simulator.kill()
    table = {row[0]: row for row in rows(done.stdout)}
    assert table["flue_o2"][2:4] == ["%", "good"]
    assert re.fullmatch(r"[0-6] (idle|preheat|charge|ignition|main|burnout|cooling)", table["phase"][1])


def test_on_a_terminal_the_table_moves_until_ctrl_c(port: int, tmp_path: Path) -> None:
    site = write_site(tmp_path, port)
    near, far = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"}
    words = ["env", "--default-signal=INT", *WATCH, str(site)]  # also where the tests run in the background
    with subprocess.Popen(words, stdin=far, stdout=far, stderr=far, env=environment) as watching:
        os.close(far)
        try:
            shown = shown_until(near, lambda text: len(counter_values(text)) >= 3)
            watching.send_signal(signal.SIGINT)
            shown_until(near, lambda text: False)
            assert watching.wait(PATIENCE_S) == 130
        finally:
            watching.kill()
            os.close(near)
    assert counter_values(shown) == sorted(counter_values(shown))
    assert "\x1b[32mgood" in shown


def counter_values(text: str) -> list[int]:
    """The different values of the counter that were drawn."""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    return list(dict.fromkeys(int(found) for found in re.findall(r"counter\s+(\d+)\s", plain)))


def shown_until(terminal: int, is_enough: Callable[[str], bool], timeout_s: float = 60.0) -> str:
    """What appears on a terminal until it is enough, or until the program has gone."""
    text, deadline = b"", time.monotonic() + timeout_s
    while not is_enough(text.decode("utf-8", "replace")):
        if not select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise TimeoutError(f"not within {timeout_s} s: {text.decode('utf-8', 'replace')}")
        try:
            text += os.read(terminal, 65536)
        except OSError:  # the far end is closed
            break
    return text.decode("utf-8", "replace")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("nowhere.toml",), "cannot be read"), (("site.toml", "--device", "furnace3"), 'no device "furnace3"')],
)
def test_what_cannot_be_watched_is_one_line_and_exit_code_2(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    write_site(tmp_path)
    done = subprocess.run([*WATCH, *arguments], capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
