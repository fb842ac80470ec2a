"""Counts what a run left in the service's folder."""

import sqlite3
from pathlib import Path

import duckdb
import msgspec

from tests.bench.fleet_load.furnace import COUNTER

_SEALED = "SELECT series, value FROM read_parquet(?::VARCHAR[])"
_ALL = "SELECT series, value FROM sample"
_DISTINCT = """
SELECT count(*), count(DISTINCT (series, value)) FROM ({rows}) WHERE series IN (SELECT unnest(?::INTEGER[]))
"""


class Stored(msgspec.Struct, frozen=True):
    """Samples, those of the scan counters, how many of these are distinct, and the bytes of the store's files."""

    samples: int
    counters: int
    distinct_counters: int
    bytes: int


def stored(data: Path) -> Stored:
    """Count the rows of a service that has ended, hot and sealed."""
    with sqlite3.connect(data / "state.sqlite") as database:
        series = [row[0] for row in database.execute("SELECT id FROM series WHERE channel = ?", [COUNTER])]
    with duckdb.connect(str(data / "series/samples.duckdb"), read_only=True) as store:
        sealed = [
            str(data / "series/sealed" / file) for (file,) in store.execute("SELECT file FROM sealed_hour").fetchall()
        ]
        rows, files = (f"{_ALL} UNION ALL {_SEALED}", [sealed]) if sealed else (_ALL, [])
        ((samples,),) = store.execute(f"SELECT count(*) FROM ({rows})", files).fetchall()
        ((counters, distinct),) = store.execute(_DISTINCT.format(rows=rows), [*files, series]).fetchall()
    size = sum(path.stat().st_size for path in (data / "series").rglob("*") if path.is_file())
    return Stored(samples, counters, distinct, size)
