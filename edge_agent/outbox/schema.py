"""The outbox's SQLite file: how it is opened, checked, and set aside when it is damaged."""

import os
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path

from edge_agent.errors import OutboxError

VERSION = 2
_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS block (number INTEGER PRIMARY KEY, device TEXT NOT NULL, from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL, count INTEGER NOT NULL, samples BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS gap_record (number INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL,
    from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL, count INTEGER NOT NULL, reason TEXT NOT NULL,
    channels TEXT NOT NULL, epoch INTEGER NOT NULL, first_block INTEGER NOT NULL, last_block INTEGER NOT NULL,
    begun_ms INTEGER NOT NULL, grown_ms INTEGER NOT NULL, sent INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS acknowledged (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS newest (device TEXT PRIMARY KEY, at_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tag (alias INTEGER PRIMARY KEY, device TEXT NOT NULL, channel TEXT NOT NULL,
    kind TEXT NOT NULL);
INSERT OR IGNORE INTO meta VALUES ('epoch', {{epoch}}), ('last_number', 0), ('bd_seq', -1), ('gaps', 0),
    ('samples_dropped', 0), ('running', 0), ('stopped_ms', 0), ('lost_before_ms', 0);
{{migration}}
PRAGMA user_version = {VERSION};
COMMIT;
"""
_FROM_1 = """
INSERT INTO gap_record (device, from_ms, to_ms, count, reason, channels, epoch, first_block, last_block, begun_ms,
    grown_ms, sent) SELECT device, from_ms, to_ms, count, reason, '[]', 0, 0, 0, 0, 0, 0 FROM gap ORDER BY number;
UPDATE meta SET value = (SELECT count(*) FROM gap) WHERE name = 'gaps';
UPDATE meta SET value = (SELECT coalesce(sum(count), 0) FROM gap) WHERE name = 'samples_dropped';
DROP TABLE gap;
"""
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
BUSY_TIMEOUT_S = 5.0
_JOURNAL_LIMIT_BYTES = 16 * 2**20
RESERVE_BYTES = 16 * 2**20  # left free on the disk, so that acknowledged blocks can still be deleted
_REUSABLE_BYTES = 2**20  # free pages in the file that allow writing on a disk without room


class _Locking(StrEnum):
    """Whether others may look into the file meanwhile, in SQLite's words."""

    SHARED = "NORMAL"
    ALONE = "EXCLUSIVE"


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
        raise kind(f"outbox {path}: {_reason(path, error, code)}") from error


def _reason(path: Path, error: sqlite3.Error, code: int) -> str:
    """What SQLite says, and where it only says that it cannot open the file, why."""
    folder = path.absolute().parent
    if code != sqlite3.SQLITE_CANTOPEN:
        return str(error)
    if not folder.is_dir():
        return f"the folder {folder} does not exist"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"the folder {folder} may not be written by this user"
    return f"{error}" if path.is_file() or not path.exists() else "it is no file"


def connect(path: Path) -> sqlite3.Connection:
    """Open or create a sound file; every commit is on the disk when it returns. Raises OutboxError or DamagedOutbox.

    On a disk so full that the index which readers share finds no room, the file is opened for this process alone.
    """
    try:
        return _opened(path, _Locking.SHARED)
    except OutboxError as error:
        if getattr(error.__cause__, "sqlite_errorcode", 0) != sqlite3.SQLITE_IOERR_SHMSIZE:
            raise
        return _opened(path, _Locking.ALONE)


def _opened(path: Path, locking: _Locking) -> sqlite3.Connection:
    with guarded(path):
        database = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        try:
            database.execute(f"PRAGMA locking_mode = {locking}")
            _prepare(database, path)
        except (sqlite3.Error, OutboxError):
            database.close()
            raise
    return database


def connect_read_only(path: Path) -> sqlite3.Connection:
    """Look into a file that another process may be writing."""
    with guarded(path):
        return sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None
        )


def check_room(database: sqlite3.Connection, path: Path) -> None:
    """Raise OutboxError where the disk is full but for the reserve and the file has no free pages either."""
    if shutil.disk_usage(path.parent).free >= RESERVE_BYTES:
        return
    pages = database.execute("PRAGMA freelist_count").fetchone()[0]
    if pages * database.execute("PRAGMA page_size").fetchone()[0] < _REUSABLE_BYTES:
        raise OutboxError(f"outbox {path}: less than {RESERVE_BYTES >> 20} MiB left on the disk")


def set_aside(path: Path, now_ms: int) -> None:
    """Rename a damaged file and its journal so that a new one can begin."""
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        with suppress(FileNotFoundError):
            part.rename(part.with_name(f"{path.name}.damaged-{now_ms}{suffix}"))


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
    if version == VERSION:
        return
    migration = _FROM_1 if version == 1 else ""
    database.executescript(_SCHEMA.format(epoch=1 + secrets.randbelow(2**63 - 1), migration=migration))
