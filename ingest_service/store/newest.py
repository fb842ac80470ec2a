"""The newest sample of each series in numpy columns, indexed by series id and grown by doubling."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest_service.columns import Int32s
from ingest_service.store.batch import SampleBatch

NEVER_MS = np.iinfo(np.int64).min
_FIRST_SIZE = 1024


class NewestSamples:
    """Not thread-safe: its owner holds a lock. Memory is 17 bytes a series id up to the highest one."""

    def __init__(self) -> None:
        self._measured_at_ms = np.full(_FIRST_SIZE, NEVER_MS, np.int64)
        self._value = np.full(_FIRST_SIZE, np.nan, np.float64)
        self._reason = np.zeros(_FIRST_SIZE, np.uint8)

    def absorb(self, batch: SampleBatch) -> Int32s:
        """Keep what is not older than the present sample of its series; return the series that were renewed."""
        if not len(batch):
            return np.empty(0, np.int32)
        self._grow_to(int(batch.series.max()))
        fresh = np.flatnonzero(batch.measured_at_ms >= self._measured_at_ms[batch.series])
        # Of equal indices numpy keeps the last assignment, so the order in time decides.
        order = fresh[np.argsort(batch.measured_at_ms[fresh], kind="stable")]
        series = batch.series[order]
        self._measured_at_ms[series] = batch.measured_at_ms[order]
        self._value[series] = batch.value[order]
        self._reason[series] = batch.reason[order]
        return series

    def forget_later(self, series: Int32s, limit_ms: int) -> None:
        """Of these series, a present sample from later than that counts as none."""
        inside = series[series < len(self._measured_at_ms)]
        self._measured_at_ms[inside[self._measured_at_ms[inside] > limit_ms]] = NEVER_MS

    def known(self) -> Int32s:
        """Every series that has a sample, ascending."""
        return np.flatnonzero(self._measured_at_ms != NEVER_MS).astype(np.int32)

    def of(self, series: Int32s) -> SampleBatch:
        """The newest samples of those of `series` that have one, in the order asked for."""
        inside = series[(series >= 0) & (series < len(self._measured_at_ms))]
        found = inside[self._measured_at_ms[inside] != NEVER_MS]
        return SampleBatch(found, self._measured_at_ms[found], self._value[found], self._reason[found])

    def newest_ms(self, series: Int32s | None = None) -> int | None:
        """The newest time of measurement of all or of these series, or None where there is no sample."""
        known = (
            self._measured_at_ms if series is None else self._measured_at_ms[series[series < len(self._measured_at_ms)]]
        )
        newest = int(known.max(initial=NEVER_MS))
        return None if newest == NEVER_MS else newest

    def _grow_to(self, highest: int) -> None:
        size = len(self._measured_at_ms)
        if highest < size:
            return
        while size <= highest:
            size *= 2
        self._measured_at_ms = grown(self._measured_at_ms, size, NEVER_MS)
        self._value = grown(self._value, size, np.nan)
        self._reason = grown(self._reason, size, 0)


def grown(column: NDArray[Any], size: int, fill: float) -> NDArray[Any]:
    """A longer copy of a column; the new entries hold `fill`."""
    longer = np.full(size, fill, column.dtype)
    longer[: len(column)] = column
    return longer
