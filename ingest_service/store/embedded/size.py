"""How much the embedded store holds."""

from pathlib import Path

from duckdb import DuckDBPyConnection

from ingest_service.store.timeseries import StoreStatus

_HOT = "SELECT count(*), min(measured_at_ms), max(measured_at_ms) FROM sample"
_SEALED = "SELECT coalesce(sum(rows), 0), min(oldest_ms), max(newest_ms) FROM sealed_hour"


def measure(cursor: DuckDBPyConnection, folder: Path) -> StoreStatus:
    """Rows, bytes and span of one snapshot."""
    hot = cursor.execute(_HOT).fetchall()[0]
    sealed = cursor.execute(_SEALED).fetchall()[0]
    oldest = [at_ms for at_ms in (hot[1], sealed[1]) if at_ms is not None]
    newest = [at_ms for at_ms in (hot[2], sealed[2]) if at_ms is not None]
    return StoreStatus(
        hot_rows=hot[0],
        sealed_rows=int(sealed[0]),
        disk_bytes=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
        oldest_ms=min(oldest, default=None),
        newest_ms=max(newest, default=None),
    )
