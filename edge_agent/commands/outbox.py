"""`edge-agent outbox`: what waits for the centre, also while the agent runs."""

import argparse
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from edge_agent.config import load_site
from edge_agent.errors import OutboxError
from edge_agent.outbox import OutboxState, read_state

EXIT_OUTBOX = 1


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command's arguments."""
    parser = subparsers.add_parser("outbox", help="show what waits for the centre")
    parser.add_argument("site", type=Path, help="the site file (TOML)")


def run(args: argparse.Namespace) -> int:
    """Print depth, age, size, epoch and losses; no outbox is one line on stderr and exit code 1."""
    path = load_site(args.site).outbox.path
    try:
        state = read_state(path)
    except OutboxError as error:
        print(f"edge-agent: {error}", file=sys.stderr)
        return EXIT_OUTBOX
    for line in described(path, state, time.time_ns() // 1_000_000):
        print(line)
    return 0


def described(path: Path, state: OutboxState, now_ms: int) -> list[str]:
    """The state in a few lines for people."""
    return [
        f"outbox   {path}",
        f"epoch    {state.epoch:016x}",
        f"waiting  {state.blocks} blocks, {state.samples} samples, {state.bytes / 1024:.0f} KiB",
        f"oldest   {_age(state.oldest_ms, now_ms)}",
        f"lost     {state.samples_dropped} samples in {state.gaps} gaps, {state.gaps_waiting} still to be told",
    ]


def _age(oldest_ms: int | None, now_ms: int) -> str:
    if oldest_ms is None:
        return "nothing waits"
    measured_at = datetime.fromtimestamp(oldest_ms / 1000, UTC).isoformat(timespec="seconds")
    return f"{measured_at}, {max(0, now_ms - oldest_ms) / 1000:.0f} s ago"
