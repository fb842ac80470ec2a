"""Derived series beside the embedded store: a DuckDB file with numbers by series, as samples are, and texts apart."""

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import duckdb
import msgspec
import numpy as np
from duckdb import DuckDBPyConnection

from ingest_service.config import Retention
from ingest_service.errors import StoreError
from ingest_service.store.derived.point import MEASUREMENTS, Admits, DerivedColumn, Point, Tags, column_of
from ingest_service.store.embedded.database import Columns, fetch, insert

FILE = "derived.duckdb"
_MEMORY_MB = 512
_TABLES = """
CREATE TABLE IF NOT EXISTS series (
    id INTEGER NOT NULL, measurement VARCHAR NOT NULL, field VARCHAR NOT NULL, tags VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS point (series INTEGER NOT NULL, at_ms BIGINT NOT NULL, value DOUBLE NOT NULL);
CREATE TABLE IF NOT EXISTS said (series INTEGER NOT NULL, at_ms BIGINT NOT NULL, text VARCHAR NOT NULL);
"""


class DerivedSeries(msgspec.Struct, frozen=True):
    """What tells one column from all others."""

    measurement: str
    field: str
    tags: Tags


Row = tuple[DerivedSeries, int]  # and time, ms
Value = TypeVar("Value", float, str)


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
            cursor.execute(_TABLES)
            rows = cursor.execute("SELECT id, measurement, field, tags FROM series").fetchall()
        self._id_of = {DerivedSeries(what, field, _tags(text)): one for one, what, field, text in rows}

    def write(self, points: Sequence[Point]) -> None:
        """Put each in the place of what there is of its measurement, tags and time, field by field."""
        numbers = {(DerivedSeries(one.measurement, name, one.tags), one.at_ms): value
                   for one in points for name, value in one.fields}  # fmt: skip
        texts = {(DerivedSeries(one.measurement, name, one.tags), one.at_ms): text
                 for one in points for name, text in one.texts}  # fmt: skip
        with self._lock:
            fresh = self._new({series for series, _ in (*numbers, *texts)})
            with self._transaction() as cursor:
                self._enter(cursor, fresh)
                ids = self._id_of | fresh
                self._replace(cursor, "point", "value", _numbered(ids, numbers))
                self._replace(cursor, "said", "text", _numbered(ids, texts))
            self._id_of |= fresh

    def read(
        self, measurement: str, admits: Admits, from_ms: int, to_ms: int, fields: Collection[str] | None = None
    ) -> list[DerivedColumn]:
        """The columns of these fields (all, where None) in `from_ms <= time < to_ms` whose tags are admitted."""
        with self._lock:
            own = [pair for pair in self._id_of.items() if pair[0].measurement == measurement]
        known = {one: series for series, one in own if fields is None or series.field in fields}
        allowed = {tags for tags in {series.tags for series in known.values()} if admits(dict(tags))}
        ids = [one for one, series in known.items() if series.tags in allowed]
        with self._transaction() as cursor:
            return [*self._numbers(cursor, known, ids, from_ms, to_ms), *_texts(cursor, known, ids, from_ms, to_ms)]

    def retire(self, retention: Retention, now_ms: int) -> None:
        """Take away what is older than it must be kept."""
        with self._lock, self._transaction() as cursor:
            for measurement, kept in MEASUREMENTS.items():
                if (before_ms := kept.before_ms(retention, now_ms)) is not None:
                    for table in ("point", "said"):
                        own = "series IN (SELECT id FROM series WHERE measurement = ?)"
                        cursor.execute(f"DELETE FROM {table} WHERE at_ms < ? AND {own}", [before_ms, measurement])

    def close(self) -> None:
        """Write everything into the file and let go of it."""
        with self._lock, suppress(duckdb.Error):
            self._connection.close()

    def _new(self, wanted: set[DerivedSeries]) -> dict[DerivedSeries, int]:
        new = sorted((one for one in wanted if one not in self._id_of), key=msgspec.structs.astuple)
        return {series: at for at, series in enumerate(new, max(self._id_of.values(), default=0) + 1)}

    def _enter(self, cursor: DuckDBPyConnection, fresh: Mapping[DerivedSeries, int]) -> None:
        texts = {
            "measurement": [one.measurement for one in fresh],
            "field": [one.field for one in fresh],
            "tags": [msgspec.json.encode(one.tags).decode() for one in fresh],
        }
        columns = {name: np.array(words, np.object_) for name, words in texts.items()}
        insert(cursor, "series", {"id": np.array(list(fresh.values()), np.int32), **columns})

    def _replace(
        self, cursor: DuckDBPyConnection, table: str, column: str, rows: Mapping[tuple[int, int], float | str]
    ) -> None:
        if not rows:
            return
        times = np.array([at_ms for _, at_ms in rows], np.int64)
        keys: Columns = {"series": np.array([series for series, _ in rows], np.int32), "at_ms": times}
        cursor.register("renewed", keys)
        same = f"{table}.series = renewed.series AND {table}.at_ms = renewed.at_ms"
        span = [int(times.min()), int(times.max())]
        cursor.execute(f"DELETE FROM {table} USING renewed WHERE {same} AND {table}.at_ms BETWEEN ? AND ?", span)
        cursor.unregister("renewed")
        kind = np.float64 if column == "value" else np.object_
        insert(cursor, table, {**keys, column: np.array(list(rows.values()), kind)})

    def _numbers(
        self, cursor: DuckDBPyConnection, known: Mapping[int, DerivedSeries], ids: list[int], from_ms: int, to_ms: int
    ) -> Iterator[DerivedColumn]:
        found = fetch(cursor, _SELECT.format(column="value", table="point"), [from_ms, to_ms, ids])
        series = found["series"]
        starts = np.flatnonzero(np.diff(series, prepend=-1)).tolist()
        for start, stop in pairwise([*starts, len(series)]):
            own = known[int(series[start])]
            yield DerivedColumn(own.tags, own.field, found["at_ms"][start:stop], found["value"][start:stop])

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


def _texts(
    cursor: DuckDBPyConnection, known: Mapping[int, DerivedSeries], ids: list[int], from_ms: int, to_ms: int
) -> Iterator[DerivedColumn]:
    rows = cursor.execute(_SELECT.format(column="text", table="said"), [from_ms, to_ms, ids]).fetchall()
    by_series: dict[int, list[tuple[int, str]]] = {}
    for series, at_ms, text in rows:
        by_series.setdefault(series, []).append((at_ms, text))
    for series, own in by_series.items():
        times, texts = zip(*own, strict=True)
        yield column_of(known[series].tags, known[series].field, times, texts)


def _numbered(ids: Mapping[DerivedSeries, int], rows: Mapping[Row, Value]) -> dict[tuple[int, int], Value]:
    return {(ids[series], at_ms): value for (series, at_ms), value in rows.items()}


def _tags(text: str) -> Tags:
    return msgspec.json.decode(text, type=Tags)
