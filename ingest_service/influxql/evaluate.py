"""SELECT over columns: tables as InfluxDB answers them."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ingest_service.influxql.conditions import held_at
from ingest_service.influxql.syntax import FOR_EVER_MS, Item, Select, tested_fields
from ingest_service.influxql.windows import Cells, cells_of, whole

Tags = tuple[tuple[str, str], ...]


class Column(msgspec.Struct, frozen=True):
    """One field of one set of tags (sorted): times (ms, ascending) and values, numbers without NaN or texts."""

    tags: Tags
    field: str
    at_ms: NDArray[np.int64]
    value: NDArray[Any]


class Table(msgspec.Struct, frozen=True, omit_defaults=True):
    """One series of an answer; the first column is the time, ms."""

    name: str
    columns: Sequence[str]
    values: Sequence[Sequence[Any]] = ()
    tags: Mapping[str, str] | None = None


def wanted_fields(select: Select) -> frozenset[str]:
    """The fields that must be read for a statement (a name may be a tag's as well)."""
    return frozenset(item.name for item in select.items) | tested_fields(select.where)


def evaluate(select: Select, columns: Sequence[Column], now_ms: int) -> list[Table]:
    """The tables: one for each set of values of the tags that it is grouped by, sorted by them."""
    own = [column for column in _where(select, columns) if len(column.at_ms)]
    by = _grouping(select, own)

    def key(column: Column) -> tuple[str, ...]:
        tags = dict(column.tags)
        return tuple(tags.get(name, "") for name in by)

    tables = []
    for values, group in groupby(sorted(own, key=key), key=key):
        rows = list(group)
        made = _raw(select, rows) if select.items[0].function is None else _aggregated(select, rows, now_ms)
        if made:
            tags = dict(zip(by, values, strict=True)) if by else None
            headings = ["time", *_headings(select.items)]
            tables.append(Table(select.measurement, headings, _ordered(select, made), tags))
    return tables


def _headings(items: Sequence[Item]) -> list[str]:
    """The columns' names; of several that are the same, InfluxDB numbers those after the first."""
    found: list[str] = []
    for item in items:
        count = sum(name == item.heading or name.startswith(f"{item.heading}_") for name in found)
        found.append(f"{item.heading}_{count}" if item.heading in found else item.heading)
    return found


def _grouping(select: Select, columns: Sequence[Column]) -> tuple[str, ...]:
    if not select.every_tag:
        return tuple(sorted(set(select.by)))
    return tuple(sorted({name for column in columns for name, _ in column.tags}))


def _where(select: Select, columns: Sequence[Column]) -> Iterable[Column]:
    """The columns without what conditions on fields leave out."""
    if not tested_fields(select.where):
        return columns
    kept = []
    for tags, group in groupby(sorted(columns, key=lambda one: one.tags), key=lambda one: one.tags):
        own = list(group)
        grid = np.unique(np.concatenate([column.at_ms for column in own]))
        fields = {column.field: (column.at_ms, column.value) for column in own}
        times = grid[held_at(select.where, dict(tags), fields, grid)]
        for column in own:
            held = np.isin(column.at_ms, times)
            kept.append(msgspec.structs.replace(column, at_ms=column.at_ms[held], value=column.value[held]))
    return kept


def _raw(select: Select, columns: Sequence[Column]) -> list[list[Any]]:
    """The points of a group as they are, by time: a row for each set of tags and time that has a field asked for."""
    names = [item.name for item in select.items]
    rows: list[list[Any]] = []
    for tags, group in groupby(sorted(columns, key=lambda one: one.tags), key=lambda one: one.tags):
        of_tags = dict(tags)
        own = {column.field: column for column in group if column.field in names}
        if not own:
            continue
        grid = np.unique(np.concatenate([column.at_ms for column in own.values()]))
        parts = [_laid_out(own.get(name), of_tags.get(name), grid) for name in names]
        rows += [list(row) for row in zip(grid.tolist(), *parts, strict=True)]
    return sorted(rows, key=lambda row: row[0])


def _laid_out(column: Column | None, tag: str | None, grid: NDArray[np.int64]) -> list[Any]:
    if column is None:
        return [tag] * len(grid)
    found: list[Any] = [None] * len(grid)
    for at, value in zip(np.searchsorted(grid, column.at_ms).tolist(), column.value.tolist(), strict=True):
        found[at] = value
    return found


def _aggregated(select: Select, columns: Sequence[Column], now_ms: int) -> list[list[Any]]:
    to_ms = now_ms + 1 if select.span.to_ms == FOR_EVER_MS else select.span.to_ms
    parts = [[column for column in columns if column.field == item.name] for item in select.items]
    if not any(parts):
        return []
    joined = [_joined(part) for part in parts]
    if select.windows is None:
        return whole(select, joined)
    cells = Cells.of(select.windows, select.span.from_ms, to_ms, joined)
    return cells_of(select, cells, joined)


def _joined(columns: Sequence[Column]) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """The points of several columns, by time."""
    if not columns:
        return np.empty(0, np.int64), np.empty(0, np.float64)
    at_ms = np.concatenate([column.at_ms for column in columns])
    order = np.argsort(at_ms, kind="stable")
    return at_ms[order], np.concatenate([column.value for column in columns])[order]


def _ordered(select: Select, rows: list[list[Any]]) -> list[list[Any]]:
    turned = rows[::-1] if select.descending else rows
    return turned[: select.limit] if select.limit else turned
