"""A relational database as a new service has it: the migrations run once a process, each test gets a copy."""

import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy import Engine

from ingest_service.store.database import database_url, open_database

FILE = "state.sqlite"


def new_database(folder: Path) -> Engine:
    """Opened in `folder`, with all tables and no row; one that is there already is opened as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / FILE).exists():
        (folder / FILE).write_bytes(_migrated())
    return open_database(database_url(folder, ""))


@cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as name:
        open_database(database_url(Path(name), "")).dispose()
        return Path(name, FILE).read_bytes()
