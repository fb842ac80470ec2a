"""Takes away what is older than it must be kept: whole sealed hours, and means."""

from duckdb import DuckDBPyConnection

from edge_agent.wire.durations import HOUR_MS
from ingest_service.config import Retention


def retire_rows(cursor: DuckDBPyConnection, retention: Retention, now_ms: int) -> list[str]:
    """Delete the rows in the caller's transaction; return the sealed files that may go once it is committed."""
    _delete_means(cursor, "minute_mean", retention.minutes_before_ms(now_ms))
    _delete_means(cursor, "hour_mean", retention.hours_before_ms(now_ms))
    before_ms = retention.raw_before_ms(now_ms)
    if before_ms is None:
        return []
    last = before_ms // HOUR_MS
    cursor.execute("DELETE FROM sample WHERE measured_at_ms < ?", [last * HOUR_MS])
    cursor.execute("DELETE FROM late_hour WHERE hour < ?", [last])
    gone = cursor.execute("SELECT file FROM sealed_hour WHERE hour < ?", [last]).fetchall()
    cursor.execute("DELETE FROM sealed_hour WHERE hour < ?", [last])
    return [str(file) for (file,) in gone]


def _delete_means(cursor: DuckDBPyConnection, table: str, before_ms: int | None) -> None:
    if before_ms is not None:
        cursor.execute(f"DELETE FROM {table} WHERE start_ms < ?", [before_ms])
