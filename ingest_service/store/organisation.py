"""Everything that is kept of tree, people, sessions and keys, over one database."""

import msgspec
from sqlalchemy import Engine

from ingest_service.people.decision import Admission
from ingest_service.people.sealing import Sealer
from ingest_service.store.audit import AuditTrail
from ingest_service.store.directory import Directory
from ingest_service.store.keys import KeyStore
from ingest_service.store.people import PeopleStore
from ingest_service.store.sessions import SessionStore
from ingest_service.store.tree import TreeStore


class PeopleStores(msgspec.Struct, frozen=True, kw_only=True):
    """The stores that share one database; `directory` is what every request is decided by."""

    tree: TreeStore
    people: PeopleStore
    sessions: SessionStore
    keys: KeyStore
    directory: Directory


def open_people(engine: Engine, trail: AuditTrail, admission: Admission, sealer: Sealer | None = None) -> PeopleStores:
    """The stores over that database; changes are noted in `trail`. Without a sealer no one-time codes can begin."""
    sessions, keys = SessionStore(engine, trail), KeyStore(engine, trail)
    return PeopleStores(
        tree=TreeStore(engine, trail),
        people=PeopleStore(engine, trail, sealer or Sealer()),
        sessions=sessions,
        keys=keys,
        directory=Directory(engine, admission, sessions, keys),
    )
