"""Hours whose minutes have means that their own mean does not know yet, and when it is time to bring it up to date."""

import numpy as np
from numpy.typing import NDArray

from edge_agent.wire.durations import HOUR_MS

HOURS_EVERY_MS = 600_000  # so long the mean of the running hour may be behind its minutes

Sources = NDArray[np.int32]


class DueHours:
    """Sources by hour (counted since 1970 UTC)."""

    def __init__(self) -> None:
        self._sources: dict[int, Sources] = {}
        self._renewed_ms = 0

    def add(self, hour: int, sources: Sources) -> None:
        """Minutes of these sources in that hour have new means."""
        known = self._sources.get(hour)
        self._sources[hour] = sources if known is None else np.union1d(known, sources)

    def take_due(self, before_ms: int) -> list[tuple[int, Sources]]:
        """Hours that ended by `before_ms`, and now and then those that run; they count as done."""
        now_and_then = before_ms - self._renewed_ms >= HOURS_EVERY_MS
        if now_and_then:
            self._renewed_ms = before_ms
        due = [hour for hour in self._sources if now_and_then or (hour + 1) * HOUR_MS <= before_ms]
        return [(hour, self._sources.pop(hour)) for hour in sorted(due)]
