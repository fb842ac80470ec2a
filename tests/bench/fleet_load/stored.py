"""Counts what a run left in the service's folder."""

import sqlite3
from pathlib import Path

import duckdb
import msgspec

from tests.bench.fleet_load.furnace import COUNTER

_DISTINCT = "SELECT count(*), count(DISTINCT (series, value)) FROM sample WHERE series IN (SELECT unnest(?::INTEGER[]))"


class Stored(msgspec.Struct, frozen=True):
    """Samples, those of the scan counters, how many of these are distinct, and the bytes of the store's files."""

    samples: int
    counters: int
    distinct_counters: int
    bytes: int


def stored(data: Path) -> Stored:
    """Count the hot rows of a service that has ended. Raises RuntimeError when hours were sealed meanwhile."""
    with sqlite3.connect(data / "state.sqlite") as database:
        series = [row[0] for row in database.execute("SELECT id FROM series WHERE channel = ?", [COUNTER])]
    with duckdb.connect(str(data / "series/samples.duckdb"), read_only=True) as store:
        if store.execute("SELECT file FROM sealed_hour").fetchall():
            raise RuntimeError("the run was so long that hours were sealed")
        ((samples,),) = store.execute("SELECT count(*) FROM sample").fetchall()
        ((counters, distinct),) = store.execute(_DISTINCT, [series]).fetchall()
    size = sum(path.stat().st_size for path in (data / "series").rglob("*") if path.is_file())
    return Stored(samples, counters, distinct, size)
