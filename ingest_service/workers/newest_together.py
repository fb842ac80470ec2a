"""Reads the newest samples of many furnaces at once. In the store they lie as they came, everybody's mixed up."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from edge_agent.wire.durations import MINUTE_MS
from ingest_service.store.batch import SampleBatch, some_rows

NEWEST_MS = 15 * MINUTE_MS  # the store has put older ones in order


class Samples(Protocol):
    """What samples are read from."""

    def raw(self, series: Sequence[int], from_ms: int, to_ms: int) -> SampleBatch:
        """The samples with `from_ms <= time < to_ms`, sorted by (series, time). Raises StoreError."""


class NewestTogether:
    """Samples of some series; those of `[since_ms, to_ms)` are read for all of them when the first are asked for."""

    def __init__(self, store: Samples, series: Sequence[int], since_ms: int, to_ms: int) -> None:
        self._store, self._series, self._since_ms, self._to_ms = store, series, since_ms, to_ms
        self._newest: SampleBatch | None = None

    def raw(self, series: Sequence[int], from_ms: int, to_ms: int) -> SampleBatch:
        """As the store has them; from `since_ms` on only of the series that were named. Raises StoreError."""
        if to_ms <= self._since_ms or to_ms > self._to_ms:
            return self._store.raw(series, from_ms, to_ms)
        newest = self._of(series, max(from_ms, self._since_ms), to_ms)
        if from_ms >= self._since_ms:
            return newest
        return one_after_another(self._store.raw(series, from_ms, self._since_ms), newest)

    def _of(self, series: Sequence[int], from_ms: int, to_ms: int) -> SampleBatch:
        if self._newest is None:
            self._newest = self._store.raw(self._series, self._since_ms, self._to_ms)
        newest = self._newest
        first, last = (np.searchsorted(newest.series, sorted(series), side=side) for side in ("left", "right"))
        rows = np.concatenate([np.arange(0), *map(np.arange, first.tolist(), last.tolist())])
        times = newest.measured_at_ms[rows]
        return some_rows(newest, rows[(times >= from_ms) & (times < to_ms)])


def one_after_another(before: SampleBatch, after: SampleBatch) -> SampleBatch:
    """Two parts that are sorted by (series, time), of which the second is later, as one that is."""
    whole = SampleBatch(
        np.concatenate([before.series, after.series]),
        np.concatenate([before.measured_at_ms, after.measured_at_ms]),
        np.concatenate([before.value, after.value]),
        np.concatenate([before.reason, after.reason]),
    )
    return some_rows(whole, np.argsort(whole.series, kind="stable"))
