"""A few seconds of each target; `make fuzz MINUTES=30` goes on for longer."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("atheris")

SECONDS = 3


@pytest.mark.parametrize("target", ["decoding", "intake", "influxql"])
def test_nothing_breaks_hangs_or_swells(target: str, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "tests.fuzz", target, "--seconds", str(SECONDS), "--findings", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr[-4_000:]
    runs = next(line for line in done.stderr.splitlines() if "number_of_executed_units" in line)
    assert int(runs.split()[-1]) > 50
