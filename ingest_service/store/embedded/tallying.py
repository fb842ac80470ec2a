"""Counts of samples by series and hour: of the hot table and the sealed files, and of what came late."""

from collections.abc import Sequence
from typing import Any

from duckdb import DuckDBPyConnection

from edge_agent.wire.sample import FIRST_BAD
from ingest_service.store.embedded.archive import Archive
from ingest_service.store.embedded.database import fetch, insert
from ingest_service.store.embedded.reading import sealed_files
from ingest_service.store.tally import HOUR_MS, HourTally

_WHERE = "measured_at_ms >= ? AND measured_at_ms < ? AND series IN (SELECT unnest(?::INTEGER[]))"
_ROWS = f"SELECT series, measured_at_ms, reason FROM {{relation}} WHERE {_WHERE}"
# An hour that is sealed and has hot rows besides may hold repeats: there each series and time counts once.
_COUNTED = f"""
SELECT series, measured_at_ms // {HOUR_MS} * {HOUR_MS} AS start_ms, count(*) AS samples,
    count(*) FILTER (reason >= {FIRST_BAD}) AS bad
FROM ({{rows}}) GROUP BY ALL
"""
_DISTINCT = "SELECT series, measured_at_ms, min(reason) AS reason FROM ({rows}) GROUP BY ALL"
_LATE = """
SELECT series, hour * 3600000 AS start_ms, sum(samples)::BIGINT AS late FROM late_hour
WHERE hour >= ? AND hour < ? AND series IN (SELECT unnest(?::INTEGER[])) GROUP BY ALL
"""


def note_late(cursor: DuckDBPyConnection, late: HourTally) -> None:
    """Append what came late; rows of one series and hour add up."""
    hours = late.start_ms // HOUR_MS
    insert(cursor, "late_hour", {"series": late.series, "hour": hours, "samples": late.late})


def gather_late(cursor: DuckDBPyConnection) -> None:
    """Join the rows of each series and hour into one."""
    cursor.execute("CREATE TEMP TABLE gathered AS SELECT series, hour, sum(samples) FROM late_hour GROUP BY ALL")
    cursor.execute("DELETE FROM late_hour")
    cursor.execute("INSERT INTO late_hour SELECT * FROM gathered")
    cursor.execute("DROP TABLE gathered")


def read_tally(
    cursor: DuckDBPyConnection, archive: Archive, series: Sequence[int], from_ms: int, to_ms: int
) -> HourTally:
    """The counts of whole hours `[from_ms, to_ms)`, sorted by series and hour."""
    wanted = [int(one) for one in series]
    bounds: list[Any] = [from_ms, to_ms, wanted]
    rows, parameters = _ROWS.format(relation="sample"), [*bounds]
    if files := sealed_files(cursor, archive, from_ms, to_ms):
        rows = f"{rows} UNION ALL {_ROWS.format(relation='read_parquet(?::VARCHAR[])')}"
        parameters = [*bounds, files, *bounds]
    counted = _COUNTED.format(rows=_DISTINCT.format(rows=rows))
    late = [from_ms // HOUR_MS, -(-to_ms // HOUR_MS), wanted]
    columns = "series, start_ms, samples, bad, coalesce(late, 0)::BIGINT AS late"
    joined = f"({counted}) LEFT JOIN ({_LATE}) USING (series, start_ms)"
    query = f"SELECT {columns} FROM {joined} ORDER BY series, start_ms"
    found = fetch(cursor, query, [*parameters, *late])
    return HourTally(found["series"], found["start_ms"], found["samples"], found["bad"], found["late"])
