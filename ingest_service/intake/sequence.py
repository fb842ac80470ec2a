"""Puts the messages of an edge in the order of their `seq` (Sparkplug 3.0, 5.4 and 6.4.5: 0 to 255, then 0). Pure."""

from typing import Generic, TypeVar

Message = TypeVar("Message")
_ROUND = 256
_MOST_HELD = _ROUND // 2


class Sequencer(Generic[Message]):
    """Passes on what is in order and holds back what comes after a gap, until the gap closes or a birth begins anew.

    Holding back keeps a message from being read with the aliases of a birth that was missed. Once the reorder timeout
    has passed, or half a round is held, nothing but a birth can make things clear: `seq` alone would come round again.
    """

    def __init__(self, reorder_timeout_ms: int) -> None:
        self._reorder_timeout_ms = reorder_timeout_ms
        self._expected = 0
        self._held: dict[int, Message] = {}
        self._gap_since_ms: int | None = None
        self._lost = False
        self.gaps = 0
        self.dropped = 0

    def begin(self, seq: int) -> None:
        """A birth with this `seq` came: all that follows counts from it. What is still held is dropped."""
        self.dropped += len(self._held)
        self._expected = (seq + 1) % _ROUND
        self._held.clear()
        self._gap_since_ms = None
        self._lost = False

    def offer(self, seq: int, message: Message, now_ms: int) -> list[Message]:
        """The messages that are in order now."""
        if seq == self._expected and not self._held:
            self._expected = (seq + 1) % _ROUND
            return [message]
        self._lost = self._lost or self.overdue(now_ms)
        if seq in self._held or not 0 <= seq < _ROUND or len(self._held) >= _MOST_HELD:
            self.dropped += 1
            return []
        self._held[seq] = message
        ready = [] if self._lost else self._in_order()
        self._watch_gap(now_ms)
        return ready

    def release(self) -> list[Message]:
        """Everything held, in order, without waiting any longer for what is missing."""
        ready = [self._held[seq] for seq in sorted(self._held, key=lambda seq: (seq - self._expected) % _ROUND)]
        self._held.clear()
        return ready

    def overdue(self, now_ms: int) -> bool:
        """True when a gap has outlived the reorder timeout, or too much is held."""
        waited = self._gap_since_ms is not None and now_ms - self._gap_since_ms >= self._reorder_timeout_ms
        return waited or self._lost

    def _in_order(self) -> list[Message]:
        ready = []
        while self._expected in self._held:
            ready.append(self._held.pop(self._expected))
            self._expected = (self._expected + 1) % _ROUND
        return ready

    def _watch_gap(self, now_ms: int) -> None:
        if not self._held:
            self._gap_since_ms = None
        elif self._gap_since_ms is None:
            self._gap_since_ms = now_ms
            self.gaps += 1
        self._lost = self._lost or len(self._held) >= _MOST_HELD
