"""Makes a report for the command line: asks the running service, or reads the stores when no service has them."""

import argparse
import os
import re
import time
from functools import partial
from importlib.metadata import version
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx

from ingest_service.alarms.vocabulary import Locale
from ingest_service.api.page.texts import texts
from ingest_service.config import Config
from ingest_service.config_file import load_config
from ingest_service.errors import ConfigError, ServiceError, StoreError
from ingest_service.reports.forms import Form, ReportFile, render
from ingest_service.reports.gathering import Records, cremation_span, gather
from ingest_service.reports.span import Kind, ReportSpan, calendar_span
from ingest_service.reports.telling import Telling
from ingest_service.rules import rule_book
from ingest_service.store import overview, trends
from ingest_service.store.cycles import cycle_of
from ingest_service.store.database import database_url, open_database
from ingest_service.store.marks import marks_of
from ingest_service.store.opening import open_series_store
from ingest_service.store.overview import Reader, Scope
from ingest_service.store.rows import FurnaceRow, HomeRow

_TIMEOUT_S = 120.0


def run(args: argparse.Namespace) -> Path:
    """Write the file; where it is."""
    home, _, furnace = (args.furnace or args.home).partition("/")
    if args.furnace and not furnace:
        raise ConfigError("--furnace", "", f"{args.furnace!r} names no furnace", "HOME/FURNACE")
    file = _asked(args, home, furnace) if args.url else _made(args, home, furnace)
    path: Path = args.out or Path(file.name)
    try:
        path.write_bytes(file.content)
    except OSError as error:
        raise ConfigError("--out", "", f"{path} cannot be written: {error.strerror}") from error
    return path


def _when(args: argparse.Namespace) -> tuple[Kind, str]:
    """Which of the four was given."""
    return next((kind, getattr(args, kind)) for kind in Kind if getattr(args, kind) is not None)


def _asked(args: argparse.Namespace, home: str, furnace: str) -> ReportFile:
    """From the running service. Raises ServiceError where it does not answer."""
    kind, label = _when(args)
    address = f"{args.url.rstrip('/')}/api/v1/homes/{home}/reports/{kind}/{label}"
    query = {"furnace": furnace, "format": args.format, "lang": args.lang}
    try:
        answer = httpx.get(address, params=query, headers=_key(args.key_env), timeout=_TIMEOUT_S)
    except httpx.HTTPError as error:
        raise ServiceError(f"{address}: {error}") from error
    if answer.status_code != httpx.codes.OK:
        raise ServiceError(f"{address}: {answer.status_code}: {answer.text[:300]}")
    named = re.search(r'filename="([\w.-]+)"', answer.headers.get("content-disposition", ""))
    return ReportFile(named[1] if named else f"report.{args.format}", "", answer.content)


def _key(variable: str | None) -> dict[str, str]:
    if variable is None:
        return {}
    if variable not in os.environ:
        raise ConfigError("--key-env", "", f"environment variable {variable} is not set")
    return {"Authorization": f"Bearer {os.environ[variable]}"}


def _made(args: argparse.Namespace, home: str, furnace: str) -> ReportFile:
    """From the stores themselves. Raises ServiceError where another process has them."""
    config = load_config(args.config) if args.config else Config()
    file, folder = str(args.config or "defaults"), Path(config.storage.folder)
    if not folder.is_dir():
        raise ConfigError(file, "storage.folder", f"there is no folder {folder}")
    book, zone = rule_book(config.judging, file), ZoneInfo(config.judging.time_zone)
    try:
        engine = open_database(database_url(folder, config.storage.database_url))
        store = open_series_store(config.storage, engine, file, lambda: time.time_ns() // 1_000_000)
    except StoreError as error:
        raise ServiceError(f"{error}; while the service runs, ask it with --url") from error
    try:
        reader = Reader(engine, Scope())
        row, furnaces = _places(reader, home, furnace)
        span = _span(reader, *_when(args), zone, furnaces if furnace else [])
        site = config.cremations, config.judging.barometric_pa
        records = Records(reader, store, book, zone, version("clearstack"), partial(_awaits, reader), *site)
        report = gather(records, row, furnaces, span)
        return render(report, Form(args.format), Telling(texts(Locale(args.lang)), zone))
    finally:
        store.close()
        engine.dispose()


def _awaits(reader: Reader, furnace_id: int, from_ms: int, to_ms: int) -> bool:
    """Whether a mark that touches `[from_ms, to_ms)` was entered after the furnace was judged last."""
    judged_ms = trends.last_judged_ms(reader, furnace_id)
    marks = marks_of(reader, [furnace_id], from_ms, to_ms)
    return judged_ms is not None and any(mark.recorded_at_ms > judged_ms for mark in marks)


def _places(reader: Reader, home: str, furnace: str) -> tuple[HomeRow, list[FurnaceRow]]:
    """The home and its furnaces, or that one. Raises ConfigError."""
    homes = overview.homes(reader)
    row = next((one for one in homes if one.id == home), None)
    if row is None:
        raise ConfigError("--home", "", f"there is no home {home!r}", ", ".join(one.id for one in homes))
    furnaces = overview.furnaces(reader, home)
    chosen = [one for one in furnaces if not furnace or one.name == furnace]
    if not chosen:
        allowed = ", ".join(f"{home}/{one.name}" for one in furnaces)
        raise ConfigError("--furnace", "", f"there is no furnace {home}/{furnace}", allowed)
    return row, chosen


def _span(reader: Reader, kind: Kind, label: str, zone: ZoneInfo, furnace: list[FurnaceRow]) -> ReportSpan:
    """The time of the report. Raises ConfigError."""
    if kind is not Kind.CREMATION:
        try:
            return calendar_span(kind, label, zone)
        except ValueError as error:
            raise ConfigError(f"--{kind}", "", str(error)) from error
    found = cycle_of(reader, furnace[0].id, label) if furnace else None
    if found is None:
        raise ConfigError(
            "--cremation", "", f"there is no cremation {label!r} at that furnace; name one with --furnace"
        )
    return cremation_span(found)
