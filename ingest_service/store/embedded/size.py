"""How much the embedded store holds, and how fast it grows."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from duckdb import DuckDBPyConnection

from ingest_service.store.timeseries import StoreStatus

_HOT = "SELECT count(*), min(measured_at_ms), max(measured_at_ms) FROM sample"
_SEALED = "SELECT coalesce(sum(rows), 0), min(oldest_ms), max(newest_ms), coalesce(sum(bytes), 0) FROM sealed_hour"
_HOURS_OF_GROWTH = 168  # a week: a weekend without cremations is in it
_GROWTH = f"""
SELECT sum(bytes), max(hour) - min(hour) + 1 FROM sealed_hour
WHERE hour > (SELECT max(hour) FROM sealed_hour) - {_HOURS_OF_GROWTH}
"""


def measure(cursor: DuckDBPyConnection, folder: Path, damaged: Mapping[str, str]) -> StoreStatus:
    """Rows, bytes and span of one snapshot, and which sealed files are damaged."""
    hot = cursor.execute(_HOT).fetchall()[0]
    sealed = cursor.execute(_SEALED).fetchall()[0]
    oldest = [at_ms for at_ms in (hot[1], sealed[1]) if at_ms is not None]
    newest = [at_ms for at_ms in (hot[2], sealed[2]) if at_ms is not None]
    return StoreStatus(
        kind="embedded",
        hot_rows=hot[0],
        sealed_rows=int(sealed[0]),
        disk_bytes=int(sealed[3]) + sum(path.stat().st_size for path in folder.glob("samples.duckdb*")),
        oldest_ms=min(oldest, default=None),
        newest_ms=max(newest, default=None),
        free_bytes=shutil.disk_usage(folder).free,
        growth_bytes_per_day=_growth(cursor),
        problem="; ".join(f"sealed file {file}: {problem}" for file, problem in sorted(damaged.items())[:3]),
    )


def _growth(cursor: DuckDBPyConnection) -> float | None:
    """Bytes of sealed files a day, of the last week; None where fewer than six hours are sealed."""
    total, hours = cursor.execute(_GROWTH).fetchall()[0]
    return None if total is None or hours < 6 else float(total) / float(hours) * 24
