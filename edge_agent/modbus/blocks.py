"""Plan block reads: the fewest requests that read every value whole, within a device's caps (pure)."""

from collections.abc import Sequence

import msgspec

from edge_agent.modbus.value import Table


class Extent(msgspec.Struct, frozen=True, order=True):
    """The addresses of one value in a table, zero-based: `width` from `first` on."""

    first: int
    width: int

    @property
    def last(self) -> int:
        """The last address."""
        return self.first + self.width - 1


class ReadRules(msgspec.Struct, frozen=True):
    """Caps of one read: its length, the longest run of addresses that nobody asked for, and ranges never to touch."""

    max_count: int
    max_hole: int
    forbidden: tuple[tuple[int, int], ...] = ()


class Block(msgspec.Struct, frozen=True):
    """One read: `count` addresses from `first` on. `members` are the positions of the values that it serves."""

    table: Table
    first: int
    count: int
    members: tuple[int, ...]

    @property
    def size(self) -> int:
        """The data bytes of an answer."""
        return (self.count + 7) // 8 if self.table.holds_bits else 2 * self.count


def plan_blocks(table: Table, extents: Sequence[Extent], rules: ReadRules) -> tuple[Block, ...]:
    """The fewest blocks that hold every value whole. Raises ValueError for a value that no read may hold.

    Runs of values are cut where a hole is too long or a forbidden range lies. Within a run, a block starts at the first
    value not yet read and takes all that end within the cap: every other plan needs a block for that first value, too,
    and that block holds no more than this one does.
    """
    for extent in extents:
        _check(extent, rules)
    left = sorted(range(len(extents)), key=lambda position: extents[position])
    blocks = []
    while left:
        block = _block_at_first(table, left, extents, rules)
        blocks.append(block)
        served = set(block.members)
        left = [position for position in left if position not in served]
    return tuple(blocks)


def _block_at_first(table: Table, left: Sequence[int], extents: Sequence[Extent], rules: ReadRules) -> Block:
    """The largest block that starts at the first value that is left; `left` is in order of address."""
    first = extents[left[0]].first
    limit = min([first + rules.max_count] + [start for start, _ in rules.forbidden if start > first]) - 1
    members: list[int] = []
    reach = last = first - 1  # the end of what anyone asks for, and of what this block serves
    for position in left:
        extent = extents[position]
        if extent.first > limit or extent.first - reach - 1 > rules.max_hole:
            break
        reach = max(reach, extent.last)
        if extent.last <= limit:
            members.append(position)
            last = max(last, extent.last)
    return Block(table, first, last - first + 1, tuple(members))


def _check(extent: Extent, rules: ReadRules) -> None:
    if extent.width > rules.max_count:
        raise ValueError(f"{extent.width} addresses from {extent.first} on exceed {rules.max_count} a read")
    if any(extent.first <= end and extent.last >= start for start, end in rules.forbidden):
        raise ValueError(f"address {extent.first} lies in a range that must not be read")
