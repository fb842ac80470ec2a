"""Rows of the embedded store's tables, in and out: samples, held blocks, dirty minutes, means."""

from collections.abc import Iterable, Sequence

import numpy as np
from duckdb import DuckDBPyConnection

from ingest_service.store.batch import DirtyMinutes, MeanBatch, SampleBatch
from ingest_service.store.embedded.database import Columns, fetch, insert
from ingest_service.store.held import HeldRange

_MEANS = "series, start_ms, mean, low, high, covered"


def insert_samples(cursor: DuckDBPyConnection, batch: SampleBatch, table: str = "sample") -> None:
    """Append samples."""
    columns: Columns = {
        "series": batch.series,
        "measured_at_ms": batch.measured_at_ms,
        "value": batch.value,
        "reason": batch.reason,
    }
    insert(cursor, table, columns)


def replace_latest(cursor: DuckDBPyConnection, newest: SampleBatch) -> None:
    """Remember the newest sample of every series, whose hour may be sealed."""
    cursor.execute("DELETE FROM latest")
    insert_samples(cursor, newest, "latest")


def insert_held(cursor: DuckDBPyConnection, ranges: Sequence[HeldRange]) -> None:
    """Append ranges of held blocks."""
    rows = np.array([(one.edge_id, one.epoch, one.first, one.last) for one in ranges], np.uint64).reshape(-1, 4)
    names = ("edge_id", "epoch", "first", "last")
    insert(cursor, "held_block", {name: rows[:, at] for at, name in enumerate(names)})


def replace_held(cursor: DuckDBPyConnection, ranges: Sequence[HeldRange]) -> None:
    """Write all ranges of held blocks anew."""
    cursor.execute("DELETE FROM held_block")
    insert_held(cursor, ranges)


def load_held(cursor: DuckDBPyConnection) -> list[HeldRange]:
    """Every range of held blocks, as it was appended."""
    rows = cursor.execute("SELECT edge_id, epoch, first, last FROM held_block ORDER BY ALL").fetchall()
    return [HeldRange(*row) for row in rows]


def insert_dirty(cursor: DuckDBPyConnection, marks: DirtyMinutes, round_number: int) -> None:
    """Append marks of the present round: the number of times that marks were handed out before."""
    rounds = np.full(len(marks), round_number, np.int64)
    insert(cursor, "dirty_minute", {"source": marks.source, "minute": marks.minute, "round": rounds})


def load_dirty(cursor: DuckDBPyConnection) -> tuple[DirtyMinutes, int]:
    """Every mark once, and the next round."""
    found = fetch(cursor, "SELECT DISTINCT source, minute FROM dirty_minute", [])
    ((newest,),) = cursor.execute("SELECT coalesce(max(round), 0) FROM dirty_minute").fetchall()
    return DirtyMinutes(found["source"], found["minute"]), int(newest) + 1


def clear_dirty(cursor: DuckDBPyConnection, done: DirtyMinutes, last_round: int) -> None:
    """Delete these marks as far as they were made in `last_round` or before."""
    if not len(done):
        return
    cursor.register("done", {"source": done.source, "minute": done.minute})
    same = "dirty_minute.source = done.source AND dirty_minute.minute = done.minute"
    cursor.execute(f"DELETE FROM dirty_minute USING done WHERE {same} AND round <= ?", [last_round])
    cursor.unregister("done")


def replace_means(cursor: DuckDBPyConnection, table: str, means: MeanBatch) -> None:
    """Put these means in the place of what there is for the same series and period."""
    if not len(means):
        return
    keys: Columns = {"series": means.series, "start_ms": means.start_ms}
    cursor.register("renewed", keys)
    same = f"{table}.series = renewed.series AND {table}.start_ms = renewed.start_ms"
    span = [int(means.start_ms.min()), int(means.start_ms.max())]
    cursor.execute(f"DELETE FROM {table} USING renewed WHERE {same} AND {table}.start_ms BETWEEN ? AND ?", span)
    cursor.unregister("renewed")
    rest: Columns = {"mean": means.mean, "low": means.low, "high": means.high, "covered": means.covered}
    insert(cursor, table, {**keys, **rest})


def read_means(cursor: DuckDBPyConnection, table: str, series: Iterable[int], from_ms: int, to_ms: int) -> MeanBatch:
    """The means that start in `[from_ms, to_ms)`, sorted by series and start."""
    where = "start_ms >= ? AND start_ms < ? AND series IN (SELECT unnest(?::INTEGER[]))"
    query = f"SELECT {_MEANS} FROM {table} WHERE {where} ORDER BY series, start_ms"
    found = fetch(cursor, query, [from_ms, to_ms, [int(one) for one in series]])
    return MeanBatch(found["series"], found["start_ms"], found["mean"], found["low"], found["high"], found["covered"])
