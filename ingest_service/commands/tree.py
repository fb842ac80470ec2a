"""`ingest-service tree`: the organisation as a file: show it, compare it, make it so; who could see a home when."""

import argparse
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ingest_service.alarms.texts import clock
from ingest_service.commands.acting import add_config, doing_now, stores_of
from ingest_service.config_file import load_config
from ingest_service.errors import ConfigError
from ingest_service.people.changes import ChangeKind, changes
from ingest_service.people.nodes import home_node_id
from ingest_service.people.treefile import read_tree, written


def add_arguments(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser("tree", help="cities, districts, homes: show, compare and apply them as a file")
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    show = actions.add_parser("show", help="print the present tree as such a file, with the homes that wait")
    diff = actions.add_parser("diff", help="print what a file would change; 1 where it would change anything")
    apply = actions.add_parser("apply", help="make the tree what the file says")
    seen = actions.add_parser("witnesses", help="print where a home stood and who could see it, from when to when")
    for action, run in ((show, _show), (diff, _diff), (apply, _apply), (seen, _witnesses)):
        add_config(action)
        action.set_defaults(run=run)
    for action in (diff, apply):
        action.add_argument("file", type=Path, help="the tree's TOML file")
    apply.add_argument(
        "--remove", action="store_true", help="let what the file leaves out go, with its grants and keys"
    )
    seen.add_argument("home", help="the home's id (its Sparkplug group)")


def _show(args: argparse.Namespace) -> int:
    stores = stores_of(args)
    print(written(stores.tree.tree(), stores.directory.unplaced()), end="")
    return 0


def _diff(args: argparse.Namespace) -> int:
    found = changes(stores_of(args).tree.tree(), read_tree(args.file))
    for change in found:
        print(change)
    return 1 if found else 0


def _apply(args: argparse.Namespace) -> int:
    wanted, stores = read_tree(args.file), stores_of(args)
    gone = [change for change in changes(stores.tree.tree(), wanted) if change.kind is ChangeKind.REMOVED]
    if gone and not args.remove:
        names = ", ".join(change.node_id for change in gone)
        raise ConfigError(str(args.file), "", f"leaves out {names}", "--remove lets them go")
    found = stores.tree.apply(wanted, doing_now())
    for change in found:
        print(change)
    print(f"{args.file}: {len(found)} changes" if found else f"{args.file}: the tree is so already")
    return 0


def _witnesses(args: argparse.Namespace) -> int:
    zone = ZoneInfo(load_config(args.config).judging.time_zone)
    stores = stores_of(args)
    if stores.directory.tree().get(home_node_id(args.home)) is None:
        raise ConfigError("home", "", f"{args.home!r} is no home of the tree")
    for place in stores.tree.places(home_node_id(args.home)):
        print(f"{_span(place.from_ms, place.to_ms, zone)}  stood below {place.parent_id}")
    for one in stores.tree.witnesses(home_node_id(args.home)):
        print(f"{_span(one.from_ms, one.to_ms, zone)}  {one.account}  {one.role} at {one.node_id}")
    return 0


def _span(from_ms: int, to_ms: int | None, zone: ZoneInfo) -> str:
    return f"{clock(from_ms, zone)}  {'now' if to_ms is None else clock(to_ms, zone):16}"
