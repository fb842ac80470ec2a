"""Unusual: minute means outside what is expected of this furnace in this phase, several in a row. Pure."""

import numpy as np

from ingest_service.anomaly.baseline import WIDTH
from ingest_service.anomaly.window import FewMinutes, Findings, Presence, UnusualFindings

NAME = "unusual"
IN_A_ROW = 5  # minutes; one alone is a door or a gust
LONGEST_SILENCE = 3  # minutes without anything known, at the end: then nothing can be said


def detect(window: FewMinutes) -> Findings:
    """Every series: outside on one side for IN_A_ROW known minutes, inside for as many, or unknown."""
    if window.deviation.shape[1] < IN_A_ROW:
        raise ValueError(f"a window of fewer than {IN_A_ROW} minutes")
    newest = _newest_known(window)
    deviation = np.take_along_axis(window.deviation, newest, axis=1)
    beyond = np.where(np.abs(deviation) > WIDTH, np.sign(deviation), 0.0)
    known = np.isfinite(deviation).all(axis=1)
    known &= newest[:, -1] >= window.deviation.shape[1] - LONGEST_SILENCE
    outside = (beyond[:, 0] != 0) & (beyond == beyond[:, :1]).all(axis=1)
    inside = (beyond == 0).all(axis=1)
    presence = np.select(
        [~known, outside, inside],
        [int(Presence.UNKNOWN), int(Presence.ANOMALOUS), int(Presence.NORMAL)],
        int(Presence.UNKNOWN),
    )
    row, last = np.arange(len(presence)), newest[:, -1]
    return UnusualFindings(
        NAME,
        presence,
        since_ms=window.start_ms[newest[:, 0]],
        score=np.median(np.abs(deviation), axis=1),
        threshold=np.full(len(presence), WIDTH),
        value=window.value[row, last],
        low=window.low[row, last],
        high=window.high[row, last],
        cell=window.cell[row, last],
    )


def _newest_known(window: FewMinutes) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Per series the places of the newest IN_A_ROW minutes that are known, in order of time."""
    order = np.argsort(np.isfinite(window.deviation), axis=1, kind="stable")  # the known ones last
    return order[:, -IN_A_ROW:]
