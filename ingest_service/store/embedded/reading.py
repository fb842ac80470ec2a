"""Reads samples from hot and sealed as if they were one: sorted by series and time, one for each."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from edge_agent.wire.durations import HOUR_MS
from ingest_service.errors import HoursUnreadable, StoreError
from ingest_service.store.batch import SampleBatch, without_repeats
from ingest_service.store.embedded.archive import Archive
from ingest_service.store.embedded.database import fetch

_WHERE = "measured_at_ms >= ? AND measured_at_ms < ? AND series IN (SELECT unnest(?::INTEGER[]))"
_COLUMNS = "series, measured_at_ms, value, reason"


def read_samples(
    cursor: DuckDBPyConnection, archive: Archive, series: Sequence[int], from_ms: int, to_ms: int
) -> SampleBatch:
    """The samples of one snapshot with `from_ms <= time < to_ms`; of two at one time the first stored wins.

    Raises HoursUnreadable where sealed files are damaged or missing.
    """
    bounds = [from_ms, to_ms, [int(one) for one in series]]
    parts = []
    if files := _sealed_files(cursor, archive, from_ms, to_ms):
        parts.append(_sealed(cursor, files, bounds))
    parts.append(as_batch(fetch(cursor, f"SELECT {_COLUMNS} FROM sample WHERE {_WHERE}", bounds)))
    return without_repeats(parts)


def latest_of(cursor: DuckDBPyConnection, relation: str, parameters: list[Any]) -> SampleBatch:
    """The newest sample of each series in a relation."""
    newest = "max(measured_at_ms) AS measured_at_ms, arg_max_null(value, measured_at_ms) AS value"
    query = f"SELECT series, {newest}, arg_max(reason, measured_at_ms) AS reason FROM {relation} GROUP BY series"
    return as_batch(fetch(cursor, query, parameters))


def as_batch(found: dict[str, NDArray[Any]]) -> SampleBatch:
    """Columns of a result as a batch."""
    return SampleBatch(found["series"], found["measured_at_ms"], found["value"], found["reason"])


def _sealed_files(cursor: DuckDBPyConnection, archive: Archive, from_ms: int, to_ms: int) -> dict[str, int]:
    """The sealed hours that touch `[from_ms, to_ms)`, by their files."""
    query = "SELECT file, hour FROM sealed_hour WHERE hour BETWEEN ? AND ? ORDER BY hour"
    found = cursor.execute(query, [from_ms // HOUR_MS, (to_ms - 1) // HOUR_MS]).fetchall()
    return {str(archive.path(file)): hour for file, hour in found}


def _sealed(cursor: DuckDBPyConnection, files: Mapping[str, int], bounds: list[Any]) -> SampleBatch:
    query = f"SELECT {_COLUMNS} FROM read_parquet(?::VARCHAR[]) WHERE {_WHERE}"
    try:
        return as_batch(fetch(cursor, query, [list(files), *bounds]))
    except duckdb.Error as error:
        raise _trouble(cursor, files, error) from error


def _trouble(cursor: DuckDBPyConnection, files: Mapping[str, int], error: duckdb.Error) -> StoreError:
    """Names the files that cannot be read."""
    missing = [file for file in files if not Path(file).exists()]
    damaged = [file for file in files if file not in missing and not _readable(cursor, file)]
    named = [f"{word} {', '.join(found)}" for word, found in (("missing", missing), ("damaged", damaged)) if found]
    if not named:
        return StoreError(f"sealed files cannot be read: {len(files)} files from {next(iter(files))}: {error}")
    hours = frozenset(files[file] for file in (*missing, *damaged))
    return HoursUnreadable(f"sealed files cannot be read: {'; '.join(named)}", hours)


def _readable(cursor: DuckDBPyConnection, file: str) -> bool:
    """In a transaction of its own: that of the cursor has failed."""
    try:
        with cursor.cursor() as other:
            other.execute("SELECT sum(value), max(reason) FROM read_parquet(?)", [file]).fetchall()
    except duckdb.Error:
        return False
    return True
