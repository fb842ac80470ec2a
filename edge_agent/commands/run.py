"""`edge-agent run`: read the devices of a site and publish, until it is told to end."""

import argparse
import asyncio
import sys
from pathlib import Path

from edge_agent.agent import RunOptions, run_agent
from edge_agent.errors import OutboxError
from edge_agent.log import configure_logging

EXIT_OUTBOX = 1


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command's arguments."""
    parser = subparsers.add_parser("run", help="read the devices and publish, until SIGTERM or Ctrl-C")
    parser.add_argument("site", type=Path, help="the site file (TOML); taken up anew when it changes, and on SIGHUP")
    parser.add_argument(
        "--status-file", type=Path, metavar="PATH", help="write counts to this file every second (JSON)"
    )
    parser.add_argument(
        "--metrics-port", type=int, metavar="N", help="answer Prometheus at this port of 127.0.0.1 (off by default)"
    )


def run(args: argparse.Namespace) -> int:
    """Run the agent; an outbox that cannot be opened is one line on stderr and exit code 1."""
    options = RunOptions(site_file=args.site, status_file=args.status_file, metrics_port=args.metrics_port)
    configure_logging()
    try:
        asyncio.run(run_agent(options))
    except OutboxError as error:
        print(f"edge-agent: {error}", file=sys.stderr)
        return EXIT_OUTBOX
    return 0
