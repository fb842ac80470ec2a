"""Stuck value: an analyser whose samples are all equal for too long while its furnace burns. Pure."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ingest_service.anomaly.window import NOT_BURNING, Findings, Int64s, Presence, Window

NAME = "stuck"
Number = TypeVar("Number", np.int64, np.float64)

# How long a quantity may stand still while the furnace burns, in seconds. Gas analysers never do; what is not here may:
# states, setpoints, totals, and slow or coarse readings. An analyser at or below zero is at the end of its range, where
# standing still is honest.
STUCK_AFTER_S: dict[str, float] = {
    "flue_o2": 60.0,
    "co": 60.0,
    "so2": 60.0,
    "nox": 60.0,
    "hcl": 60.0,
    "dust": 60.0,
}

FEWEST_SAMPLES = 4  # of the standing value: fewer say nothing about the analyser
LONGEST_SILENCE_MS = 30_000  # a series that has sent nothing for so long is not stuck but missing


def detect(window: Window) -> Findings:
    """Every series: stuck for `score` s, moving, or unknown (not burning, bad, silent, or too few samples)."""
    first, last = _bounds(window)
    begin = _run_begin(window, first, last)
    since_ms = np.maximum(_at(window.measured_at_ms, begin), window.burning_since_ms)
    newest_ms = _at(window.measured_at_ms, last)
    value = np.where(last >= first, _at(window.value, last), np.nan)
    burning = window.burning_since_ms != NOT_BURNING
    watched = (window.stuck_after_ms > 0) & (last >= first) & np.isfinite(value)
    fresh = window.now_ms - newest_ms <= LONGEST_SILENCE_MS
    stood_ms = np.where(burning, newest_ms - np.where(burning, since_ms, 0), 0)
    stands = (stood_ms >= window.stuck_after_ms) & (last - begin + 1 >= FEWEST_SAMPLES) & (value > 0)
    presence = np.select(
        [~watched | ~fresh, stands & burning, begin > first],
        [int(Presence.UNKNOWN), int(Presence.ANOMALOUS), int(Presence.NORMAL)],
        int(Presence.UNKNOWN),
    )
    score = np.where(stands, stood_ms / 1000.0, 0.0)
    return Findings(NAME, presence, since_ms, score, window.stuck_after_ms / 1000.0, value)


def _bounds(window: Window) -> tuple[Int64s, Int64s]:
    """First and last row of each series; last < first where it has none."""
    first = np.searchsorted(window.sample_series, window.series, side="left")
    last = np.searchsorted(window.sample_series, window.series, side="right") - 1
    return first.astype(np.int64), last.astype(np.int64)


def _run_begin(window: Window, first: Int64s, last: Int64s) -> Int64s:
    """The row where each series' newest run of equal values begins."""
    if not len(window.value):
        return first
    new = np.ones(len(window.value), np.bool_)
    new[1:] = (window.sample_series[1:] != window.sample_series[:-1]) | (window.value[1:] != window.value[:-1])
    begins = np.maximum.accumulate(np.where(new, np.arange(len(new)), 0))
    return np.where(last >= first, begins[np.maximum(last, 0)], first)


def _at(column: NDArray[Number], rows: Int64s) -> NDArray[Number]:
    """The column at those rows; whatever stands nearest where the series has none."""
    return column[np.clip(rows, 0, len(column) - 1)] if len(column) else np.zeros(len(rows), column.dtype)
