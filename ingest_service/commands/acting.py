"""What the commands on tree, people and keys share: the stores of a configuration, and who does it for the record.

Imported where it is used: the database, which takes a while to load, so that no other command waits for it.
"""

import argparse
import getpass
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ingest_service.commands.store import open_state
from ingest_service.config_file import load_config
from ingest_service.errors import ConfigError
from ingest_service.people.nodes import GRANTABLE, ROOT_ID, NodeKind
from ingest_service.store.doing import Doing

if TYPE_CHECKING:
    from ingest_service.store.organisation import PeopleStores


def add_config(parser: argparse.ArgumentParser) -> None:
    """The first word of each of these commands."""
    parser.add_argument("config", type=Path, help="the service's TOML file")


def stores_of(args: argparse.Namespace) -> "PeopleStores":
    """The stores of the configuration; the service may run meanwhile."""
    from ingest_service.store.audit import HEAD_FILE, AuditTrail
    from ingest_service.store.organisation import open_people

    config = load_config(args.config)
    engine = open_state(config)
    return open_people(engine, AuditTrail(engine, Path(config.storage.folder) / HEAD_FILE), config.people.admit)


def doing_now() -> Doing:
    """Whoever has this machine's terminal, for the record."""
    return Doing(f"terminal {getpass.getuser()}", "", time.time_ns() // 1_000_000)


def grantable(stores: "PeopleStores", node_id: str, option: str) -> str:
    """That node, on which roles can be granted. Raises ConfigError."""
    tree = stores.directory.tree()
    allowed = [node.id for node in tree.below(ROOT_ID) if node.kind in GRANTABLE]
    if node_id not in allowed:
        what = "is a furnace" if node_id.startswith(f"{NodeKind.FURNACE}:") else "is no node of the tree"
        raise ConfigError(option, "", f"{node_id!r} {what}", ", ".join(allowed))
    return node_id
