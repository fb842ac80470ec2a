"""Notices two edges that go by one name: outboxes (or bdSeq counts) that take turns. Pure.

A replaced outbox never comes back. If one does, both are alive, and the newer is another edge to which the name was
given a second time. Its samples are left with it: not stored among those of the older one, not acknowledged, not lost.
"""

from collections import deque
from enum import Enum, auto

CONTESTED_MS = 600_000  # an edge that says nothing for so long no longer contests its name
_FORMER = 16
_ROUND = 256


class Claim(Enum):
    """What a birth in the name of an edge is worth."""

    RIGHTFUL = auto()
    REFUSED = auto()  # another edge
    COPY = auto()  # another edge with a copy of the outbox: nobody can tell the two apart


class Identity:
    """Who goes by the name of one edge. `conflicts` counts the births that showed two at once."""

    def __init__(self) -> None:
        self.conflicts = 0
        self._owner: int | None = None
        self._bd_seq: int | None = None
        self._heard_ms = 0
        self._copied_ms: int | None = None
        self._last_death: tuple[int | None, int | None] | None = None
        self._former: deque[int] = deque(maxlen=_FORMER)
        self._former_counts: deque[int] = deque(maxlen=_FORMER)
        self._refused: set[int] = set()

    def heard(self, now_ms: int) -> None:
        """The rightful edge spoke."""
        self._heard_ms = now_ms

    def died(self) -> None:
        """The death of the rightful edge was heard."""
        self._last_death = (self._owner, self._bd_seq)

    def may_acknowledge(self, now_ms: int) -> bool:
        """False while there are two copies of one outbox: a number means a block of either."""
        return self._copied_ms is None or now_ms - self._copied_ms >= CONTESTED_MS

    def claim(self, epoch: int | None, bd_seq: int | None, now_ms: int) -> Claim:
        """Judge a birth; what is not refused is the rightful edge from here on."""
        found = self._judge(epoch, bd_seq, now_ms)
        self.conflicts += found is not Claim.RIGHTFUL
        if found is Claim.REFUSED:
            return found
        if found is Claim.COPY:
            self._copied_ms = now_ms
        self._owner, self._bd_seq, self._heard_ms, self._last_death = epoch, bd_seq, now_ms, None
        return found

    def _judge(self, epoch: int | None, bd_seq: int | None, now_ms: int) -> Claim:
        if epoch is None or self._owner is None:
            self.conflicts += epoch is None and self._takes_turns(bd_seq)
            return Claim.RIGHTFUL
        if epoch == self._owner:
            return Claim.COPY if self._last_death == (epoch, bd_seq) else Claim.RIGHTFUL
        if epoch in self._refused and now_ms - self._heard_ms < CONTESTED_MS:
            return Claim.REFUSED
        self._refused.discard(epoch)
        if epoch in self._former:
            self.conflicts += 1
            self._refused.add(self._owner)
            self._former.remove(epoch)
        else:
            self._former.append(self._owner)
        return Claim.RIGHTFUL

    def _takes_turns(self, bd_seq: int | None) -> bool:
        """True where a count of connections goes on that another one had replaced (edges without an outbox)."""
        if bd_seq is None or self._bd_seq is None or _goes_on(self._bd_seq, bd_seq):
            return False
        former = [count for count in self._former_counts if _goes_on(count, bd_seq)]
        for count in former:
            self._former_counts.remove(count)
        self._former_counts.append(self._bd_seq)
        return bool(former)


def _goes_on(before: int, after: int) -> bool:
    return (after - before) % _ROUND <= 1
