"""What was read and what is stored, each counted at its own end: the furnaces' read log, and the store's own files."""

from collections import Counter
from pathlib import Path

import duckdb
import msgspec
from sqlalchemy import create_engine

from edge_agent.simulator.read_log import CountedAnswer
from ingest_service.store.channels import read_channels
from ingest_service.store.gaps import KnownGap, gaps_between
from ingest_service.store.overview import Reader, Scope
from tests.support.plant import COUNTER

_FOR_EVER_MS = 2**53
_HOT = "SELECT measured_at_ms, value FROM sample WHERE series = ?"
_SEALED = "SELECT measured_at_ms, value FROM read_parquet(?) WHERE series = ?"


class Row(msgspec.Struct, frozen=True):
    """One stored sample of a scan counter; `value` is None where the sample is bad."""

    measured_at_ms: int
    value: int | None


def read_answers(path: Path) -> dict[int, list[CountedAnswer]]:
    """The counter values that each furnace answered with, in order."""
    answers: dict[int, list[CountedAnswer]] = {}
    for line in path.read_bytes().splitlines():
        answer = msgspec.json.decode(line, type=CountedAnswer)
        answers.setdefault(answer.furnace, []).append(answer)
    return answers


def stored_gaps(data: Path) -> list[KnownGap]:
    """Every gap that the centre knows."""
    engine = create_engine(f"sqlite:///{data / 'state.sqlite'}")
    found = gaps_between(Reader(engine, Scope()), 0, _FOR_EVER_MS)
    engine.dispose()
    return found


def stored_counters(data: Path) -> dict[int, list[Row]]:
    """Every row of every furnace's scan counter, repeats included, by the furnace's number; no process may hold it."""
    engine = create_engine(f"sqlite:///{data / 'state.sqlite'}")
    channels = [row for row in read_channels(engine).rows if row.channel == COUNTER]
    engine.dispose()
    with duckdb.connect(str(data / "series" / "samples.duckdb"), read_only=True) as database:
        files = [
            str(data / "series" / "sealed" / file)
            for (file,) in database.execute("SELECT file FROM sealed_hour").fetchall()
        ]
        return {int(row.device.rpartition("-")[2]): _rows(database, files, row.series_id) for row in channels}


def _rows(database: duckdb.DuckDBPyConnection, files: list[str], series: int) -> list[Row]:
    found = database.execute(_HOT, [series]).fetchall()
    if files:
        found += database.execute(_SEALED, [files, series]).fetchall()
    return [Row(at_ms, None if value is None else int(value)) for at_ms, value in sorted(found, key=lambda row: row[0])]


def good_values(rows: list[Row]) -> Counter[int]:
    """How often each counter value is stored."""
    return Counter(row.value for row in rows if row.value is not None)
