"""`ingest-service key`: keys for machines."""

import argparse
from datetime import UTC, datetime
from typing import Any

from edge_agent.wire.durations import DAY_MS
from ingest_service.commands.acting import add_config, doing_now, grantable, stores_of
from ingest_service.errors import ConfigError
from ingest_service.people.nodes import ROOT_ID
from ingest_service.people.roles import KeyUse


def add_arguments(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser("key", help="keys for machines: add, revoke, list")
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    add = actions.add_parser("add", help="a new key, printed once: Authorization: Bearer <key>")
    revoke = actions.add_parser("revoke", help="let a key open nothing any more")
    listing = actions.add_parser("list", help="every key that was not revoked, with its last use")
    for action, run in ((add, _add), (revoke, _revoke), (listing, _list)):
        add_config(action)
        action.set_defaults(run=run)
    add.add_argument("name", help="what it is for, as records show it")
    add.add_argument("--use", action="append", required=True, choices=[use.value for use in KeyUse], help="repeatable")
    add.add_argument("--node", default=ROOT_ID, help="where: all, city:..., district:..., home:... (default all)")
    add.add_argument("--days", type=int, help="holds for so many days (default: until it is revoked)")
    revoke.add_argument("prefix", help="the second part of the key, as the list shows it")


def _add(args: argparse.Namespace) -> int:
    from ingest_service.store.keys import KeyShown

    stores, doing = stores_of(args), doing_now()
    if args.days is not None and args.days < 1:
        raise ConfigError("--days", "", f"{args.days} is out of range", "1 or more")
    until_ms = None if args.days is None else doing.at_ms + args.days * DAY_MS
    uses = tuple(KeyUse(use) for use in dict.fromkeys(args.use))
    made = stores.keys.add(KeyShown(args.name, grantable(stores, args.node, "--node"), uses, until_ms), doing)
    print(f"{args.name}: {made.text}  (shown once)")
    return 0


def _revoke(args: argparse.Namespace) -> int:
    stores = stores_of(args)
    if not stores.keys.revoke(args.prefix, doing_now()):
        known = ", ".join(key.prefix for key in stores.keys.listed())
        raise ConfigError("prefix", "", f"there is no key {args.prefix!r}", known or "none: there are no keys")
    print(f"{args.prefix}: revoked")
    return 0


def _list(args: argparse.Namespace) -> int:
    for key in stores_of(args).keys.listed():
        uses, used = " ".join(key.uses), _at(key.used_ms, "never used")
        print(f"{key.prefix}  {key.name}  {uses} at {key.node_id}  until {_at(key.until_ms, 'revoked')}  {used}")
    return 0


def _at(at_ms: int | None, otherwise: str) -> str:
    if at_ms is None:
        return otherwise
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%MZ")
