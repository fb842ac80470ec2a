"""Derived series beside the embedded store: a DuckDB file with numbers by series, as samples are, and texts apart."""

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import msgspec
import numpy as np
from duckdb import DuckDBPyConnection

from ingest_service.config import Retention
from ingest_service.errors import StoreError
from ingest_service.store.derived.point import (
    MEASUREMENTS,
    WITH_TEXTS,
    Admits,
    DerivedColumn,
    Point,
    Tags,
    column_of,
)
from ingest_service.store.derived.series_book import DerivedSeries, SeriesBook
from ingest_service.store.embedded.database import Columns, fetch, insert

FILE = "derived.duckdb"
_MEMORY_MB = 512
_SERIES = """
CREATE TABLE IF NOT EXISTS series (
    id INTEGER NOT NULL, measurement VARCHAR NOT NULL, field VARCHAR NOT NULL, tags VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS said (series INTEGER NOT NULL, at_ms BIGINT NOT NULL, text VARCHAR NOT NULL);
"""
# A table each: the few points of an hour are not looked for among the many of every minute.
_POINTS = "CREATE TABLE IF NOT EXISTS {} (series INTEGER NOT NULL, at_ms BIGINT NOT NULL, value DOUBLE NOT NULL)"
Value = TypeVar("Value", float, str)
Rows = dict[tuple[DerivedSeries, int], Value]  # by series and time, ms


class EmbeddedDerived:
    """Opens or creates the file in a folder. Raises StoreError when another process has it."""

    def __init__(self, folder: Path) -> None:
        self._lock = threading.RLock()
        self._path = folder / FILE
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._connection = duckdb.connect(str(self._path), config={"memory_limit": f"{_MEMORY_MB}MB", "threads": 1})
        except (duckdb.Error, OSError) as error:
            raise StoreError(f"{self._path}: cannot be opened: {error}") from error
        with self._transaction() as cursor:
            cursor.execute(_SERIES)
            for measurement in MEASUREMENTS:
                cursor.execute(_POINTS.format(_table(measurement)))
            rows = cursor.execute("SELECT id, measurement, field, tags FROM series").fetchall()
        known = {
            DerivedSeries(what, field, msgspec.json.decode(text, type=Tags)): one for one, what, field, text in rows
        }
        self._book = SeriesBook(known)

    def write(self, points: Sequence[Point]) -> None:
        """Put each in the place of what there is of its measurement, tags and time, field by field."""
        numbers: dict[str, Rows[float]] = {}
        texts: Rows[str] = {}
        for one in points:
            own = numbers.setdefault(one.measurement, {})
            own |= {(DerivedSeries(one.measurement, name, one.tags), one.at_ms): value for name, value in one.fields}
            texts |= {(DerivedSeries(one.measurement, name, one.tags), one.at_ms): text for name, text in one.texts}
        with self._lock:
            wanted = {series for rows in numbers.values() for series, _ in rows} | {series for series, _ in texts}
            fresh = self._book.new(wanted)
            with self._transaction() as cursor:
                self._enter(cursor, fresh)
                for measurement, rows in numbers.items():
                    self._replace(cursor, _table(measurement), "value", rows, fresh)
                self._replace(cursor, "said", "text", texts, fresh)
            self._book.add(fresh)

    def read(
        self,
        measurement: str,
        admits: Admits,
        from_ms: int,
        to_ms: int,
        fields: Collection[str] | None = None,
        where: Tags = (),
    ) -> list[DerivedColumn]:
        """The columns of these fields (all, where None) in `from_ms <= time < to_ms` whose tags are admitted."""
        with self._lock:
            found = self._book.found(measurement, _within(admits, where), fields)
        if not found:
            return []
        bounds = [from_ms, to_ms, list(found)]
        with self._transaction() as cursor:
            numbers = list(_numbers(cursor, _table(measurement), found, bounds))
            return [*numbers, *(_texts(cursor, found, bounds) if measurement in WITH_TEXTS else ())]

    def retire(self, retention: Retention, now_ms: int) -> None:
        """Take away what is older than it must be kept."""
        with self._lock, self._transaction() as cursor:
            for measurement, kept in MEASUREMENTS.items():
                if (before_ms := kept.before_ms(retention, now_ms)) is not None:
                    tables = (_table(measurement), *(["said"] if measurement in WITH_TEXTS else []))
                    for table in tables:
                        cursor.execute(f"DELETE FROM {table} WHERE at_ms < ?", [before_ms])

    def close(self) -> None:
        """Write everything into the file and let go of it."""
        with self._lock, suppress(duckdb.Error):
            self._connection.close()

    def _enter(self, cursor: DuckDBPyConnection, fresh: Mapping[DerivedSeries, int]) -> None:
        if fresh:
            columns: Columns = {
                "id": np.array(list(fresh.values()), np.int32),
                "measurement": np.array([one.measurement for one in fresh], np.object_),
                "field": np.array([one.field for one in fresh], np.object_),
                "tags": np.array([msgspec.json.encode(one.tags).decode() for one in fresh], np.object_),
            }
            insert(cursor, "series", columns)

    def _replace(
        self, cursor: DuckDBPyConnection, table: str, column: str, rows: Rows[Any], fresh: Mapping[DerivedSeries, int]
    ) -> None:
        if not rows:
            return
        ids = [fresh[one] if one in fresh else self._book.number(one) for one, _ in rows]
        times = np.array([at_ms for _, at_ms in rows], np.int64)
        keys: Columns = {"series": np.array(ids, np.int32), "at_ms": times}
        cursor.register("renewed", keys)
        same = f"{table}.series = renewed.series AND {table}.at_ms = renewed.at_ms"
        span = [int(times.min()), int(times.max())]
        cursor.execute(f"DELETE FROM {table} USING renewed WHERE {same} AND {table}.at_ms BETWEEN ? AND ?", span)
        cursor.unregister("renewed")
        kind = np.float64 if column == "value" else np.object_
        insert(cursor, table, {**keys, column: np.array(list(rows.values()), kind)})

    @contextmanager
    def _transaction(self) -> Iterator[DuckDBPyConnection]:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute("BEGIN")
                yield cursor
                cursor.execute("COMMIT")
        except duckdb.Error as error:
            raise StoreError(f"{self._path}: {error}") from error


