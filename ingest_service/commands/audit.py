"""`ingest-service audit`: prove the audit trail, and write it to a file.

Imported where it is used: the database, which takes a while to load, so that no other command waits for it.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest_service.audit.chain import Damage, Fault, Head, faults, parse_head
from ingest_service.audit.listing import FORMS, written
from ingest_service.commands.store import open_state
from ingest_service.config import Config
from ingest_service.config_file import load_config
from ingest_service.errors import ConfigError
from ingest_service.store.audit_head import HeadFile

if TYPE_CHECKING:
    from ingest_service.store.audit import AuditTrail

MOST_SHOWN = 50
SENTENCES = {
    Damage.CHANGED: "record {0} is not what was written: it was changed afterwards",
    Damage.MISSING: "records {0} to {1} are missing",
    Damage.MOVED: "record {0} does not follow the one before it: it was moved, replaced or put in",
    Damage.CUT_OFF: "records {0} to {1} are missing at the end: the trail was cut off",
    Damage.REWRITTEN: "record {0} is not the one that was noted: the trail was written anew",
}


def add_arguments(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser("audit", help="prove the audit trail: who did what; write it to a file")
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    verify = actions.add_parser("verify", help="find every changed, missing or moved record; 1 where there is one")
    verify.add_argument("config", type=Path, help="the service's TOML file")
    verify.add_argument("--head", action="append", default=[], help="an end that was noted before, NUMBER:DIGEST")
    verify.set_defaults(run=_verify)
    export = actions.add_parser("export", help="write the whole trail with its hashes")
    export.add_argument("config", type=Path, help="the service's TOML file")
    export.add_argument("--out", type=Path, required=True, help="the file to write: *.csv or *.json")
    export.set_defaults(run=_export)


def _verify(args: argparse.Namespace) -> int:
    trail, noted = _trail(args)
    # The database's own end is read first: what is recorded meanwhile is no fault.
    known = [*(_asked(text) for text in args.head), *noted, trail.head()]
    found = list(faults(trail.records(), known))
    for fault in found[:MOST_SHOWN]:
        print(sentence(fault))
    if len(found) > MOST_SHOWN:
        print(f"and {len(found) - MOST_SHOWN:,} more")
    end = trail.head()
    print(f"{len(found):,} faults" if found else f"sound: {end.number:,} records")
    print(f"end of the trail: {end}  (noted elsewhere, it proves later that nothing before it was touched)")
    return 1 if found else 0


def sentence(fault: Fault) -> str:
    """The fault for people."""
    return SENTENCES[fault.damage].format(fault.number, fault.last)


def _export(args: argparse.Namespace) -> int:
    form = args.out.suffix.lstrip(".")
    if form not in FORMS:
        raise ConfigError("--out", str(args.out), f"{form!r} is no format", ", ".join(FORMS))
    trail, _ = _trail(args)
    with args.out.open("w", encoding="utf-8", newline="") as file:
        for text in written(trail.records(), form):
            file.write(text)
    print(f"{args.out}: the trail up to {trail.head()}")
    return 0


def _trail(args: argparse.Namespace) -> "tuple[AuditTrail, list[Head]]":
    """The trail, and the end that is noted beside the database."""
    from ingest_service.store.audit import HEAD_FILE

    config = load_config(args.config)
    noted = HeadFile(Path(config.storage.folder) / HEAD_FILE).read()
    return open_trail(config), [] if noted is None else [noted]


def open_trail(config: Config) -> "AuditTrail":
    """The audit trail of that configuration, with the file that notes its end."""
    from ingest_service.store.audit import HEAD_FILE, AuditTrail

    return AuditTrail(open_state(config), Path(config.storage.folder) / HEAD_FILE)


def _asked(text: str) -> Head:
    head = parse_head(text)
    if head is None:
        raise ConfigError("--head", "", f"{text!r} is no end of a trail", "NUMBER:DIGEST as verify prints it")
    return head
