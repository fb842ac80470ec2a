"""A minute of each target, beside each other; `make fuzz MINUTES=30` goes on for longer."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("atheris")

TARGETS, SECONDS = ("decoding", "intake", "influxql"), 60


@pytest.mark.timeout(240)
def test_nothing_breaks_hangs_or_swells(tmp_path: Path) -> None:
    running = {target: _started(target, tmp_path / target) for target in TARGETS}
    for target, process in running.items():
        _, told = process.communicate()
        assert process.returncode == 0, f"{target}: {told[-4_000:]}"
        runs = next(line for line in told.splitlines() if "number_of_executed_units" in line)
        assert int(runs.split()[-1]) > 50, target


def _started(target: str, findings: Path) -> "subprocess.Popen[str]":
    findings.mkdir()
    words = ["nice", sys.executable, "-m", "tests.fuzz", target, "--seconds", str(SECONDS), "--findings", str(findings)]
    pipe, root = subprocess.PIPE, Path(__file__).parents[2]
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=pipe, text=True, cwd=root)
