"""What every series shows now: its newest live sample, when that came, and whether its source has gone silent."""

import threading
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_agent.wire.sample import Reason
from ingest_service.columns import Bytes, Float64s, Int32s, Int64s
from ingest_service.store.batch import SampleBatch
from ingest_service.store.newest import NewestSamples, grown

AHEAD_MS = 5_000  # an edge's clock that is ahead by more is wrong


class LiveRows(msgspec.Struct, frozen=True):
    """The newest samples as parallel columns, at most one row a series.

    `received_at_ms` is the centre's time of arrival, 0 where the sample was loaded from the store. `reason` is STALE
    while the source is dead; `value` then still is the last one. `version` is the table's when the row last changed.
    """

    series: Int32s
    measured_at_ms: Int64s
    value: Float64s
    reason: Bytes
    received_at_ms: Int64s
    version: Int64s

    def __len__(self) -> int:
        return len(self.series)


class LiveTable:
    """Newest samples by series id. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest = NewestSamples()
        self._received_at_ms = np.zeros(0, np.int64)
        self._changed = np.zeros(0, np.int64)
        self._stale = np.zeros(0, np.bool_)
        self._version = 0

    @property
    def version(self) -> int:
        """Rises with every change; a reader that saw it asks for what changed since."""
        return self._version

    def load(self, batch: SampleBatch) -> None:
        """Start from what the store holds; these rows count as received at 0."""
        self.update(batch, 0)

    def update(self, batch: SampleBatch, received_at_ms: int) -> None:
        """Take over what is not older than the present samples; their series are no longer stale.

        A present sample from the future, sent while its edge's clock was wrong, gives way to one that is not.
        """
        with self._lock:
            self._forget_future(batch, received_at_ms + AHEAD_MS)
            renewed = self._newest.absorb(batch)
            if not len(renewed):
                return
            self._touch(renewed)
            self._received_at_ms[renewed] = received_at_ms
            self._stale[renewed] = False

    def mark_stale(self, series: Int32s) -> None:
        """The source of these series is dead: they keep their value but are not live any more."""
        with self._lock:
            if len(series):
                self._touch(series)
                self._stale[series] = True

    def rows(self, series: Sequence[int] | Int32s | None = None) -> LiveRows:
        """The rows of these series (of all, where None) that have a sample, in the order asked for."""
        with self._lock:
            return self._rows(self._newest.known() if series is None else np.asarray(series, np.int32))

    def newest_ms(self, series: Int32s) -> int | None:
        """When the newest sample of these series was measured; None where there is none."""
        with self._lock:
            return self._newest.newest_ms(series)

    def changed_since(self, version: int, series: Sequence[int] | Int32s | None = None) -> LiveRows:
        """Those rows that changed after the table had that version."""
        with self._lock:
            asked = self._newest.known() if series is None else np.asarray(series, np.int32)
            inside = asked[(asked >= 0) & (asked < len(self._changed))]
            return self._rows(inside[self._changed[inside] > version])

    def _forget_future(self, batch: SampleBatch, limit_ms: int) -> None:
        newest_ms = self._newest.newest_ms()
        if newest_ms is not None and newest_ms > limit_ms > AHEAD_MS:
            self._newest.forget_later(batch.series[batch.measured_at_ms <= limit_ms], limit_ms)

    def _rows(self, asked: Int32s) -> LiveRows:
        found = self._newest.of(asked)
        at = found.series
        reason = np.where(self._stale[at], np.uint8(Reason.STALE), found.reason)
        return LiveRows(at, found.measured_at_ms, found.value, reason, self._received_at_ms[at], self._changed[at])

    def _touch(self, series: Int32s) -> None:
        highest = int(series.max())
        if highest >= len(self._changed):
            size = max(1024, 2 ** (highest + 1).bit_length())
            self._received_at_ms = _longer(self._received_at_ms, size)
            self._changed = _longer(self._changed, size)
            self._stale = _longer(self._stale, size)
        self._version += 1
        self._changed[series] = self._version


def _longer(column: NDArray[Any], size: int) -> NDArray[Any]:
    return grown(column, size, 0)
