"""`ingest-service serve`: run the central service in this process."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import structlog

from ingest_service.config import Config
from ingest_service.config_file import load_config
from ingest_service.credentials import Masking, unusable_secrets, values_of
from ingest_service.errors import ConfigError

_log = structlog.get_logger(__name__)


def add_arguments(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser("serve", help="run the service: intake, judging, alarms, API and page")
    parser.add_argument("config", type=Path, nargs="?", help="the service's TOML file (default: all defaults)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT."""
    configure_logging()
    config = _read(args.config) if args.config else _defaults()
    configure_logging(values_of(config))
    from ingest_service.service import run_service  # numpy and DuckDB take a while: --help need not wait

    run_service(config, str(args.config or "defaults"))
    return 0


def _read(file: Path) -> Config:
    """The file, with every secret that it names at hand. Raises ConfigError."""
    config = load_config(file)
    for key, problem in unusable_secrets(config):
        raise ConfigError(str(file), key, problem)
    return config


def _defaults() -> Config:
    """The configuration without a file; the log says where the page and the data then are."""
    config = Config()
    page, folder = f"http://{config.http.host}:{config.http.port}", str(Path(config.storage.folder).resolve())
    _log.info("no_configuration_file_defaults_hold", page=page, folder=folder)
    return config


def configure_logging(secrets: Sequence[str] = ()) -> None:
    """Log lines to stderr: for people on a terminal, as JSON elsewhere. No line holds one of the secrets."""
    people = sys.stderr.isatty()
    renderer = structlog.dev.ConsoleRenderer() if people else structlog.processors.JSONRenderer(ensure_ascii=False)
    structlog.configure(
        processors=[
            Masking(secrets),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
