"""Counts of samples by series and hour: of the hot table and the sealed files, and of what came late."""

from collections.abc import Sequence
from typing import Any

import msgspec
from duckdb import DuckDBPyConnection

from edge_agent.wire.durations import HOUR_MS
from edge_agent.wire.sample import FIRST_BAD
from ingest_service.store.embedded.archive import Archive
from ingest_service.store.embedded.database import fetch, insert
from ingest_service.store.tally import HourTally

_WHERE = "measured_at_ms >= ? AND measured_at_ms < ? AND series IN (SELECT unnest(?::INTEGER[]))"
_ROWS = f"SELECT series, measured_at_ms, reason FROM {{relation}} WHERE {_WHERE}"
_FILES = "read_parquet(?::VARCHAR[])"
_COUNTED = f"""
SELECT series, measured_at_ms // {HOUR_MS} * {HOUR_MS} AS start_ms, count(*) AS samples,
    count(*) FILTER (reason >= {FIRST_BAD}) AS bad
FROM ({{rows}}) GROUP BY ALL
"""
_DISTINCT = "SELECT series, measured_at_ms, min(reason) AS reason FROM ({rows}) GROUP BY ALL"
_NOTHING = "SELECT series, measured_at_ms, reason FROM sample WHERE false"
_SEALED_HOURS = "SELECT hour, file FROM sealed_hour WHERE hour BETWEEN ? AND ?"
_HOT_HOURS = f"SELECT DISTINCT measured_at_ms // {HOUR_MS} FROM sample WHERE {_WHERE}"
_LATE = """
SELECT series, hour * 3600000 AS start_ms, sum(samples)::BIGINT AS late FROM late_hour
WHERE hour >= ? AND hour < ? AND series IN (SELECT unnest(?::INTEGER[])) GROUP BY ALL
"""


class _Query(msgspec.Struct, frozen=True):
    text: str
    parameters: list[Any]


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
    hot = {hour for (hour,) in cursor.execute(_HOT_HOURS, bounds).fetchall()}
    found = cursor.execute(_SEALED_HOURS, [from_ms // HOUR_MS, (to_ms - 1) // HOUR_MS]).fetchall()
    sealed = {hour: str(archive.path(file)) for hour, file in found}
    plain = _counted([file for hour, file in sealed.items() if hour not in hot], bounds)
    mixed = _counted_once([file for hour, file in sealed.items() if hour in hot], bounds)
    counted = _Query(f"{plain.text} UNION ALL {mixed.text}", [*plain.parameters, *mixed.parameters])
    late = [from_ms // HOUR_MS, -(-to_ms // HOUR_MS), wanted]
    columns = "series, start_ms, samples, bad, coalesce(late, 0)::BIGINT AS late"
    joined = f"({counted.text}) LEFT JOIN ({_LATE}) USING (series, start_ms)"
    query = f"SELECT {columns} FROM {joined} ORDER BY series, start_ms"
    rows = fetch(cursor, query, [*counted.parameters, *late])
    return HourTally(rows["series"], rows["start_ms"], rows["samples"], rows["bad"], rows["late"])


def _counted(files: list[str], bounds: list[Any]) -> _Query:
    """The counts of sealed hours, which hold no repeats."""
    if not files:
        return _Query(_COUNTED.format(rows=_NOTHING), [])
    return _Query(_COUNTED.format(rows=_ROWS.format(relation=_FILES)), [files, *bounds])


def _counted_once(files: list[str], bounds: list[Any]) -> _Query:
    """The counts of hours with hot rows, where each series and time counts once, sealed or not."""
    rows = _Query(_ROWS.format(relation="sample"), bounds)
    if files:
        rows = _Query(f"{rows.text} UNION ALL {_ROWS.format(relation=_FILES)}", [*bounds, files, *bounds])
    return _Query(_COUNTED.format(rows=_DISTINCT.format(rows=rows.text)), rows.parameters)
