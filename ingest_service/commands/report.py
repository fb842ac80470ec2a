"""`ingest-service report`: a compliance report as a file."""

import argparse
from pathlib import Path
from typing import Any

FORMS = ("html", "csv", "xlsx")
LANGUAGES = ("zh", "en")


def add_arguments(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser("report", help="a compliance report of a furnace or a home as a file")
    parser.add_argument("--config", type=Path, help="the service's TOML file (default: all defaults)")
    parser.add_argument("--url", help="the running service, as http://127.0.0.1:8080 (default: read the stores)")
    parser.add_argument("--key-env", help="environment variable that holds an API key, for --url")
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--furnace", help="HOME/FURNACE")
    whose.add_argument("--home", help="every furnace of HOME")
    when = parser.add_mutually_exclusive_group(required=True)
    when.add_argument("--day", help="as 2026-11-23")
    when.add_argument("--month", help="as 2026-11")
    when.add_argument("--year", help="as 2026")
    when.add_argument("--cremation", help="case number of a cremation of --furnace")
    parser.add_argument("--format", choices=FORMS, default="html", help="default: html")
    parser.add_argument("--lang", choices=LANGUAGES, default="zh", help="default: zh")
    parser.add_argument("--out", type=Path, help="the file (default: named for what it holds, in this folder)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the report and say where it is."""
    from ingest_service.commands import report_making  # numpy and DuckDB take a while: --help need not wait

    path = report_making.run(args)
    print(path)
    return 0
