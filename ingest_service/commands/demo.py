"""`ingest-service demo`: a small city on this machine, with everything real but the furnaces."""

import argparse
import fcntl
import re
import shutil
import signal
from pathlib import Path
from typing import IO, Any

import msgspec

from ingest_service.errors import ConfigError

DEFAULT_PORT = 8080
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def add_arguments(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser("demo", help="three homes with seven simulated furnaces on this machine")
    parser.add_argument("--for", dest="span", metavar="SPAN", help="end by itself after so long, as 90s or 5m")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    parser.add_argument("--port", type=int, help=f"port of the page (default {DEFAULT_PORT}, or a free one)")
    parser.add_argument("--folder", type=Path, default=Path(".demo"), help="where files and logs go (default .demo)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the demo; 1 when a sample was lost."""
    from rich.console import Console  # the demo's packages are an extra: a bare service has no use for them

    from ingest_service.demo.processes import page_port
    from ingest_service.demo.run import Demo

    folder = args.folder.resolve()
    seconds = _parse_span_s(args.span) if args.span else None
    console = Console(stderr=args.json)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: nothing that was started stays behind
    with _claim_folder(folder):
        summary = Demo(folder, page_port(args.port, DEFAULT_PORT), console).run(seconds)
    if args.json:
        print(msgspec.json.encode(summary).decode(), flush=True)
    else:
        for field, value in msgspec.structs.asdict(summary).items():
            print(f"{field:>22}  {value}")
    console.print(summary.sentence(), highlight=False, soft_wrap=True)
    return 1 if summary.samples_lost else 0


def _claim_folder(folder: Path) -> IO[bytes]:
    """Make the folder this demo's own, and empty it; only what an earlier demo left is removed.

    Returns the lock, to be kept open as long as the demo runs. Raises ConfigError.
    """
    marker = folder / ".clearstack-demo"
    if folder.exists() and any(folder.iterdir()) and not marker.exists():
        raise ConfigError("--folder", str(folder), "exists and is no folder of an earlier demo", "a new folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = marker.open("ab")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ConfigError("--folder", str(folder), "a demo is running in it: end that one", "another folder") from None
    except OSError as error:
        raise ConfigError(
            "--folder", str(folder), f"cannot be made: {error.strerror}", "a folder to write in"
        ) from error
    for entry in folder.iterdir():
        if entry != marker:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    return lock


def _parse_span_s(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text)
    if not found:
        raise ConfigError("--for", "", f"{text!r} is no span", "90s, 5m, 1h")
    return float(found[1]) * _SECONDS[found[2]]
