"""Which times of one set of tags hold a condition."""

import operator
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest_service.influxql.syntax import Both, Condition, Either, FieldTest, admits

Points = tuple[NDArray[np.int64], NDArray[Any]]  # times (ms) and values
_COMPARE = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def held_at(
    condition: Condition, tags: Mapping[str, str], fields: Mapping[str, Points], grid: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """For each time of the grid (ascending) whether the condition holds there; a field without a value holds none."""
    match condition:
        case FieldTest():
            return _compared(condition, fields.get(condition.field), grid)
        case Both(parts):
            parted = [held_at(part, tags, fields, grid) for part in parts]
            return np.asarray(np.logical_and.reduce(parted)) if parted else np.ones(len(grid), np.bool_)
        case Either(parts):
            return np.asarray(np.logical_or.reduce([held_at(part, tags, fields, grid) for part in parts]))
        case _:
            return np.full(len(grid), admits(condition, tags))


def _compared(test: FieldTest, points: Points | None, grid: NDArray[np.int64]) -> NDArray[np.bool_]:
    held = np.zeros(len(grid), np.bool_)
    if points is not None and points[1].dtype.kind == "f":
        at_ms, value = points
        held[np.searchsorted(grid, at_ms)] = _COMPARE[test.sign](value, test.number)
    return held
