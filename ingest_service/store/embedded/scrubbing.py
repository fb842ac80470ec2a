"""Reads sealed files again, one after the other for ever, and compares their hashes: a disk may forget in silence."""

import threading
from collections.abc import Collection
from pathlib import Path

import structlog
from duckdb import DuckDBPyConnection

from ingest_service.store.embedded.archive import Archive, sha256

_log = structlog.get_logger(__name__)


class Scrubber:
    """Knows which files are damaged. Any thread may call it."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._lock = threading.Lock()
        self._last = ""
        self._damaged: dict[str, str] = {}

    @property
    def damaged(self) -> dict[str, str]:
        """What is wrong with which file."""
        with self._lock:
            return dict(self._damaged)

    def check_some(self, cursor: DuckDBPyConnection, files: int) -> None:
        """Check that many files of the manifest, and those again that were damaged: one may have been brought back."""
        with self._lock:
            self._check_some(cursor, files)

    def check_hours(self, cursor: DuckDBPyConnection, hours: Collection[int]) -> None:
        """Check the files of these hours, which could not be read."""
        query = "SELECT file, sha256 FROM sealed_hour WHERE hour IN (SELECT unnest(?::BIGINT[]))"
        with self._lock:
            for file, expected in cursor.execute(query, [list(hours)]).fetchall():
                if file not in self._damaged:
                    self._enter(file, problem_of(self._archive.path(file), expected))

    def _check_some(self, cursor: DuckDBPyConnection, files: int) -> None:
        query = "SELECT file, sha256 FROM sealed_hour WHERE file > ? ORDER BY file LIMIT ?"
        due = cursor.execute(query, [self._last, files]).fetchall()
        self._last = due[-1][0] if len(due) == files else ""
        again = cursor.execute(
            "SELECT file, sha256 FROM sealed_hour WHERE file IN (SELECT unnest(?::VARCHAR[]))", [list(self._damaged)]
        ).fetchall()
        known = {file for file, _ in again}
        self._damaged = {file: problem for file, problem in self._damaged.items() if file in known}
        for file, expected in {*due, *again}:
            self._enter(file, problem_of(self._archive.path(file), expected))

    def _enter(self, file: str, problem: str) -> None:
        if not problem:
            if self._damaged.pop(file, None):
                _log.info("sealed_file_restored", file=file)
        elif file not in self._damaged:
            _log.error("sealed_file_damaged", file=file, problem=problem)
            self._damaged[file] = problem


def problem_of(path: Path, expected: str) -> str:
    """What is wrong with a sealed file; "" where it is as it was written."""
    try:
        return "" if sha256(path) == expected else "its bytes are not those that were written (SHA-256 differs)"
    except FileNotFoundError:
        return "it is missing"
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
