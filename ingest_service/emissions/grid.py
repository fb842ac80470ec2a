"""Lays minute means out as (row, minute of the hour), a row per (series, hour)."""

from enum import Enum, unique
from functools import cached_property

import numpy as np

from edge_agent.wire.durations import MINUTE_MS
from ingest_service.columns import Bools, Float64s, Int64s
from ingest_service.emissions.columns import MINUTES, MeanColumns
from ingest_service.emissions.limits import Signal

NO_SERIES = -1  # a furnace that has no channel of a quantity


@unique
class Column(Enum):
    """Which figure of a minute stands for it."""

    MEAN = "mean"
    LOW = "low"
    HIGH = "high"


class MinuteTable:
    """Minute means, sorted by (series, start), that are laid out again and again."""

    def __init__(self, means: MeanColumns) -> None:
        self._means = means

    @cached_property
    def _keys(self) -> Int64s:
        """Series and minute in one number, rising."""
        return (self._means.series.astype(np.int64) << 32) + self._means.start_ms // MINUTE_MS

    def signal(self, series: Int64s, start_ms: Int64s, covered_share: float, column: Column = Column.MEAN) -> Signal:
        """The minutes of one series (or NO_SERIES) and hour a row; a minute is valid from that covered share on."""
        at, cell = self._found(series, start_ms)
        valid = self._means.covered[at] >= np.float32(covered_share)
        values = self._column(column)[at]
        return Signal(_filled(cell, np.where(valid, values, np.nan), len(series)), np.asarray(series != NO_SERIES))

    def excluded(self, phase_series: Int64s, start_ms: Int64s, codes: frozenset[int]) -> Bools:
        """Minutes (rows, 60) in which the phase code was in `codes` from beginning to end.

        A minute in which the phase is unknown, or in which it was also another one, is not excluded: what is not known
        to be idle is judged.
        """
        at, cell = self._found(phase_series, start_ms)
        wanted = np.array(sorted(codes), np.float64)
        found: Bools = np.zeros(len(phase_series) * MINUTES, np.bool_)
        found[cell] = np.isin(self._means.low[at], wanted) & np.isin(self._means.high[at], wanted)
        return found.reshape(-1, MINUTES)

    def _found(self, series: Int64s, start_ms: Int64s) -> tuple[Int64s, Int64s]:
        """The means that belong to the rows, and the flat cell (row * 60 + minute) of each."""
        keys = (series << 32) + start_ms // MINUTE_MS
        begin, end = np.searchsorted(self._keys, keys), np.searchsorted(self._keys, keys + MINUTES)
        count = np.where(series == NO_SERIES, 0, end - begin)
        row = np.repeat(np.arange(len(keys)), count)
        at = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(begin, count)
        return at, row * MINUTES + (self._means.start_ms[at] - start_ms[row]) // MINUTE_MS

    def _column(self, column: Column) -> Float64s:
        match column:
            case Column.MEAN:
                return self._means.mean
            case Column.LOW:
                return self._means.low
            case Column.HIGH:
                return self._means.high


def _filled(cell: Int64s, values: Float64s, rows: int) -> Float64s:
    grid = np.full(rows * MINUTES, np.nan)
    grid[cell] = values
    return grid.reshape(-1, MINUTES)
