"""Which blocks of which outbox are held already: ranges per edge and epoch. Pure."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator

import msgspec

from edge_agent.wire.command import BlockRange
from ingest_service.store.batch import BlockRef

Outbox = tuple[int, int]  # edge id, epoch


class HeldRange(msgspec.Struct, frozen=True, gc=False):
    """Blocks `first` to `last` (both included) of one outbox."""

    edge_id: int
    epoch: int
    first: int
    last: int


class Ranges:
    """Whole numbers as ranges that neither touch nor overlap, ascending."""

    def __init__(self) -> None:
        self.firsts: list[int] = []
        self.lasts: list[int] = []

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self.firsts, number) - 1
        return at >= 0 and number <= self.lasts[at]

    def add(self, first: int, last: int) -> None:
        """Take in `first` to `last`, both included."""
        if not self.lasts or first > self.lasts[-1] + 1:
            self.firsts.append(first)
            self.lasts.append(last)
            return
        if first == self.lasts[-1] + 1:
            self.lasts[-1] = last
            return
        begin, end = self._touched(first, last)
        if begin < end:
            first, last = min(first, self.firsts[begin]), max(last, self.lasts[end - 1])
        self.firsts[begin:end], self.lasts[begin:end] = [first], [last]

    def _touched(self, first: int, last: int) -> tuple[int, int]:
        """The slice of ranges that overlap `first` to `last` or lie next to it."""
        begin = bisect_right(self.lasts, first - 2)
        return begin, bisect_right(self.firsts, last + 1)


class HeldBlocks:
    """The blocks whose samples are durable; a block that comes again is known by its number."""

    def __init__(self, ranges: Iterable[HeldRange] = ()) -> None:
        self._of: dict[Outbox, Ranges] = {}
        self.add(ranges)

    def unheld(self, blocks: Iterable[BlockRef]) -> list[BlockRef]:
        """Those blocks that are not held, each number once; a block 0 has no number and is always new."""
        fresh: list[BlockRef] = []
        met: set[tuple[int, int, int]] = set()
        for block in blocks:
            key = (block.edge_id, block.epoch, block.block)
            if block.block and (key in met or block.block in self._of.get(key[:2], ())):
                continue
            met.add(key)
            fresh.append(block)
        return fresh

    def add(self, ranges: Iterable[HeldRange]) -> None:
        """Hold these from now on."""
        for one in ranges:
            self._of.setdefault((one.edge_id, one.epoch), Ranges()).add(one.first, one.last)

    def ranges(self, edge_id: int, epoch: int) -> list[BlockRange]:
        """What is held of one outbox, ascending."""
        found = self._of.get((edge_id, epoch), Ranges())
        return list(zip(found.firsts, found.lasts, strict=True))

    def __iter__(self) -> Iterator[HeldRange]:
        for (edge_id, epoch), ranges in self._of.items():
            for first, last in zip(ranges.firsts, ranges.lasts, strict=True):
                yield HeldRange(edge_id, epoch, first, last)


def joined(blocks: Iterable[BlockRef]) -> list[HeldRange]:
    """Numbered blocks as few ranges as possible."""
    ranges: list[HeldRange] = []
    edge_id, epoch, first, last = 0, 0, 0, -1
    for key in sorted({(one.edge_id, one.epoch, one.block) for one in blocks if one.block}):
        if key == (edge_id, epoch, last + 1):
            last += 1
            continue
        if last >= first:
            ranges.append(HeldRange(edge_id, epoch, first, last))
        edge_id, epoch, first = key
        last = first
    return [*ranges, HeldRange(edge_id, epoch, first, last)] if last >= first else ranges
