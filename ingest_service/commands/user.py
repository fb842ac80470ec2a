"""`ingest-service user`: let people in, keep them out, and give them a new password."""

import argparse
import getpass
import sys
from typing import TYPE_CHECKING, Any

from edge_agent.wire.durations import DAY_MS
from ingest_service.commands.acting import add_config, doing_now, grantable, stores_of
from ingest_service.errors import ConfigError
from ingest_service.people.nodes import ROOT_ID
from ingest_service.people.passwords import weakness
from ingest_service.people.roles import Role

if TYPE_CHECKING:
    from ingest_service.store.organisation import PeopleStores
    from ingest_service.store.people import PersonRow

VALID_DAYS = 7
SITE = "Clearstack"


def add_arguments(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser("user", help="people who may sign in: add, disable, reset, list, grant")
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    add = actions.add_parser("add", help="a new account with a password that is printed once")
    disable = actions.add_parser("disable", help="let someone in no more; every session ends")
    enable = actions.add_parser("enable", help="let someone in again")
    reset = actions.add_parser("reset", help="a new password, printed once, and no more one-time codes")
    grant = actions.add_parser("grant", help="grant a role at a node of the tree and below it")
    listing = actions.add_parser("list", help="everyone with their roles")
    runs = {add: _add, disable: _disable, enable: _enable, reset: _reset, grant: _grant, listing: _list}
    for action, run in runs.items():
        add_config(action)
        action.set_defaults(run=run)
    for action in (add, disable, enable, reset, grant):
        action.add_argument("account", help="the name to sign in with")
    add.add_argument("--name", help="the person's name, as records show it (default: the account)")
    for action, required in ((add, False), (grant, True)):
        action.add_argument("--role", choices=[role.value for role in Role], required=required, help="what they are")
        action.add_argument(
            "--node", default=ROOT_ID, help="where: all, city:..., district:..., home:... (default all)"
        )
    for action in (add, reset):
        action.add_argument("--ask", action="store_true", help="read the password from the terminal or a pipe")


def _add(args: argparse.Namespace) -> int:
    from ingest_service.store.people import AccountTaken

    stores, doing = stores_of(args), doing_now()
    node = grantable(stores, args.node, "--node")
    if not 1 <= len(args.account.strip()) <= 60:
        raise ConfigError("account", "", "must have 1 to 60 characters")
    try:
        person = stores.people.add(args.account, args.name or args.account.strip(), doing)
    except AccountTaken as error:
        raise ConfigError("account", "", str(error), "another one, or `user reset`") from error
    if args.role:
        stores.people.grant(person.id, Role(args.role), node, doing)
    _give_password(stores, person, args.ask)
    return 0


def _disable(args: argparse.Namespace) -> int:
    stores = stores_of(args)
    stores.people.disable(_found(stores, args.account).id, doing_now())
    print(f"{args.account}: disabled")
    return 0


def _enable(args: argparse.Namespace) -> int:
    stores = stores_of(args)
    stores.people.enable(_found(stores, args.account).id, doing_now())
    print(f"{args.account}: enabled")
    return 0


def _reset(args: argparse.Namespace) -> int:
    stores = stores_of(args)
    person = _found(stores, args.account)
    if person.totp_secret:
        stores.people.ask_no_codes(person.id, doing_now())
    _give_password(stores, person, args.ask)
    return 0


def _grant(args: argparse.Namespace) -> int:
    stores = stores_of(args)
    node = grantable(stores, args.node, "--node")
    stores.people.grant(_found(stores, args.account).id, Role(args.role), node, doing_now())
    print(f"{args.account}: {args.role} at {node}")
    return 0


def _list(args: argparse.Namespace) -> int:
    stores = stores_of(args)
    for person in stores.people.people():
        roles = ", ".join(f"{grant.role} at {grant.node_id}" for grant in stores.people.grants(person.id))
        print(f"{person.account}  {person.name}  {'disabled' if person.disabled_ms else roles or 'no role'}")
    return 0


def _give_password(stores: "PeopleStores", person: "PersonRow", asked: bool) -> None:
    """A password of their own choice, or one that is printed once and opens only the choice of their own."""
    from ingest_service.people.hashing import hash_password, new_password

    password = _typed(person) if asked else new_password()
    doing = doing_now()
    until_ms = None if asked else doing.at_ms + VALID_DAYS * DAY_MS
    stores.people.set_password(person.id, hash_password(password), until_ms, doing)
    told = "" if asked else f", password {password} (shown once, to be changed within {VALID_DAYS} days)"
    print(f"{person.account}: may sign in{told}")


def _typed(person: "PersonRow") -> str:
    prompt = f"Password of {person.account}: "
    password = getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    weak = weakness(password, person.account, person.name, SITE)
    if weak is not None:
        raise ConfigError("--ask", "", f"the password is refused: {weak}", "10 characters or more, no common word")
    return password


def _found(stores: "PeopleStores", account: str) -> "PersonRow":
    person = stores.people.person(account)
    if person is None:
        known = ", ".join(one.account for one in stores.people.people())
        raise ConfigError("account", "", f"there is no account {account!r}", known or "none yet: `user add`")
    return person
