"""`ingest-service check`: read the configuration and the rule packs it names, without touching anything else."""

import argparse
import sys
from pathlib import Path
from typing import Any

from ingest_service.config_file import load_config
from ingest_service.credentials import careless, unusable_secrets
from ingest_service.rules import rule_book


def add_arguments(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser("check", help="check a configuration file and the rule packs it names")
    parser.add_argument("config", type=Path, help="the service's TOML file")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print what the file means; a ConfigError says what is wrong with it."""
    config = load_config(args.config)
    book = rule_book(config.judging, str(args.config))
    print(f"{args.config}: broker {config.broker.host}:{config.broker.port}, data in {config.storage.folder}")
    print(f"page on http://{config.http.host}:{config.http.port}, rules: {', '.join(pack.key for pack in book.packs)}")
    for key, problem in (*unusable_secrets(config), *careless(config)):
        print(f"ingest-service: warning: {args.config}: {key}: {problem}", file=sys.stderr)
    return 0
