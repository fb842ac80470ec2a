"""The reads that serve a device's channels: planned blocks, each with its compiled decoder."""

from collections.abc import Iterable, Sequence

import msgspec

from edge_agent.devices.profile import Profile
from edge_agent.modbus.blocks import Block, Extent, ReadRules, plan_blocks
from edge_agent.modbus.registers import BitDecoder, BlockDecoder, Point
from edge_agent.modbus.value import Table


class PlannedRead(msgspec.Struct, frozen=True):
    """One read, what it decodes to, and the positions in `profile.channels` that its values belong to, in order."""

    block: Block
    decoder: BlockDecoder | BitDecoder
    positions: tuple[int, ...]


def scan_classes(profile: Profile) -> tuple[int, ...]:
    """The distinct scan periods of a profile (ms), shortest first."""
    return tuple(sorted({channel.scan_ms for channel in profile.channels}))


def positions_of(profile: Profile, periods_ms: Sequence[int]) -> tuple[int, ...]:
    """The channels of those scan classes, by position."""
    return tuple(at for at, channel in enumerate(profile.channels) if channel.scan_ms in periods_ms)


def plan_reads(profile: Profile, positions: Sequence[int]) -> tuple[PlannedRead, ...]:
    """The fewest reads for those channels, table by table."""
    return tuple(read for table in Table for read in _of_table(profile, table, positions))


def _of_table(profile: Profile, table: Table, positions: Sequence[int]) -> Iterable[PlannedRead]:
    mine = [at for at in positions if profile.channels[at].table is table]
    extents = [Extent(profile.channels[at].address, profile.channels[at].width) for at in mine]
    for block in plan_blocks(table, extents, _rules(profile, table)):
        served = tuple(mine[member] for member in block.members)
        yield PlannedRead(block, _decoder(profile, block, served), served)


def _rules(profile: Profile, table: Table) -> ReadRules:
    limits = profile.limits
    forbidden = tuple((never.first, never.last) for never in limits.never_read)
    return ReadRules(limits.max_bits if table.holds_bits else limits.max_registers, limits.max_hole, forbidden)


def _decoder(profile: Profile, block: Block, served: Sequence[int]) -> BlockDecoder | BitDecoder:
    channels = [profile.channels[at] for at in served]
    points = [Point(channel.address - block.first, channel.encoding) for channel in channels]
    return BitDecoder(block.count, points) if block.table.holds_bits else BlockDecoder(block.count, points)
