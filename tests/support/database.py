"""A relational database as a new service has it: the migrations run once a process, each test gets a copy."""

import atexit
import shutil
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
        shutil.copyfile(_template(), folder / FILE)
    return open_database(database_url(folder, ""))


@cache
def _template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="clearstack-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    open_database(database_url(folder, "")).dispose()
    return folder / FILE
