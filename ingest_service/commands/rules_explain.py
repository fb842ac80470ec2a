"""`ingest-service rules explain`: asks the running service, or reads the stores when no service has them."""

import argparse
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import msgspec

from ingest_service.alarms.texts import clock
from ingest_service.config import Config
from ingest_service.config_file import load_config
from ingest_service.emissions.explanation import Explanation
from ingest_service.emissions.units import Pollutant
from ingest_service.errors import ConfigError, ServiceError, StoreError
from ingest_service.rules import rule_book
from ingest_service.store.audit import AuditTrail
from ingest_service.store.channels import Channels, read_channels
from ingest_service.store.cycles import CycleStore
from ingest_service.store.database import database_url, open_database
from ingest_service.store.judgements import JudgementStore
from ingest_service.store.marks import MarkStore
from ingest_service.store.opening import open_series_store
from ingest_service.workers.explaining import Explainer
from ingest_service.workers.plant import StoredPlant
from ingest_service.workers.verdicts import Site

_TIMEOUT_S = 30.0


def run(args: argparse.Namespace) -> int:
    """Print every verdict that the moment belongs to; 1 where there is none."""
    config = load_config(args.config) if args.config else Config()
    zone = ZoneInfo(config.judging.time_zone)
    home, _, furnace = args.furnace.partition("/")
    pollutant, at_ms = _pollutant(args.pollutant), _moment_ms(args.at, zone)
    if args.url:
        found = _asked(args.url, home, furnace, pollutant, at_ms)
    else:
        found = _read(config, str(args.config or "defaults"), home, furnace, pollutant, at_ms)
    if args.json:
        print(msgspec.json.encode(found).decode())
    else:
        for one in found:
            print("\n".join(told(one, zone, every_minute=args.minutes)))
        if not found:
            print(f"no rule in force judges {pollutant} of {args.furnace} at {args.at}")
    return 0 if found else 1


def told(one: Explanation, zone: ZoneInfo, *, every_minute: bool) -> list[str]:
    """An explanation in lines for people; times in `zone`."""
    mean = "no valid mean" if one.mean is None else f"mean {one.mean:.6g} {one.unit} (rounded {one.rounded:g})"
    lines = [
        f"{one.pollutant} over {one.averaging}, {clock(one.start_ms, zone)} to {clock(one.end_ms, zone)}: "
        f"{one.verdict}{f' ({one.cause})' if one.cause else ''}",
        f"  {mean}; limit {one.bound} {one.limit:g} {one.unit}; compared {one.compared}",
        f"  clause: {one.clause_en}",
        f"  rule: {one.rule}  {one.title_en}; source: {one.source}; averaging: {one.averaging_source}",
        f"  conversion: {one.conversion or 'none'}{f', measured as {one.basis}' if one.basis else ''}",
        f"  valid minutes: {one.valid_minutes}; left out: "
        + (", ".join(f"{loss.minutes} {loss.cause}" for loss in one.lost) or "none"),
        f"  {one.exclusion_en}",
    ]
    for kept in one.revisions:
        why = f" ({kept.reason})" if kept.reason else ""
        figure = "no mean" if kept.mean is None else f"{kept.mean:.6g}"
        lines.append(
            f"  recorded {clock(kept.computed_at_ms, zone)}: revision {kept.revision}{why}: {kept.verdict}, {figure}"
        )
    if every_minute:
        lines += [
            f"  {clock(m.start_ms, zone)} measured {_figure(m.measured)} O2 {_figure(m.o2_pct)} "
            f"judged {_figure(m.judged)} {m.lost_to}".rstrip()
            for m in one.minutes
        ]
    return lines


def _asked(url: str, home: str, furnace: str, pollutant: Pollutant, at_ms: int) -> Sequence[Explanation]:
    """From the running service. Raises ServiceError where it does not answer."""
    address = f"{url.rstrip('/')}/api/v1/homes/{home}/furnaces/{furnace}/explanations"
    try:
        answer = httpx.get(address, params={"pollutant": pollutant.value, "at_ms": at_ms}, timeout=_TIMEOUT_S)
    except httpx.HTTPError as error:
        raise ServiceError(f"{address}: {error}") from error
    if answer.status_code != httpx.codes.OK:
        raise ServiceError(f"{address}: {answer.status_code}: {answer.text[:300]}")
    return msgspec.json.decode(answer.content, type=list[Explanation])


def _read(
    config: Config, file: str, home: str, furnace: str, pollutant: Pollutant, at_ms: int
) -> Sequence[Explanation]:
    """From the stores themselves. Raises ServiceError where another process has them."""
    folder = Path(config.storage.folder)
    if not folder.is_dir():
        raise ConfigError(file, "storage.folder", f"there is no folder {folder}")
    judging = config.judging
    site = Site(rule_book(judging, file), ZoneInfo(judging.time_zone), judging.barometric_pa, judging.charge_at_least_c)
    try:
        engine = open_database(database_url(folder, config.storage.database_url))
        store = open_series_store(config.storage, engine, file, lambda: time.time_ns() // 1_000_000)
    except StoreError as error:
        raise ServiceError(f"{error}; while the service runs, ask it with --url") from error
    try:
        channels = read_channels(engine)
        plant = StoredPlant(CycleStore(engine), MarkStore(engine, AuditTrail(engine)))
        explainer = Explainer(store, JudgementStore(engine), site, plant)
        return explainer.explain(channels, _furnace_id(channels, home, furnace), pollutant, at_ms)
    finally:
        store.close()
        engine.dispose()


def _furnace_id(channels: Channels, home: str, furnace: str) -> int:
    """The furnace's id. Raises ConfigError where there is none."""
    found = {(row.home_id, row.furnace): row.furnace_id for row in channels.rows if row.furnace_id is not None}
    known = found.get((home, furnace))
    if known is None:
        allowed = ", ".join(f"{one}/{name}" for one, name in sorted(found))
        raise ConfigError("--furnace", "", f"there is no furnace {home}/{furnace}", allowed)
    return known


def _pollutant(name: str) -> Pollutant:
    if name not in list(Pollutant):
        raise ConfigError("--pollutant", "", f"{name!r} is not known", ", ".join(Pollutant))
    return Pollutant(name)


def _moment_ms(text: str, zone: ZoneInfo) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError("--at", "", f"{text!r} is no moment", "2026-03-02T10:20") from None
    return round((at if at.tzinfo else at.replace(tzinfo=zone)).timestamp() * 1000)


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
