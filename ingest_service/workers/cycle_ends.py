"""Notices furnaces that may just have ended a cremation, from the newest minutes of the fleet."""

import numpy as np

from edge_agent.wire.durations import HOUR_MS, MINUTE_MS
from edge_agent.wire.quantity import PHASES
from ingest_service.store.channels import Channels
from ingest_service.store.timeseries import TimeSeriesStore
from ingest_service.workers.average import GRACE_MS
from ingest_service.workers.cycle_reading import read_table

_COOLING = next(code for code, name in PHASES.items() if name == "cooling")
_SIGNS = ("phase", "ash_door_open")
_LOOKS_AGAIN_MS = (2 * MINUTE_MS, 6 * MINUTE_MS, 21 * MINUTE_MS)  # after the last minute of raking: told, seen, resting
_LATE_MINUTES = 2


class CycleEnds:
    """When each furnace was last raked out, and when it is time to look whether its cremation is over.

    A furnace that shows neither a phase nor an ash door is found when its hour is over.
    """

    def __init__(self, store: TimeSeriesStore) -> None:
        self._store = store
        self._looked_ms: int | None = None
        self._raked_ms: dict[int, int] = {}
        self._due_ms: dict[int, list[int]] = {}

    def due(self, channels: Channels, now_ms: int) -> list[int]:
        """The furnaces to look at now, of those that have a channel. Raises StoreError."""
        until_ms = (now_ms - GRACE_MS) // MINUTE_MS * MINUTE_MS
        if until_ms != self._looked_ms:
            since_ms = until_ms - HOUR_MS if self._looked_ms is None else self._looked_ms - _LATE_MINUTES * MINUTE_MS
            self._notice(channels, min(since_ms, until_ms), until_ms)
            self._looked_ms = until_ms
        due = [furnace for furnace, times in self._due_ms.items() if times[0] <= now_ms]
        for furnace in due:
            self._due_ms[furnace] = [at_ms for at_ms in self._due_ms[furnace] if at_ms > now_ms]
        self._due_ms = {furnace: times for furnace, times in self._due_ms.items() if times}
        known = set(channels.furnaces.tolist())
        return [furnace for furnace in due if furnace in known]

    def settle(self, furnace_id: int, end_ms: int) -> None:
        """A cremation that ended then is found: no need to look for it again."""
        if end_ms >= self._raked_ms.get(furnace_id, end_ms + 1):
            self._due_ms.pop(furnace_id, None)

    def _notice(self, channels: Channels, from_ms: int, until_ms: int) -> None:
        furnaces = channels.furnaces
        if not len(furnaces) or until_ms <= from_ms:
            return
        high = read_table(self._store, channels, furnaces.tolist(), _SIGNS, from_ms, until_ms).high
        raking = (high[:, 0] == _COOLING) | (high[:, 1] > 0)
        for row in np.flatnonzero(raking.any(axis=1)).tolist():
            minute = int(np.flatnonzero(raking[row])[-1])
            raked_ms = from_ms + (minute + 1) * MINUTE_MS
            if raked_ms > self._raked_ms.get(int(furnaces[row]), 0):
                self._raked_ms[int(furnaces[row])] = raked_ms
                self._due_ms[int(furnaces[row])] = [raked_ms + after_ms for after_ms in _LOOKS_AGAIN_MS]
