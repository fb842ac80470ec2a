"""Seals an hour that is over: sorted, freed of repeats, in a Parquet file that is written all or nothing.

The file gets its name before the hot rows go, and both the manifest row and the deletion are one transaction: a crash
at any point leaves the rows in at least one place, and readers drop what they find in both.
"""

import time

import msgspec
from duckdb import DuckDBPyConnection

from edge_agent.wire.durations import HOUR_MS
from ingest_service.errors import HoursUnreadable
from ingest_service.store.embedded.archive import Archive, SealedFile, sha256
from ingest_service.store.embedded.scrubbing import problem_of

_PARQUET = "FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd"
_SORTED = "SELECT series, measured_at_ms, value, reason FROM ({parts}) ORDER BY series, measured_at_ms"
# Of equal rows the sealed one stays, else the one that came first. To find them takes four times as long as to sort, so
# that is done only where the sorted rows show repeats.
_MERGED = """
SELECT series, measured_at_ms, value, reason FROM ({parts})
QUALIFY row_number() OVER (PARTITION BY series, measured_at_ms ORDER BY place) = 1
ORDER BY series, measured_at_ms
"""
_REPEATS = """
SELECT count(*) FROM (
    SELECT series = lag(series) OVER () AND measured_at_ms = lag(measured_at_ms) OVER () AS repeated
    FROM read_parquet({file}))
WHERE repeated
"""
_HOT = "SELECT *, rowid AS place FROM sample WHERE measured_at_ms >= {from_ms} AND measured_at_ms < {to_ms}"
_SEALED = "SELECT *, -1 AS place FROM read_parquet({file})"


class Manifest(msgspec.Struct, frozen=True):
    """One row of the table `sealed_hour`: what the file of an hour holds, and its hash."""

    hour: int
    file: str
    rows: int
    bytes: int
    sha256: str
    oldest_ms: int
    newest_ms: int
    sealed_at_ms: int


def hours_to_seal(cursor: DuckDBPyConnection, before_ms: int) -> list[int]:
    """Every hour that ended before `before_ms` and has hot rows, oldest first; hours since 1970 UTC."""
    end_ms = before_ms // HOUR_MS * HOUR_MS
    query = f"SELECT DISTINCT measured_at_ms // {HOUR_MS} AS hour FROM sample WHERE measured_at_ms < ? ORDER BY hour"
    return [int(hour) for (hour,) in cursor.execute(query, [end_ms]).fetchall()]


def listed_files(cursor: DuckDBPyConnection) -> set[str]:
    """Every file of the manifest."""
    return {file for (file,) in cursor.execute("SELECT file FROM sealed_hour").fetchall()}


def seal_hour(cursor: DuckDBPyConnection, archive: Archive, hour: int) -> None:
    """Write the hour's file from what is sealed and hot and take the hot rows away, in the caller's transaction.

    Raises HoursUnreadable where the hour has a file that is not as it was written: nothing is made of such a one.
    """
    present = _present(cursor, archive, hour)
    sealed = archive.next_version(hour, present)
    _write(cursor, archive, sealed, present)
    archive.finish(sealed)
    enter(cursor, archive, sealed)
    cursor.execute("DELETE FROM sample WHERE measured_at_ms >= ? AND measured_at_ms < ?", _bounds(hour))


def _present(cursor: DuckDBPyConnection, archive: Archive, hour: int) -> str | None:
    """The hour's present file, if it has one."""
    found = cursor.execute("SELECT file, sha256 FROM sealed_hour WHERE hour = ?", [hour]).fetchall()
    if not found:
        return None
    file: str = found[0][0]
    if problem := problem_of(archive.path(file), found[0][1]):
        raise HoursUnreadable(f"sealed file {file}: {problem}", frozenset([hour]))
    return file


def enter(cursor: DuckDBPyConnection, archive: Archive, sealed: SealedFile) -> None:
    """Make a finished file the one of its hour in the manifest. A file that is no Parquet raises duckdb.Error."""
    path = archive.path(sealed.file)
    query = "SELECT count(*), min(measured_at_ms), max(measured_at_ms) FROM read_parquet(?)"
    rows, oldest_ms, newest_ms = cursor.execute(query, [str(path)]).fetchall()[0]
    row = Manifest(
        hour=sealed.hour,
        file=sealed.file,
        rows=rows,
        bytes=path.stat().st_size,
        sha256=sha256(path),
        oldest_ms=oldest_ms,
        newest_ms=newest_ms,
        sealed_at_ms=time.time_ns() // 1_000_000,
    )
    cursor.execute("DELETE FROM sealed_hour WHERE hour = ?", [sealed.hour])
    cursor.execute("INSERT INTO sealed_hour VALUES (?, ?, ?, ?, ?, ?, ?, ?)", list(msgspec.structs.astuple(row)))


def _write(cursor: DuckDBPyConnection, archive: Archive, sealed: SealedFile, present: str | None) -> None:
    from_ms, to_ms = _bounds(sealed.hour)
    parts = _HOT.format(from_ms=from_ms, to_ms=to_ms)
    if present is not None:
        parts = f"{_SEALED.format(file=_quoted(str(archive.path(present))))} UNION ALL {parts}"
    target = _quoted(str(archive.unfinished(sealed)))
    cursor.execute(f"COPY ({_SORTED.format(parts=parts)}) TO {target} ({_PARQUET})")
    ((repeats,),) = cursor.execute(_REPEATS.format(file=target)).fetchall()
    if repeats:
        cursor.execute(f"COPY ({_MERGED.format(parts=parts)}) TO {target} ({_PARQUET})")


def _bounds(hour: int) -> list[int]:
    return [hour * HOUR_MS, (hour + 1) * HOUR_MS]


def _quoted(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"
