"""Watches how far the edges' clocks are off the centre's, with hysteresis. Of one thread."""

from collections.abc import Iterator

from ingest_service.alarms.facts import ClockFacts, Name
from ingest_service.alarms.lifecycle import Condition, Normal, Observation, Place
from ingest_service.intake.edge_view import EdgeView

BEYOND_MS = 5_000
WITHIN_MS = 3_000
LASTING_MS = 15_000  # a line that stalls for a moment makes every message late, and no clock wrong


def clock_key(edge: EdgeView) -> str:
    """One alarm an edge."""
    return f"clock_offset:{edge.home}:{edge.edge}"


class ClockWatch:
    """Alarms a clock that has been off by more than 5 s for 15 s; it is right again within 3 s."""

    def __init__(self) -> None:
        self._since_ms: dict[int, int] = {}  # by edge

    def look(self, edge: EdgeView, home: Name, now_ms: int) -> Iterator[Observation]:
        """What is to be said of the edge's clock; nothing between the two bounds, or where it is unknown."""
        offset_ms = edge.clock_offset_ms
        if offset_ms is None:
            return
        if abs(offset_ms) <= WITHIN_MS:
            self._since_ms.pop(edge.edge_id, None)
            yield Normal(clock_key(edge), now_ms)
        elif abs(offset_ms) > BEYOND_MS:
            since_ms = self._since_ms.setdefault(edge.edge_id, now_ms)
            if now_ms - since_ms >= LASTING_MS:
                facts = ClockFacts(home, edge.edge, offset_ms / 1000, BEYOND_MS / 1000, WITHIN_MS / 1000, since_ms)
                yield Condition(clock_key(edge), Place(edge.home), facts, since_ms)
