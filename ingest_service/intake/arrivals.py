"""What came over MQTT and waits for the ingest worker: bounded, and what does not fit is counted, not kept."""

import threading
from collections import deque

import msgspec

from edge_agent.wire.topic import MessageType

Edge = tuple[str, str]  # home, edge

_BIRTH, _BIRTH_COUNTS_FOR = "BIRTH/", 20
_OVERHEAD = 200  # bytes that an arrival takes beside its payload


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """One message: topic and payload as they came, and when (ms since 1970 UTC, centre's clock)."""

    topic: str
    payload: bytes
    received_at_ms: int


class ArrivalQueue:
    """Any thread puts, one takes. What does not fit is no loss: its edge sends again what is not acknowledged.

    An edge of which something did not fit is shut out until it is born again, for nothing that it says can be
    understood before; so a flood costs few edges their turn instead of all of them a message.
    """

    def __init__(self, max_bytes: int = 192 * 1024 * 1024) -> None:
        self._max_bytes = max_bytes
        self._waiting: deque[Arrival] = deque()
        self._bytes = 0
        self._dropped = 0
        self._shut_out: set[Edge] = set()
        self._interruptions = 0
        self._changed = threading.Condition()

    def put(self, *arrivals: Arrival) -> None:
        """Queue them, or drop and count those for which there is no room."""
        with self._changed:
            for arrival in arrivals:
                size = len(arrival.payload) + _OVERHEAD
                if not self._admits(arrival, size):
                    self._dropped += 1
                    continue
                self._bytes += size
                self._waiting.append(arrival)
            self._changed.notify()

    def interrupt(self) -> None:
        """The connection was lost: what edges say from here on until the next message is never heard."""
        with self._changed:
            self._interruptions += 1
            self._changed.notify()

    def take(self, limit: int, wait_s: float) -> list[Arrival]:
        """The oldest messages, at most `limit` and at least one; waits for the first one at most `wait_s`.

        A birth counts for many, so that what follows thousands of births is not held up by all of them at once.
        """
        with self._changed:
            if not self._waiting:
                self._changed.wait(wait_s)
            taken: list[Arrival] = []
            while self._waiting and limit > 0:
                arrival = self._waiting.popleft()
                limit -= _BIRTH_COUNTS_FOR if _BIRTH in arrival.topic else 1
                taken.append(arrival)
            self._bytes -= sum(len(arrival.payload) + _OVERHEAD for arrival in taken)
            return taken

    def _admits(self, arrival: Arrival, size: int) -> bool:
        fits = self._bytes + size <= self._max_bytes
        if fits and not self._shut_out:
            return True
        home, kind, edge = _parts(arrival.topic)
        if fits and ((home, edge) not in self._shut_out or kind == MessageType.NBIRTH):
            self._shut_out.discard((home, edge))
            return True
        if home:
            self._shut_out.add((home, edge))
        return False

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def dropped(self) -> int:
        """How many did not fit since the start."""
        return self._dropped

    @property
    def shut_out(self) -> frozenset[Edge]:
        """The edges (home, edge) that must be born again to be heard."""
        with self._changed:
            return frozenset(self._shut_out)

    @property
    def interruptions(self) -> int:
        """How often the connection was lost since the start."""
        return self._interruptions


def _parts(topic: str) -> tuple[str, str, str]:
    """Home, message type and edge of a topic; "" where it names none."""
    parts = topic.split("/", 4)
    return (parts[1], parts[2], parts[3]) if len(parts) >= 4 else ("", "", "")
