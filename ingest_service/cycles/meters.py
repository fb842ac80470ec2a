"""What meters say was used: from totalisers where there are any, else from what flows. Pure."""

import numpy as np

from edge_agent.wire.durations import HOUR_MS
from ingest_service.columns import Float64s
from ingest_service.cycles.signals import Signals


def used_so_far(signals: Signals, total: str, rate: str) -> Float64s | None:
    """What was used since the grid's start at the begin of each step, and at its end: a column one longer than it.

    `total` counts up, and from 0 again after a reset; `rate` is per hour. None where neither is known. As long as a
    meter is not known nothing is used; what it moved meanwhile is used when it is known again.
    """
    if signals.has(total):
        return _from_total(signals.of(total))
    if signals.has(rate):
        steps = np.nan_to_num(signals.of(rate)) * signals.step_ms / HOUR_MS
        return np.concatenate([[0.0], np.cumsum(steps)])
    return None


def used(so_far: Float64s | None, signals: Signals, from_ms: int, to_ms: int) -> float | None:
    """What was used in `[from_ms, to_ms)`; parts of a stretch add up to the whole of it."""
    if so_far is None:
        return None
    return float(so_far[signals.step(to_ms)] - so_far[signals.step(from_ms)])


def _from_total(total: Float64s) -> Float64s:
    known = np.flatnonzero(np.isfinite(total))
    readings = total[known]
    moved = np.diff(readings, prepend=readings[0])
    moved = np.where(moved < 0, readings, moved)  # a meter that was reset or replaced counts from 0
    so_far = np.zeros(len(total) + 1)
    so_far[known] = moved
    return np.asarray(np.cumsum(so_far))
