"""`ingest-service edge`: who an edge is at the broker: certificates from the centre's own authority.

Imported where it is used: cryptography, which takes a while to load, so that no other command waits for it.
"""

import argparse
import getpass
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest_service.audit.entry import Action
from ingest_service.commands.audit import open_trail
from ingest_service.config import Config
from ingest_service.config_file import load_config
from ingest_service.errors import ConfigError
from ingest_service.identity.names import EdgeName, edge_rules
from ingest_service.store.doing import Doing

if TYPE_CHECKING:
    from ingest_service.identity.folder import IdentityFolder

EDGE_DAYS = 825  # two years and a quarter: a visit a year renews it in time
FOLDER = "ca"  # below storage.folder


def add_arguments(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser("edge", help="certificates by which edges, service and broker know each other")
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    enrol = _action(
        actions, "enrol", "issue a certificate for one edge, and the rule that lets it speak for itself", _enrol
    )
    _name_edge(enrol)
    enrol.add_argument(
        "--csr", type=Path, help="a request (PEM) of the edge's own key, which then never leaves the edge"
    )
    enrol.add_argument("--days", type=int, default=EDGE_DAYS, help=f"how long it holds ({EDGE_DAYS})")
    enrol.add_argument("--out", type=Path, help="folder for edge.pem, edge.key, ca.pem")
    revoke = _action(actions, "revoke", "take an edge's certificates back", _revoke)
    _name_edge(revoke)
    broker = _action(actions, "broker", "issue the certificates of the broker and of the service", _broker)
    broker.add_argument("--name", action="append", required=True, help="host name or address of the broker; repeatable")
    broker.add_argument("--days", type=int, default=EDGE_DAYS, help=f"how long they hold ({EDGE_DAYS})")
    broker.add_argument("--out", type=Path, help="folder for broker.pem, broker.key, service.pem, service.key, ca.pem")
    _action(actions, "list", "every certificate of an edge, and until when it holds", _list)


def _action(actions: "argparse._SubParsersAction[Any]", name: str, about: str, run: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(name, help=about)
    parser.add_argument("config", type=Path, help="the service's TOML file")
    parser.add_argument("--ca", type=Path, help=f"the authority's folder (default: {FOLDER} in storage.folder)")
    parser.set_defaults(run=run)
    return parser


def _name_edge(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--home", required=True, help="the home's id: [site] home of the edge's file")
    parser.add_argument("--edge", required=True, help="the edge's id: [site] edge of the edge's file")


def _enrol(args: argparse.Namespace) -> int:
    from ingest_service.identity.folder import PRIVATE, READABLE, write

    config = load_config(args.config)
    folder, name, now_ms = _folder(args, config), EdgeName(args.home, args.edge), _now_ms()
    issued = folder.enrol(name, now_ms, _days(args), _request(args.csr))
    _record(config, Action.EDGE_ENROLLED, name, {"serial": f"{issued.serial:x}", "until": _date(issued.until_ms)})
    out = args.out or _path(args, config) / "edges" / name.home / name.edge
    out.mkdir(parents=True, exist_ok=True)
    write(out / "edge.pem", issued.cert, READABLE)
    write(out / "ca.pem", folder.trust(), READABLE)
    if issued.key:
        write(out / "edge.key", issued.key, PRIVATE)
    print(f"{name}: certificate in {out}, holds until {_date(issued.until_ms)}")
    print("Bring its files to the edge over a safe way and delete them here; [broker] of its site file then has:")
    print('port = 8883\nca_file = "ca.pem"\ncert_file = "edge.pem"\nkey_file = "edge.key"')
    print(f"\nThe broker reads these rules in {_path(args, config) / 'acl'} when it is told to (SIGHUP):")
    print(edge_rules(name), end="")
    return 0


def _revoke(args: argparse.Namespace) -> int:
    config, name = load_config(args.config), EdgeName(args.home, args.edge)
    _folder(args, config).revoke(name, _now_ms())
    _record(config, Action.EDGE_REVOKED, name, None)
    print(f"{name}: its certificates are in {_path(args, config) / 'crl.pem'}, its rules are gone from acl.")
    print("Restart the broker: it then lets nobody in with them. With SIGHUP alone what is connected stays, unheard.")
    return 0


def _broker(args: argparse.Namespace) -> int:
    from ingest_service.identity.folder import PRIVATE, READABLE, write

    config = load_config(args.config)
    folder = _folder(args, config)
    server, service = folder.issue_centre(tuple(args.name), _now_ms(), _days(args))
    out = args.out or _path(args, config)
    out.mkdir(parents=True, exist_ok=True)
    for holder, issued in (("broker", server), ("service", service)):
        write(out / f"{holder}.pem", issued.cert, READABLE)
        write(out / f"{holder}.key", issued.key, PRIVATE)
    write(out / "ca.pem", folder.trust(), READABLE)
    print(f"broker.pem and service.pem ({config.broker.host_id}) in {out}, hold until {_date(server.until_ms)}")
    return 0


def _list(args: argparse.Namespace) -> int:
    config, now_ms = load_config(args.config), _now_ms()
    for one in _folder(args, config).certified():
        state = "holds" if one.holds(now_ms) else "revoked" if one.revoked_at_ms else "has run out"
        when = _date(one.revoked_at_ms) if one.revoked_at_ms else _date(one.until_ms)
        print(f"{one.name}  {state:12}{when}  {one.serial}")
    return 0


def _folder(args: argparse.Namespace, config: Config) -> "IdentityFolder":
    from ingest_service.identity.folder import IdentityFolder

    return IdentityFolder(_path(args, config), config.broker.host_id)


def _path(args: argparse.Namespace, config: Config) -> Path:
    return args.ca or Path(config.storage.folder) / FOLDER


def _days(args: argparse.Namespace) -> int:
    days: int = args.days
    if not 1 <= days <= 7_000:
        raise ConfigError("--days", "", f"{days} is out of range", "1 to 7000")
    return days


def _request(path: Path | None) -> bytes | None:
    try:
        return None if path is None else path.read_bytes()
    except OSError as error:
        raise ConfigError("--csr", str(path), f"cannot be read: {error.strerror}") from error


def _record(config: Config, action: Action, name: EdgeName, after: Mapping[str, str] | None) -> None:
    """Who did it at this machine, in the audit trail."""
    doing = Doing(f"terminal {getpass.getuser()}", "", _now_ms())
    open_trail(config).record(doing.entry(action, f"edge {name}", after=after, home=name.home))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _date(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d")
