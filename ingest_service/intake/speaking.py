"""What the centre says to the edges, and how often: acknowledgements and rebirth requests. Pure."""

from collections import deque
from collections.abc import Iterable

import msgspec

from edge_agent.wire.command import Acknowledgement, BlockRange

Edge = tuple[str, str]  # home, edge

ACKNOWLEDGE_EVERY_MS = 250
REBIRTH_FIRST_MS = 5_000
REBIRTH_LONGEST_MS = 60_000
REBIRTHS_PER_S = 100  # a restart of the centre must not make every edge speak at once


class DueAcknowledgement(msgspec.Struct, frozen=True):
    """To be published to that edge now."""

    home: str
    edge: str
    acknowledgement: Acknowledgement


class _HeldBack(msgspec.Struct, frozen=True, gc=False):
    until_ms: int
    home: str
    edge: str
    epoch: int
    block: int


class Acknowledgements:
    """Gathers durable blocks and says for each edge at most about four times a second which ones they are."""

    def __init__(self) -> None:
        self._blocks: dict[Edge, dict[int, set[int]]] = {}
        self._spoken_ms: dict[Edge, int] = {}
        self._held_back: deque[_HeldBack] = deque()

    def add(self, home: str, edge: str, epoch: int, block: int) -> None:
        """That block is durable (or was already)."""
        self._blocks.setdefault((home, edge), {}).setdefault(epoch, set()).add(block)

    def hold_back(self, home: str, edge: str, epoch: int, block: int, until_ms: int) -> None:
        """That block will be durable at that time, unless the store fails before; times given never fall."""
        self._held_back.append(_HeldBack(until_ms, home, edge, epoch, block))

    def forget_held_back(self) -> None:
        """The store failed: what was not durable for sure is not acknowledged, and comes again."""
        self._held_back.clear()

    def due(self, now_ms: int) -> list[DueAcknowledgement]:
        """What must be said now; it counts as said."""
        while self._held_back and self._held_back[0].until_ms <= now_ms:
            ripe = self._held_back.popleft()
            self.add(ripe.home, ripe.edge, ripe.epoch, ripe.block)
        ready = [edge for edge in self._blocks if now_ms - self._spoken_ms.get(edge, 0) >= ACKNOWLEDGE_EVERY_MS]
        found = []
        for home, edge in ready:
            self._spoken_ms[home, edge] = now_ms
            for epoch, blocks in self._blocks.pop((home, edge)).items():
                found.append(DueAcknowledgement(home, edge, Acknowledgement(epoch, ranges_of(blocks))))
        return found


class RebirthRequests:
    """Asks an edge for its births: at most once in 5 s, then ever more rarely (60 s) while no birth comes."""

    def __init__(self) -> None:
        self._wanted: dict[Edge, None] = {}
        self._not_before_ms: dict[Edge, int] = {}
        self._pause_ms: dict[Edge, int] = {}
        self._second, self._in_second = 0, 0

    def want(self, home: str, edge: str) -> None:
        """Something of that edge cannot be understood without its births."""
        self._wanted[home, edge] = None

    def born(self, home: str, edge: str) -> None:
        """Its births came: nothing need be asked."""
        self._wanted.pop((home, edge), None)
        self._pause_ms.pop((home, edge), None)

    def due(self, now_ms: int) -> list[Edge]:
        """Whom to ask now; they count as asked."""
        if now_ms // 1000 != self._second:
            self._second, self._in_second = now_ms // 1000, 0
        ready = [edge for edge in self._wanted if now_ms >= self._not_before_ms.get(edge, 0)]
        asked = ready[: REBIRTHS_PER_S - self._in_second]
        self._in_second += len(asked)
        for edge in asked:
            pause_ms = self._pause_ms.get(edge, REBIRTH_FIRST_MS)
            self._not_before_ms[edge] = now_ms + pause_ms
            self._pause_ms[edge] = min(2 * pause_ms, REBIRTH_LONGEST_MS)
            del self._wanted[edge]
        return asked


def ranges_of(blocks: Iterable[int]) -> tuple[BlockRange, ...]:
    """Block numbers as ranges, both ends included, ascending."""
    ranges: list[BlockRange] = []
    for block in sorted(blocks):
        if ranges and block == ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], block)
        else:
            ranges.append((block, block))
    return tuple(ranges)
