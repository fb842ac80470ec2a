"""Aggregates of points, over everything or over windows of time."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ingest_service.influxql.syntax import Fill, Function, Item, Select, Windows
from ingest_service.influxql.tokens import NotUnderstood

MOST_WINDOWS = 100_000
Points = tuple[NDArray[np.int64], NDArray[Any]]  # times (ms, ascending) and values


class Cells(msgspec.Struct, frozen=True):
    """`count` windows of `windows.length_ms`, the first beginning at `first_ms`."""

    windows: Windows
    first_ms: int
    count: int

    @classmethod
    def of(cls, windows: Windows, from_ms: int, to_ms: int, points: Sequence[Points]) -> "Cells":
        """Those of a span; of one without a beginning, from the first point. Raises NotUnderstood for too many."""
        begin_ms = from_ms or min(int(at_ms[0]) for at_ms, _ in points if len(at_ms))
        first_ms = (begin_ms - windows.offset_ms) // windows.length_ms * windows.length_ms + windows.offset_ms
        count = max(0, -(-(to_ms - first_ms) // windows.length_ms))
        if count > MOST_WINDOWS:
            raise NotUnderstood(f"{count} windows of time; at most {MOST_WINDOWS} are answered: ask for longer ones")
        return cls(windows, first_ms, count)


def whole(select: Select, points: Sequence[Points]) -> list[list[Any]]:
    """One row over all points. A single selector tells the time of its point, anything else the span's beginning."""
    values = [_value(item.function, value) for item, (_, value) in zip(select.items, points, strict=True)]
    at_ms = select.span.from_ms
    function = select.items[0].function
    if len(select.items) == 1 and function is not None and function.is_selector:
        at_ms = int(points[0][0][_place(function, points[0][1])])
    return [[at_ms, *values]]


def cells_of(select: Select, cells: Cells, points: Sequence[Points]) -> list[list[Any]]:
    """A row a window, empty ones as the statement fills them."""
    columns = [_column(item, cells, *own) for item, own in zip(select.items, points, strict=True)]
    starts = range(cells.first_ms, cells.first_ms + cells.count * cells.windows.length_ms, cells.windows.length_ms)
    rows = [list(row) for row in zip(starts, *columns, strict=True)]
    if cells.windows.fill is Fill.NONE:
        return [row for row in rows if any(value is not None for value in row[1:])]
    return rows


def _column(item: Item, cells: Cells, at_ms: NDArray[np.int64], value: NDArray[Any]) -> list[Any]:
    column: list[Any] = [None] * cells.count
    window = (at_ms - cells.first_ms) // cells.windows.length_ms
    inside = (window >= 0) & (window < cells.count)
    window, value = window[inside], value[inside]
    if len(window):
        starts = np.flatnonzero(np.diff(window, prepend=-1))
        found = _reduced(item.function, value, starts)
        for at, one in zip(window[starts].tolist(), found.tolist(), strict=True):
            column[at] = one
    return _filled(item, cells.windows, column)


def _filled(item: Item, windows: Windows, column: list[Any]) -> list[Any]:
    if windows.fill is Fill.NULL:
        empty = 0 if item.function is Function.COUNT else None
        return [empty if value is None else value for value in column]
    if windows.fill is Fill.NUMBER:
        return [windows.number if value is None else value for value in column]
    if windows.fill is Fill.PREVIOUS:
        last = None
        for at, value in enumerate(column):
            last = column[at] = last if value is None else value
    return column


def _reduced(function: Function | None, value: NDArray[Any], starts: NDArray[np.int64]) -> NDArray[Any]:
    """The aggregate of each stretch of values that begins at `starts`."""
    ends = np.append(starts[1:], len(value))
    match function:
        case Function.COUNT:
            return np.asarray(ends - starts)
        case Function.FIRST:
            return np.asarray(value[starts])
        case Function.LAST:
            return np.asarray(value[ends - 1])
    _check_numbers(function, value)
    match function:
        case Function.MIN:
            return np.asarray(np.minimum.reduceat(value, starts))
        case Function.MAX:
            return np.asarray(np.maximum.reduceat(value, starts))
        case Function.SPREAD:
            return np.asarray(np.maximum.reduceat(value, starts) - np.minimum.reduceat(value, starts))
        case Function.SUM:
            return np.asarray(np.add.reduceat(value, starts))
        case _:
            return np.asarray(np.add.reduceat(value, starts) / (ends - starts))


def _value(function: Function | None, value: NDArray[Any]) -> Any:
    if not len(value):
        return None
    return _reduced(function, value, np.zeros(1, np.int64)).tolist()[0]


def _place(function: Function, value: NDArray[Any]) -> int:
    """Where the point is that a selector picks."""
    if function in (Function.FIRST, Function.LAST):
        return 0 if function is Function.FIRST else len(value) - 1
    _check_numbers(function, value)
    return int(np.argmin(value) if function is Function.MIN else np.argmax(value))


def _check_numbers(function: Function | None, value: NDArray[Any]) -> None:
    if value.dtype.kind == "O":
        raise NotUnderstood(f"{function}() of texts is not understood")
