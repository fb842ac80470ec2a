"""Which hours wait to be judged, and from when on. Pure: times are arguments."""

from collections.abc import Iterable

from edge_agent.wire.durations import HOUR_MS
from ingest_service.workers.average import FurnaceHour

SETTLE_MS = 10_000  # an hour is judged when no new mean of it has come for so long, so a backfill is judged once
SETTLE_AT_MOST_MS = 120_000  # a trickle cannot put it off for longer
OVERDUE_MS = 30_000  # after its end an hour is judged even when nothing came


class Backlog:
    """Ended hours that wait; each is handed out once it has settled."""

    def __init__(self) -> None:
        self._due_ms: dict[FurnaceHour, int] = {}
        self._latest_ms: dict[FurnaceHour, int] = {}

    def touch(self, hours: Iterable[FurnaceHour], now_ms: int) -> None:
        """New means of these hours came; those that have not ended are left to the clock."""
        for hour in hours:
            if hour.start_ms + HOUR_MS <= now_ms:
                latest_ms = self._latest_ms.setdefault(hour, now_ms + SETTLE_AT_MOST_MS)
                self._due_ms[hour] = min(now_ms + SETTLE_MS, latest_ms)

    def plan(self, hours: Iterable[FurnaceHour], due_ms: int) -> None:
        """These hours are judged at `due_ms`, unless they are waiting already."""
        for hour in hours:
            self._due_ms.setdefault(hour, due_ms)

    def take_due(self, now_ms: int) -> list[FurnaceHour]:
        """The hours that are due, oldest first; they wait no longer."""
        due = [hour for hour, due_ms in self._due_ms.items() if due_ms <= now_ms]
        for hour in due:
            del self._due_ms[hour]
            self._latest_ms.pop(hour, None)
        return sorted(due, key=lambda hour: (hour.start_ms, hour.furnace_id))

    def __len__(self) -> int:
        return len(self._due_ms)
