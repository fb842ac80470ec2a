"""Stuck value: an analyser whose samples are all equal for too long while its furnace burns. Pure."""

import numpy as np

from ingest_service.anomaly.window import NOT_BURNING, Findings, Presence, Window

NAME = "stuck"

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
    runs = window.runs
    since_ms = np.maximum(runs.begin_ms, window.burning_since_ms)
    burning = window.burning_since_ms != NOT_BURNING
    watched = (window.stuck_after_ms > 0) & (runs.count > 0) & np.isfinite(runs.value)
    fresh = watched & (window.now_ms - np.where(watched, runs.last_ms, 0) <= LONGEST_SILENCE_MS)
    stood_ms = np.where(burning & watched, runs.last_ms - np.where(burning & watched, since_ms, 0), 0)
    stands = (stood_ms >= window.stuck_after_ms) & (runs.count >= FEWEST_SAMPLES) & (runs.value > 0)
    presence = np.select(
        [~fresh, stands & burning, runs.before_ms >= window.from_ms],
        [int(Presence.UNKNOWN), int(Presence.ANOMALOUS), int(Presence.NORMAL)],
        int(Presence.UNKNOWN),
    )
    score = np.where(stands, stood_ms / 1000.0, 0.0)
    return Findings(NAME, presence, since_ms, score, window.stuck_after_ms / 1000.0, runs.value)
