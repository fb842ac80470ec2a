"""What happens to an outbox's file from outside: another program holds it, or its content is damaged."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

PAGE_BYTES = 4096


@contextmanager
def refusing(path: Path) -> Iterator[None]:
    """While it lasts another program keeps the file to itself, and nothing can be written."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def damage(path: Path, size: int) -> None:
    """Overwrite so many bytes behind the first page, while the file is in use; all of it is in there by then."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        busy, _, _ = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert not busy
        with path.open("r+b") as raw:
            raw.seek(PAGE_BYTES)
            raw.write(b"\xa5" * size)
        other.execute("PRAGMA user_version = 2")  # a change, after which nobody believes what they remember of the file
