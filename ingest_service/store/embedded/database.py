"""The DuckDB file of the embedded store: its tables, its transactions, and its errors as StoreError."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from ingest_service.errors import StoreError

FORMAT = 1  # of the tables below
Columns = Mapping[str, NDArray[Any]]

_TABLES = """
CREATE TABLE IF NOT EXISTS format (version INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS sample (
    series INTEGER NOT NULL, measured_at_ms BIGINT NOT NULL, value DOUBLE, reason UTINYINT NOT NULL);
CREATE TABLE IF NOT EXISTS latest (
    series INTEGER NOT NULL, measured_at_ms BIGINT NOT NULL, value DOUBLE, reason UTINYINT NOT NULL);
CREATE TABLE IF NOT EXISTS held_block (
    edge_id INTEGER NOT NULL, epoch UBIGINT NOT NULL, first UBIGINT NOT NULL, last UBIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS dirty_minute (source INTEGER NOT NULL, minute BIGINT NOT NULL, round BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS late_hour (series INTEGER NOT NULL, hour BIGINT NOT NULL, samples BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS minute_mean (
    series INTEGER NOT NULL, start_ms BIGINT NOT NULL,
    mean DOUBLE, low DOUBLE, high DOUBLE, covered FLOAT NOT NULL);
CREATE TABLE IF NOT EXISTS hour_mean (
    series INTEGER NOT NULL, start_ms BIGINT NOT NULL,
    mean DOUBLE, low DOUBLE, high DOUBLE, covered FLOAT NOT NULL);
CREATE TABLE IF NOT EXISTS sealed_hour (
    hour BIGINT NOT NULL, file VARCHAR NOT NULL, rows BIGINT NOT NULL, bytes BIGINT NOT NULL, sha256 VARCHAR NOT NULL,
    oldest_ms BIGINT NOT NULL, newest_ms BIGINT NOT NULL, sealed_at_ms BIGINT NOT NULL);
"""


class Database:
    """One open file. DuckDB lets one process have it; its threads each take a transaction of their own."""

    def __init__(self, path: Path, memory_limit_mb: int) -> None:
        self._path = path
        try:
            self._connection = duckdb.connect(str(path), config=_settings(memory_limit_mb))
        except duckdb.Error as error:
            raise StoreError(_why_not_open(path, error)) from error
        with self.transaction() as cursor:
            cursor.execute(_TABLES)
            self._check_format(cursor)

    @contextmanager
    def transaction(self) -> Iterator[DuckDBPyConnection]:
        """A snapshot to read from and write to; durable when the block ends, undone when it raises."""
        cursor = None
        try:
            cursor = self._connection.cursor()
            cursor.execute("BEGIN")
            yield cursor
            cursor.execute("COMMIT")
        except (duckdb.Error, OSError) as error:
            raise StoreError(f"store {self._path.parent}: {_first_line(error)}") from error
        finally:
            _finish(cursor)

    def close(self) -> None:
        """Write everything into the file and let go of it."""
        with suppress(duckdb.Error):
            self._connection.close()

    def _check_format(self, cursor: DuckDBPyConnection) -> None:
        found = cursor.execute("SELECT version FROM format").fetchall()
        if not found:
            cursor.execute("INSERT INTO format VALUES (?)", [FORMAT])
        elif found[0][0] != FORMAT:
            raise StoreError(f"store {self._path.parent}: has format {found[0][0]}, this version knows {FORMAT}")


def _settings(memory_limit_mb: int) -> dict[str, str | bool | int | float | list[str]]:
    """One core is left to those who write while hours are sealed and questions are answered."""
    return {"memory_limit": f"{memory_limit_mb}MB", "threads": max(1, (os.cpu_count() or 1) - 1)}


def insert(cursor: DuckDBPyConnection, table: str, columns: Columns) -> None:
    """Append rows given as numpy columns in the order of the table's. DuckDB reads the arrays in place, NaN as NULL."""
    if not len(next(iter(columns.values()))):
        return
    cursor.register("incoming", {name: np.ascontiguousarray(column) for name, column in columns.items()})
    cursor.execute(f"INSERT INTO {table} SELECT {', '.join(columns)} FROM incoming")
    cursor.unregister("incoming")


def fetch(cursor: DuckDBPyConnection, query: str, parameters: list[Any]) -> dict[str, NDArray[Any]]:
    """The result as plain numpy columns by name; NULL, which only floating-point columns hold, comes as NaN."""
    found = cursor.execute(query, parameters).fetchnumpy()
    return {name: _plain(column) for name, column in found.items()}


def _plain(column: NDArray[Any]) -> NDArray[Any]:
    if isinstance(column, np.ma.MaskedArray) and column.dtype.kind == "f":
        return np.asarray(column.filled(np.nan))
    return np.ma.getdata(column)


def _finish(cursor: DuckDBPyConnection | None) -> None:
    """Undo what is still open. After a commit there is nothing to undo, which DuckDB reports as an error."""
    if cursor is not None:
        with suppress(duckdb.Error):
            cursor.execute("ROLLBACK")
        cursor.close()


def _why_not_open(path: Path, error: duckdb.Error) -> str:
    if "Could not set lock" in str(error):
        return f"store {path.parent}: another process is using it ({path.name} is locked)"
    return f"store {path.parent}: {path.name} cannot be opened: {_first_line(error)}"


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
