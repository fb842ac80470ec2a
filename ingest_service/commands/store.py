"""`ingest-service store`: make, check, copy and export the store of the time series.

Imported where it is used: the databases, which take a while to load, so that no other command waits for them.
"""

import argparse
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ingest_service.config import Config
from ingest_service.config_file import load_config
from ingest_service.errors import ConfigError
from ingest_service.store.findings import State

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ingest_service.store.exporting import Form


def add_arguments(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser("store", help="make, check, copy and export the store of the time series")
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    _add(actions, "init", "make what the store needs: folder, database or buckets, retention", _init)
    _add(actions, "check", "say what is right and wrong with the store; 1 where something is wrong", _check)
    copy = actions.add_parser("copy", help="move history from one store to another; can be ended and taken up again")
    copy.add_argument("--from", dest="source", type=Path, required=True, help="configuration with the present store")
    copy.add_argument("--to", dest="target", type=Path, required=True, help="configuration with the new store")
    copy.set_defaults(run=_copy)
    _add_export(actions)


def _add(actions: "argparse._SubParsersAction[Any]", name: str, about: str, run: Any) -> None:
    parser = actions.add_parser(name, help=about)
    parser.add_argument("config", type=Path, help="the service's TOML file")
    parser.set_defaults(run=run)


def _add_export(actions: "argparse._SubParsersAction[Any]") -> None:
    parser = actions.add_parser("export", help="write series of a span to Parquet or CSV")
    parser.add_argument("config", type=Path, help="the service's TOML file")
    parser.add_argument("--series", action="append", default=[], help="id, or home/device/channel with *; repeatable")
    parser.add_argument("--from", dest="since", required=True, help="date or time of the site's zone, as 2026-11-24")
    parser.add_argument("--to", dest="until", required=True, help="the same; a date is counted in")
    parser.add_argument("--content", choices=["raw", "minute", "hour"], default="raw", help="samples or means")
    parser.add_argument("--format", choices=["csv", "parquet"], help="default: by the ending of --out")
    parser.add_argument("--out", type=Path, required=True, help="the file to write")
    parser.set_defaults(run=_export)


def _init(args: argparse.Namespace) -> int:
    from ingest_service.store.setting_up import prepare_store

    for done in prepare_store(load_config(args.config).storage, str(args.config)):
        print(done)
    return 0


def _check(args: argparse.Namespace) -> int:
    from ingest_service.store.setting_up import examine_store

    config = load_config(args.config)
    database = open_state(config)
    findings = list(examine_store(config.storage, database, str(args.config)))
    for finding in findings:
        print(f"{finding.state:8}{finding.subject}: {finding.text}")
    return 1 if any(finding.state is State.WRONG for finding in findings) else 0


def _copy(args: argparse.Namespace) -> int:
    from ingest_service.commands.store_copy import copy_history

    source, target = load_config(args.source), load_config(args.target)
    return copy_history(source, str(args.source), target, str(args.target))


def _export(args: argparse.Namespace) -> int:
    from ingest_service.store.exporting import Content, Order, chosen, export
    from ingest_service.store.opening import open_series_store
    from ingest_service.store.overview import Reader, Scope, series

    config = load_config(args.config)
    zone = config.judging.time_zone
    database = open_state(config)
    named = chosen(series(Reader(database, Scope())), args.series)
    if not named:
        raise ConfigError("--series", "", f"{', '.join(args.series)} names no series", "an id, home/device/channel")
    since, until = _time_ms(args.since, zone, "--from", 0), _time_ms(args.until, zone, "--to", 1)
    order = Order(series=named, from_ms=since, to_ms=until, content=Content(args.content), zone=zone)
    store = open_series_store(config.storage, database, str(args.config), lambda: until)
    try:
        rows = export(store, order, _form(args), args.out)
    finally:
        store.close()
    print(f"{args.out}: {rows:,} rows of {len(named)} series")
    return 0


def _form(args: argparse.Namespace) -> "Form":
    from ingest_service.store.exporting import Form

    wanted = args.format or args.out.suffix.lstrip(".")
    if wanted not in list(Form):
        raise ConfigError("--out", str(args.out), f"{wanted!r} is no format", "csv, parquet")
    return Form(wanted)


def _time_ms(text: str, zone: str, option: str, days_more: int) -> int:
    """A date (of which the end is meant where `days_more` is 1) or a time in the zone, as ms since 1970 UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(option, "", f"{text!r} is no date", "2026-11-24, 2026-11-24T08:00") from None
    if len(text) == len("2026-11-24"):
        at += timedelta(days=days_more)
    return int(at.replace(tzinfo=at.tzinfo or ZoneInfo(zone)).timestamp() * 1000)


def open_state(config: Config) -> "Engine":
    """The relational database of that configuration."""
    from ingest_service.store.database import database_url, open_database

    folder = Path(config.storage.folder)
    folder.mkdir(parents=True, exist_ok=True)
    return open_database(database_url(folder, config.storage.database_url))
