"""Unusual: minute means outside what is expected of this furnace in this phase, several in a row. Pure."""

import numpy as np

from ingest_service.anomaly.baseline import WIDTH
from ingest_service.anomaly.window import FewMinutes, Findings, Presence, UnusualFindings
from ingest_service.columns import Bools, Float64s, Int64s

NAME = "unusual"
IN_A_ROW = 5  # minutes; one alone is a door or a gust
LONGEST_SILENCE = 3  # minutes without anything known, at the end: then nothing can be said


def detect(window: FewMinutes) -> Findings:
    """Every series: outside on one side for IN_A_ROW known minutes, inside for as many, or unknown."""
    minutes = window.deviation.shape[1]
    if minutes < IN_A_ROW:
        raise ValueError(f"a window of fewer than {IN_A_ROW} minutes")
    newest = _newest_known(window)
    deviation = np.take_along_axis(window.deviation, newest, axis=1)
    row, last = np.arange(len(newest)), newest[:, -1]
    return UnusualFindings(
        NAME,
        _presence(deviation, last >= minutes - LONGEST_SILENCE),
        since_ms=window.start_ms[newest[:, 0]],
        score=np.median(np.abs(deviation), axis=1),
        threshold=np.full(len(newest), WIDTH),
        value=window.value[row, last],
        low=window.low[row, last],
        high=window.high[row, last],
        cell=window.cell[row, last],
    )


def _presence(deviation: Float64s, recent: Bools) -> Int64s:
    """What (series, IN_A_ROW) deviations say where the newest of them is recent."""
    beyond = np.where(np.abs(deviation) > WIDTH, np.sign(deviation), 0.0)
    known = np.isfinite(deviation).all(axis=1) & recent
    outside = (beyond[:, 0] != 0) & (beyond == beyond[:, :1]).all(axis=1)
    found = np.where(outside, int(Presence.ANOMALOUS), int(Presence.UNKNOWN))
    found = np.where((beyond == 0).all(axis=1), int(Presence.NORMAL), found)
    return np.where(known, found, int(Presence.UNKNOWN))


def _newest_known(window: FewMinutes) -> Int64s:
    """Per series the places of the newest IN_A_ROW minutes that are known, in order of time."""
    order = np.argsort(np.isfinite(window.deviation), axis=1, kind="stable")  # the known ones last
    return order[:, -IN_A_ROW:]
