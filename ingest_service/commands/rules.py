"""`ingest-service rules`: which packs there are, whether a file is one, what two differ in, why a mean was judged."""

import argparse
from pathlib import Path
from typing import Any

import msgspec

from ingest_service.emissions.pack import Limit, RulePack
from ingest_service.emissions.packdiff import differences
from ingest_service.emissions.rulebook import refuse_overlaps
from ingest_service.emissions.rulepack import load_pack, pack_names
from ingest_service.emissions.units import Pollutant
from ingest_service.emissions.vocabulary import Bound, Verified

_SIGNS = {Bound.AT_MOST: "<=", Bound.BELOW: "<", Bound.AT_LEAST: ">="}


class Listed(msgspec.Struct, frozen=True):
    """One pack as `rules list --json` tells it: `active` where its limits are judged."""

    id: str
    version: str
    active: bool
    verified: bool
    verification: str
    source: str
    jurisdiction: str
    unit_type: str
    valid_from: str
    valid_to: str | None
    title_zh: str
    title_en: str
    limits: int
    to_read: tuple[str, ...]


def add_arguments(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser("rules", help="rule packs: check, list, show, diff, explain")
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    check = actions.add_parser("check", help="check files, or every pack that comes with the product")
    check.add_argument("file", nargs="*", help="a pack's TOML file, or the name of one that comes with the product")
    check.set_defaults(run=run_check)
    listing = actions.add_parser("list", help="every pack that comes with the product")
    listing.add_argument("--json", action="store_true", help="as one JSON array")
    listing.set_defaults(run=run_list)
    show = actions.add_parser("show", help="one pack with its limits, clauses and sources")
    show.add_argument("pack", help="name or file")
    show.set_defaults(run=run_show)
    diff = actions.add_parser("diff", help="what two packs, or two versions of one, differ in")
    diff.add_argument("old", help="name or file")
    diff.add_argument("new", help="name or file")
    diff.set_defaults(run=run_diff)
    explain = actions.add_parser("explain", help="why a mean was judged as it was")
    explain.add_argument("--config", type=Path, help="the service's TOML file (default: all defaults)")
    explain.add_argument("--url", help="the running service, as http://127.0.0.1:8080 (default: read the stores)")
    explain.add_argument("--furnace", required=True, help="HOME/FURNACE")
    explain.add_argument("--pollutant", required=True, help=", ".join(Pollutant))
    explain.add_argument("--at", required=True, help="a moment of the period, as 2026-03-02T10:20, local time")
    explain.add_argument("--minutes", action="store_true", help="print every minute, not only what was left out")
    explain.add_argument("--json", action="store_true", help="as one JSON array")
    explain.set_defaults(run=run_explain)


def run_check(args: argparse.Namespace) -> int:
    """Say of each pack what it holds; a ConfigError says what is wrong with one."""
    packs = [load_pack(name) for name in args.file or pack_names()]
    refuse_overlaps(packs, ", ".join(args.file), "valid_from")
    for pack in packs:
        print(f"{pack.key}: sound, {len(pack.judged)} of {len(pack.limit)} limits judged, {_verified(pack)}")
    return 0


def run_list(args: argparse.Namespace) -> int:
    """A line a pack."""
    packs = [listed(load_pack(name)) for name in pack_names()]
    if args.json:
        print(msgspec.json.encode(packs).decode())
        return 0
    for pack in packs:
        state = "active" if pack.active else "not active"
        print(f"{pack.id:30} {pack.jurisdiction:6} {state:10} {pack.verification:16} {pack.title_en}")
    return 0


def run_show(args: argparse.Namespace) -> int:
    """The pack with every limit, its clause and its source."""
    for line in described(load_pack(args.pack)):
        print(line)
    return 0


def run_diff(args: argparse.Namespace) -> int:
    """A line a difference; 1 where there is any, as `diff` does."""
    changes = differences(load_pack(args.old), load_pack(args.new))
    for change in changes:
        print(f"{change.key}: {change.old or '(none)'} -> {change.new or '(none)'}")
    return 1 if changes else 0


def run_explain(args: argparse.Namespace) -> int:
    """Every verdict that a moment belongs to, with what it was made of."""
    from ingest_service.commands import rules_explain  # numpy and DuckDB take a while: the rest need not wait

    return rules_explain.run(args)


def listed(pack: RulePack) -> Listed:
    """The pack in one record."""
    return Listed(
        id=pack.id,
        version=pack.version,
        active=bool(pack.judged),
        verified=pack.verified is not Verified.UNVERIFIED,
        verification=pack.verified,
        source=pack.source,
        jurisdiction=pack.jurisdiction,
        unit_type=pack.unit_type,
        valid_from=pack.valid_from.isoformat(),
        valid_to=None if pack.valid_to is None else pack.valid_to.isoformat(),
        title_zh=pack.title_zh,
        title_en=pack.title_en,
        limits=len(pack.limit),
        to_read=tuple(f"{one.en} ({one.where})" for one in pack.unread),
    )


def described(pack: RulePack) -> list[str]:
    """The pack in lines for people."""
    until = f" to {pack.valid_to}" if pack.valid_to else ""
    lines = [
        f"{pack.key}  {pack.title_en}",
        f"{pack.title_zh}",
        f"{pack.jurisdiction}, {pack.unit_type}, fuel {', '.join(pack.fuel) or 'any'}, from {pack.valid_from}{until}",
        f"source: {pack.source} ({_verified(pack)})",
        pack.note_en,
    ]
    if pack.reference is not None:
        reference = pack.reference
        lines.append(f"reference: {reference.o2_pct:g} % O2, dry ({reference.verified}) {reference.confirm_en}")
    lines.append(f"valid: {pack.validity.valid_minutes} minutes of an hour. {pack.validity.source}")
    lines.append(f"left out: {', '.join((*pack.exclusion.phases, *pack.exclusion.states)) or 'nothing'}")
    lines += [f"  {_limit(limit)}" for limit in pack.limit]
    lines += [
        f"  {one.pollutant} <= {one.limit:g} {one.unit} (laboratory): {one.clause_en} [{one.source}]"
        for one in pack.periodic
    ]
    lines += [f"  to be read: {one.en} ({one.where})" for one in pack.unread]
    return [line for line in lines if line]


def _limit(limit: Limit) -> str:
    share = f", for {limit.share.at_least_pct:g} % of a {limit.share.of}'s cremations" if limit.share else ""
    figure = f"{limit.pollutant} {_SIGNS[limit.bound]} {limit.limit:g} {limit.unit} over {limit.averaging}{share}"
    return f"{figure}: {limit.clause_en} [{limit.source}]"


def _verified(pack: RulePack) -> str:
    return str(pack.verified).replace("_", " ")
