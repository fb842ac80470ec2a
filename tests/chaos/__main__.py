"""`python -m tests.chaos --minutes 30 --seed 1`: a long run; its last line is one JSON object."""

import argparse
import json
import signal
import sys
import tempfile
from pathlib import Path

import msgspec

from tests.bench.machine import machine
from tests.chaos.run import run


def main() -> int:
    """Run and report; exit code 1 where anything was lost, doubled or wrongly told missing."""
    parser = argparse.ArgumentParser(prog="chaos")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where to leave files and logs (default: nowhere)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing is left running
    say(machine())
    if options.folder is not None:
        options.folder.mkdir(parents=True)
        return report(options.folder, options.seed, options.minutes)
    with tempfile.TemporaryDirectory() as folder:
        return report(Path(folder), options.seed, options.minutes)


def say(text: str) -> None:
    """One line on stdout, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def report(folder: Path, seed: int, minutes: float) -> int:
    """The run's figures, what is wrong first."""
    outcome = run(folder, seed, minutes * 60, say)
    for kind, count in sorted(outcome.faults.items()):
        say(f"{kind:16} {count:5}")
    for text in outcome.complaints:
        say(text)
    account = outcome.account
    figures = msgspec.structs.asdict(account)
    say(json.dumps({"faults": sum(outcome.faults.values()), **figures, "drained_s": round(outcome.drained_s, 1)}))
    return int(account.lost + account.duplicated + account.false_gaps > 0)


if __name__ == "__main__":
    sys.exit(main())
