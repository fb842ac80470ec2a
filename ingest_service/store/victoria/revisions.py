"""Means that replace means on a server that replaces nothing: a newer one stands a millisecond after the one before.

A mean of a period is written at the period's start plus its revision, ms; of several the latest counts.
"""

from collections import OrderedDict

import numpy as np

from ingest_service.columns import Int32s, Int64s
from ingest_service.store.batch import MeanBatch

_REMEMBERED_S = 120.0
Period = tuple[int, int]  # series, start of the period, ms


class Revisions:
    """Remembers what was written a moment ago, which the server may not show yet."""

    def __init__(self) -> None:
        self._written: OrderedDict[Period, tuple[float, int]] = OrderedDict()

    def times(self, means: MeanBatch, period_ms: int, series: Int32s, at_ms: Int64s, now_s: float) -> Int64s:
        """When to write these means, where the server holds these series at these times already."""
        start_ms = at_ms // period_ms * period_ms
        known: dict[Period, int] = {}
        for one, start, at in zip(series.tolist(), start_ms.tolist(), at_ms.tolist(), strict=True):
            known[one, start] = max(known.get((one, start), -1), at - start)
        self._forget(now_s)
        found = [
            self._next((one, start), known, now_s)
            for one, start in zip(means.series.tolist(), means.start_ms.tolist(), strict=True)
        ]
        return means.start_ms + np.minimum(np.array(found, np.int64), period_ms - 1)

    def _next(self, period: Period, known: dict[Period, int], now_s: float) -> int:
        revision = max(known.get(period, -1), self._written.get(period, (0.0, -1))[1]) + 1
        self._written[period] = (now_s, revision)
        self._written.move_to_end(period)
        return revision

    def _forget(self, now_s: float) -> None:
        while self._written and next(iter(self._written.values()))[0] < now_s - _REMEMBERED_S:
            self._written.popitem(last=False)
