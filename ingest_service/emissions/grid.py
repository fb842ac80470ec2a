"""Lays minute means out as (row, minute of the hour), a row per (series, hour)."""

import numpy as np

from ingest_service.emissions.columns import HOUR_MS, MINUTE_MS, MINUTES, Bools, Float64s, Int64s, MeanColumns
from ingest_service.emissions.limits import Signal
from ingest_service.emissions.vocabulary import Bound

NO_SERIES = -1  # a furnace that has no channel of a quantity


def signal(means: MeanColumns, series: Int64s, start_ms: Int64s, covered_share: float) -> Signal:
    """The minutes of one series (or NO_SERIES) and hour a row; a minute is valid from that covered share on."""
    valid = means.covered >= np.float32(covered_share)
    values = _laid_out(means, np.where(valid, means.mean, np.nan), series, start_ms)
    return Signal(values, np.asarray(series != NO_SERIES))


def worst(means: MeanColumns, series: Int64s, start_ms: Int64s, covered_share: float, bound: Bound) -> Signal:
    """As `signal`, but each minute by its lowest value where that must be at least the limit, else by its highest."""
    column = means.low if bound is Bound.AT_LEAST else means.high
    valid = means.covered >= np.float32(covered_share)
    return Signal(_laid_out(means, np.where(valid, column, np.nan), series, start_ms), np.asarray(series != NO_SERIES))


def excluded_minutes(means: MeanColumns, phase_series: Int64s, start_ms: Int64s, codes: frozenset[int]) -> Bools:
    """Minutes (rows, 60) in which the phase code was in `codes` from beginning to end.

    A minute in which the phase is unknown, or in which it was also another one, is not excluded: what is not known to
    be idle is judged.
    """
    wanted = np.array(sorted(codes), np.float64)
    low = _laid_out(means, means.low, phase_series, start_ms)
    high = _laid_out(means, means.high, phase_series, start_ms)
    return np.isin(low, wanted) & np.isin(high, wanted)


def _laid_out(means: MeanColumns, column: Float64s, series: Int64s, start_ms: Int64s) -> Float64s:
    grid = np.full((len(series), MINUTES), np.nan)
    keys = _keys(series, start_ms)
    order = np.argsort(keys, kind="stable")
    wanted = _keys(means.series.astype(np.int64), means.start_ms)
    at = np.searchsorted(keys[order], wanted)
    found = at < len(keys)
    found[found] = keys[order][at[found]] == wanted[found]
    minute = means.start_ms[found] % HOUR_MS // MINUTE_MS
    grid[order[at[found]], minute] = column[found]
    return grid


def _keys(series: Int64s, at_ms: Int64s) -> Int64s:
    """Series and hour in one number."""
    return (series << 32) + at_ms // HOUR_MS
