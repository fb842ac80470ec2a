"""`edge-agent run`: read the devices of a site and publish, until it is told to end."""

import argparse
import asyncio
import sys
from pathlib import Path

from edge_agent.agent import configure_logging, run_agent
from edge_agent.config import load_site
from edge_agent.errors import OutboxError

EXIT_OUTBOX = 1


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command's arguments."""
    parser = subparsers.add_parser("run", help="read the devices and publish, until SIGTERM or Ctrl-C")
    parser.add_argument("site", type=Path, help="the site file (TOML)")
    parser.add_argument(
        "--status-file", type=Path, metavar="PATH", help="write counts to this file every second (JSON)"
    )


def run(args: argparse.Namespace) -> int:
    """Run the agent; an outbox that cannot be opened is one line on stderr and exit code 1."""
    site = load_site(args.site)
    configure_logging()
    try:
        asyncio.run(run_agent(site, args.status_file))
    except OutboxError as error:
        print(f"edge-agent: {error}", file=sys.stderr)
        return EXIT_OUTBOX
    return 0