_SELECT = """
SELECT series, at_ms, {column} FROM {table}
WHERE at_ms >= ? AND at_ms < ? AND series IN (SELECT unnest(?::INTEGER[])) ORDER BY series, at_ms
"""


def _within(admits: Admits, where: Tags) -> Admits:
    return lambda tags: dict(where).items() <= tags.items() and admits(tags)


def _table(measurement: str) -> str:
    return f"point_{measurement}"


def _numbers(
    cursor: DuckDBPyConnection, table: str, known: Mapping[int, DerivedSeries], bounds: list[Any]
) -> Iterator[DerivedColumn]:
    found = fetch(cursor, _SELECT.format(column="value", table=table), bounds)
    series = found["series"]
    starts = np.flatnonzero(np.diff(series, prepend=-1)).tolist()
    for start, stop in pairwise([*starts, len(series)]):
        own = known[int(series[start])]
        yield DerivedColumn(own.tags, own.field, found["at_ms"][start:stop], found["value"][start:stop])


def _texts(
    cursor: DuckDBPyConnection, known: Mapping[int, DerivedSeries], bounds: list[Any]
) -> Iterator[DerivedColumn]:
    rows = cursor.execute(_SELECT.format(column="text", table="said"), bounds).fetchall()
    for number, group in groupby(rows, key=lambda row: int(row[0])):
        _, times, texts = zip(*group, strict=True)
        yield column_of(known[number].tags, known[number].field, times, texts)
