"""A past that nobody read: what an agent would have sent, as blocks in its outbox, had the link been down."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from edge_agent.deadband import ReportFilter, Value
from edge_agent.devices.profile import Profile
from edge_agent.modbus.registers import BitDecoder, BlockDecoder, Point
from edge_agent.modbus.value import Table
from edge_agent.outbox.block import Block
from edge_agent.outbox.file import OutboxFile
from edge_agent.simulator.faults import FaultyFurnace
from edge_agent.simulator.image import SCAN_COUNTER, RegisterImage, TableExtent
from edge_agent.tags import DeviceTags
from edge_agent.wire.sample import Reason, Sample

STEP_MS = 10_000
BLOCK_MS = 60_000
_BLOCKS_A_COMMIT = 256


class _TableReader(NamedTuple):
    """Decodes one whole table; `positions` are those of its channels in the profile."""

    table: Table
    positions: tuple[int, ...]
    decoder: BlockDecoder | BitDecoder


class Past:
    """One device's past, read step by step through its registers and its deadbands.

    The scan counter has none: it counts reads, and nobody read. It is read once a step (`step_ms`).
    """

    def __init__(self, furnace: FaultyFurnace, tags: DeviceTags, timeout_s: float, step_ms: int = STEP_MS) -> None:
        profile = tags.device.profile
        self.name = tags.device.name
        self._furnace, self._timeout_s, self._step_ms = furnace, timeout_s, step_ms
        self._image = RegisterImage(profile)
        self._readers = [_reader(profile, table) for table in self._image.extents]
        self._filter = ReportFilter([channel.report for channel in profile.channels])
        self._aliases = [
            0 if channel.quantity == SCAN_COUNTER else alias
            for alias, channel in zip(tags.aliases, profile.channels, strict=True)
        ]

    def samples(self, from_ms: int, to_ms: int) -> list[Sample]:
        """What would have been reported from `from_ms` until before `to_ms`, one reading a step."""
        return [sample for at_ms in range(from_ms, to_ms, self._step_ms) for sample in self._step(at_ms)]

    def _step(self, at_ms: int) -> Iterator[Sample]:
        delay_s = self._furnace.delay_s(at_ms)
        if delay_s is None or delay_s >= self._timeout_s:
            for position in range(len(self._aliases)):
                yield from self._reported(position, None, Reason.TIMEOUT, at_ms)
            return
        tables = self._image.render(self._furnace.at(at_ms), self._furnace.broken_channels(at_ms))
        for reader in self._readers:
            read = reader.decoder.decode(tables[reader.table].cells)
            for position, value, reason in zip(reader.positions, read.values, read.reasons, strict=True):
                yield from self._reported(position, value, reason, at_ms)

    def _reported(self, position: int, value: Value, reason: Reason, at_ms: int) -> Iterator[Sample]:
        alias = self._aliases[position]
        if alias and self._filter.passes(position, value, reason, at_ms):
            yield Sample(alias, at_ms, value, reason)


def past_blocks(
    pasts: Sequence[Past], from_ms: int, to_ms: int, first_number: int, block_ms: int = BLOCK_MS
) -> Iterator[Block]:
    """Blocks of so long (a minute) and a device each, oldest first, numbered from `first_number` on."""
    number = first_number
    for begin_ms in range(from_ms, to_ms, block_ms):
        for past in pasts:
            samples = past.samples(begin_ms, min(begin_ms + block_ms, to_ms))
            if samples:
                yield Block(number, past.name, tuple(samples))
                number += 1


def write_blocks(file: OutboxFile, blocks: Iterable[Block], now_ms: int) -> Iterator[Block]:
    """Write the blocks in large commits; yields each one when it is on the disk. Raises OutboxError."""
    waiting: list[Block] = []
    for block in blocks:
        waiting.append(block)
        if len(waiting) >= _BLOCKS_A_COMMIT:
            file.append(waiting, now_ms)
            yield from waiting
            waiting = []
    file.append(waiting, now_ms)
    yield from waiting


def whole_steps(from_ms: int, to_ms: int) -> tuple[int, int]:
    """The times widened to whole blocks at the beginning, and cut to whole steps at the end."""
    return from_ms // BLOCK_MS * BLOCK_MS, to_ms // STEP_MS * STEP_MS


def _reader(profile: Profile, extent: TableExtent) -> _TableReader:
    members = [(at, channel) for at, channel in enumerate(profile.channels) if channel.table is extent.table]
    points = [Point(channel.address - extent.first, channel.encoding) for _, channel in members]
    decoder = BitDecoder if extent.table.holds_bits else BlockDecoder
    return _TableReader(extent.table, tuple(at for at, _ in members), decoder(extent.size, points))
