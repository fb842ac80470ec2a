"""Writes samples or means of chosen series to a file that others read: Parquet, or CSV for a spreadsheet.

The file appears under its name when it is whole. A CSV begins with a byte order mark, so that spreadsheets read it as
UTF-8; its times are those of the zone, with their offset.
"""

import csv
import fnmatch
import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import msgspec
import numpy as np

from edge_agent.wire.durations import DAY_MS, HOUR_MS, MINUTE_MS
from edge_agent.wire.sample import Reason
from ingest_service.errors import StoreError
from ingest_service.store.copying import chunks
from ingest_service.store.overview import KnownSeries
from ingest_service.store.timeseries import TimeSeriesStore

Columns = dict[str, np.ndarray[Any, Any]]


class Form(StrEnum):
    """The kind of file."""

    CSV = "csv"
    PARQUET = "parquet"


class Content(StrEnum):
    """What of the series."""

    RAW = "raw"
    MINUTE = "minute"
    HOUR = "hour"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to write: these series in `[from_ms, to_ms)`."""

    series: Sequence[KnownSeries]
    from_ms: int
    to_ms: int
    content: Content = Content.RAW
    zone: str = "Asia/Shanghai"


def chosen(series: Sequence[KnownSeries], patterns: Sequence[str]) -> list[KnownSeries]:
    """The series that a pattern names: an id, or home/device/channel with * for anything. All where there is none."""
    if not patterns:
        return list(series)
    return [row for row in series if any(_is_meant(row, pattern) for pattern in patterns)]


def export(store: TimeSeriesStore, order: Order, form: Form, path: Path) -> int:
    """Write the file; returns the number of rows. Raises StoreError."""
    unfinished = path.with_name(path.name + ".unfinished")
    try:
        write = _write_csv if form is Form.CSV else _write_parquet
        rows = write(store, order, unfinished)
        unfinished.replace(path)
    except (OSError, duckdb.Error) as error:
        raise StoreError(f"{path} cannot be written: {error}") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return rows


def _write_csv(store: TimeSeriesStore, order: Order, path: Path) -> int:
    names, zone, count = {row.id: row for row in order.series}, ZoneInfo(order.zone), 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        figures = ("value", "reason") if order.content is Content.RAW else ("mean", "low", "high", "covered")
        writer.writerow(["time", "home", "device", "channel", "name", "unit", *figures])
        for columns in _parts(store, order):
            for series, at_ms, *values in zip(*(column.tolist() for column in columns.values()), strict=True):
                row = names[series]
                at = datetime.fromtimestamp(at_ms / 1000, zone).isoformat(timespec="milliseconds")
                texts = [_text(name, value) for name, value in zip(figures, values, strict=True)]
                writer.writerow([at, *map(_harmless, _names(row)), *texts])
                count += 1
    return count


def _write_parquet(store: TimeSeriesStore, order: Order, path: Path) -> int:
    """Gathered in a database file beside it, so that a year needs no memory."""
    gathered = path.with_name(path.name + ".duckdb")
    gathered.unlink(missing_ok=True)
    try:
        with duckdb.connect(str(gathered)) as connection:
            rows = [(row.id, *_names(row)) for row in order.series]
            connection.execute(
                "CREATE TABLE channel (series INTEGER, home VARCHAR, device VARCHAR, channel VARCHAR, "
                "name VARCHAR, unit VARCHAR)"
            )
            connection.executemany("INSERT INTO channel VALUES (?, ?, ?, ?, ?, ?)", rows)
            count = _gather(connection, store, order)
            target = str(path).replace("'", "''")
            connection.execute(
                f"COPY (SELECT channel.*, gathered.* EXCLUDE series FROM gathered JOIN channel USING (series)) "
                f"TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
            )
            return count
    finally:
        gathered.unlink(missing_ok=True)


def _gather(connection: duckdb.DuckDBPyConnection, store: TimeSeriesStore, order: Order) -> int:
    count = 0
    types = "value DOUBLE, reason UTINYINT"
    if order.content is not Content.RAW:
        types = "mean DOUBLE, low DOUBLE, high DOUBLE, covered FLOAT"
    connection.execute(f"CREATE TABLE gathered (series INTEGER, time_ms BIGINT, {types})")
    for columns in _parts(store, order):
        connection.register("part", {name: np.ascontiguousarray(column) for name, column in columns.items()})
        connection.execute("INSERT INTO gathered SELECT * FROM part")
        connection.unregister("part")
        count += len(columns["series"])
    return count


def _parts(store: TimeSeriesStore, order: Order) -> Iterator[Columns]:
    """The rows in parts that fit into memory: an hour of raw samples, or a day of means, of some series."""
    step_ms = HOUR_MS if order.content is Content.RAW else DAY_MS
    series = sorted(row.id for row in order.series)
    for start_ms in range(order.from_ms, order.to_ms, step_ms):
        for chunk in chunks(series):
            columns = _columns(store, order.content, chunk, start_ms, min(start_ms + step_ms, order.to_ms))
            if len(columns["series"]):
                yield columns


def _columns(store: TimeSeriesStore, content: Content, series: Sequence[int], from_ms: int, to_ms: int) -> Columns:
    if content is Content.RAW:
        batch = store.raw(series, from_ms, to_ms)
        return {"series": batch.series, "time_ms": batch.measured_at_ms, "value": batch.value, "reason": batch.reason}
    means = store.means(MINUTE_MS if content is Content.MINUTE else HOUR_MS, series, from_ms, to_ms)
    rest: Columns = {"mean": means.mean, "low": means.low, "high": means.high, "covered": means.covered}
    return {"series": means.series, "time_ms": means.start_ms, **rest}


def _names(row: KnownSeries) -> tuple[str, str, str, str, str]:
    return row.home_id, row.device, row.channel, row.name_zh or row.name_en or row.channel, row.unit


def _text(figure: str, value: float) -> str:
    """A reason by its word, a number as it is, nothing where there is no value."""
    if figure == "reason":
        return Reason(int(value)).label if value in set(Reason) else str(value)
    return "" if math.isnan(value) else repr(value)


def _harmless(text: str) -> str:
    """A name that a spreadsheet does not take for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _is_meant(row: KnownSeries, pattern: str) -> bool:
    return pattern == str(row.id) or fnmatch.fnmatchcase(f"{row.home_id}/{row.device}/{row.channel}", pattern)
