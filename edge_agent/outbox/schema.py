"""The outbox's SQLite file: how it is opened, checked, and set aside when it is damaged."""

import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from edge_agent.errors import OutboxError
from edge_agent.outbox.block import NODE, Gap, GapReason

VERSION = 1
_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS block (number INTEGER PRIMARY KEY, device TEXT NOT NULL, from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL, count INTEGER NOT NULL, samples BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS gap (number INTEGER PRIMARY KEY, device TEXT NOT NULL, from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL, count INTEGER NOT NULL, reason TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tag (alias INTEGER PRIMARY KEY, device TEXT NOT NULL, channel TEXT NOT NULL,
    kind TEXT NOT NULL);
INSERT OR IGNORE INTO meta VALUES ('epoch', {{epoch}}), ('last_number', 0), ('bd_seq', -1);
PRAGMA user_version = {VERSION};
COMMIT;
"""
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BUSY_TIMEOUT_S = 5.0
_JOURNAL_LIMIT_BYTES = 16 * 2**20
RESERVE_BYTES = 16 * 2**20  # left free on the disk, so that acknowledged blocks can still be deleted
_REUSABLE_BYTES = 2**20  # free pages in the file that allow writing on a disk without room


class DamagedOutbox(OutboxError):
    """The file is no longer a sound database: set it aside and begin a new one."""


@contextmanager
def guarded(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into OutboxError, or DamagedOutbox where the file itself is at fault."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        kind = DamagedOutbox if code in _DAMAGED else OutboxError
        raise kind(f"outbox {path}: {error}") from error


def connect(path: Path) -> sqlite3.Connection:
    """Open or create a sound file; every commit is on the disk when it returns. Raises OutboxError or DamagedOutbox."""
    with guarded(path):
        database = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        try:
            _prepare(database, path)
        except BaseException:
            database.close()
            raise
    return database


def connect_read_only(path: Path) -> sqlite3.Connection:
    """Look into a file that another process may be writing."""
    with guarded(path):
        return sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_TIMEOUT_S, isolation_level=None
        )


def check_room(database: sqlite3.Connection, path: Path) -> None:
    """Raise OutboxError where the disk is full but for the reserve and the file has no free pages either."""
    if shutil.disk_usage(path.parent).free >= RESERVE_BYTES:
        return
    pages = database.execute("PRAGMA freelist_count").fetchone()[0]
    if pages * database.execute("PRAGMA page_size").fetchone()[0] < _REUSABLE_BYTES:
        raise OutboxError(f"outbox {path}: less than {RESERVE_BYTES >> 20} MiB left on the disk")


def set_aside(path: Path, now_ms: int) -> Gap:
    """Rename a damaged file and its journal so that a new one can begin; tells what may be missing."""
    gap = _what_was_there(path, now_ms)
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        with suppress(FileNotFoundError):
            part.rename(part.with_name(f"{path.name}.damaged-{now_ms}{suffix}"))
    return gap


def _prepare(database: sqlite3.Connection, path: Path) -> None:
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute(f"PRAGMA journal_size_limit = {_JOURNAL_LIMIT_BYTES}")
    found = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise DamagedOutbox(f"outbox {path}: {found}")
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise OutboxError(f"outbox {path}: written by a newer release (format {version}, known {VERSION})")
    database.executescript(_SCHEMA.format(epoch=1 + secrets.randbelow(2**63 - 1)))


def _what_was_there(path: Path, now_ms: int) -> Gap:
    """The span of the damaged file's blocks as far as it can still be read."""
    with suppress(OutboxError), guarded(path), closing(connect_read_only(path)) as database:
        row = database.execute("SELECT min(from_ms), max(to_ms), sum(count) FROM block").fetchone()
        if row[0] is not None:
            return Gap(NODE, row[0], row[1], row[2], GapReason.CORRUPT_FILE)
    return Gap(NODE, 0, now_ms, 0, GapReason.CORRUPT_FILE)
