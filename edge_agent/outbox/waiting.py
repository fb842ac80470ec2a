"""What memory holds until the disk takes it: blocks in order, bounded, and losses, one gap a device and reason."""

from collections import deque
from collections.abc import Iterable
from itertools import islice

import msgspec

from edge_agent.outbox.block import Block, gap_of, joined
from edge_agent.wire.gap import Gap, GapReason

MAX_BLOCKS = 4096  # what memory holds while the disk refuses

_GapKey = tuple[str, GapReason, int]


class Group(msgspec.Struct, frozen=True):
    """What is written in one commit."""

    blocks: tuple[Block, ...]
    gaps: tuple[Gap, ...]


class Waiting:
    """Takes blocks and losses, and hands them out group by group until they are on the disk."""

    def __init__(self) -> None:
        self._blocks: deque[Block] = deque()
        self._gaps: dict[_GapKey, Gap] = {}
        self._taken = Group((), ())

    def __len__(self) -> int:
        """Blocks that are not on the disk yet."""
        return len(self._blocks)

    @property
    def is_empty(self) -> bool:
        """True when there is neither a block nor a loss to write."""
        return not self._blocks and not self._gaps

    def add(self, block: Block, epoch: int) -> None:
        """Take a block. Where memory is full the oldest that is not being written becomes a gap of this epoch."""
        self._blocks.append(block)
        if len(self._blocks) > MAX_BLOCKS:
            oldest = len(self._taken.blocks)
            self.lose([gap_of(self._blocks[oldest], GapReason.DISK_FULL, epoch)])
            del self._blocks[oldest]

    def lose(self, gaps: Iterable[Gap]) -> None:
        """Take losses."""
        for gap in gaps:
            key = (gap.device, gap.reason, gap.epoch)
            known = self._gaps.get(key)
            self._gaps[key] = gap if known is None else joined(known, gap)

    def take(self, most: int) -> Group:
        """The oldest blocks, at most so many, and all losses; they are being written until `let_go`."""
        self._taken = Group(tuple(islice(self._blocks, most)), tuple(self._gaps.values()))
        self._gaps = {}
        return self._taken

    def forget_taken(self) -> None:
        """What was taken is on the disk."""
        for _ in self._taken.blocks:
            self._blocks.popleft()
        self._taken = Group((), ())

    def let_go(self) -> None:
        """Nothing is being written any more; what was taken and not forgotten waits on."""
        taken, self._taken = self._taken, Group((), ())
        self.lose(taken.gaps)

    def give_up(self, epoch: int) -> int:
        """Make a loss of every block; how many there were."""
        count = len(self._blocks)
        self.lose(gap_of(block, GapReason.DISK_FULL, epoch) for block in self._blocks)
        self._blocks.clear()
        return count
