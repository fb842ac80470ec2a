"""What a furnace shows, as the registers of a device profile: compiled once, a few struct calls per second."""

import struct
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import NamedTuple

import msgspec

from edge_agent.devices.profile import Channel, Profile
from edge_agent.modbus.encode import place
from edge_agent.modbus.value import Encoding, Order, Table, ValueType
from edge_agent.simulator.furnace import FurnaceState

SCAN_COUNTER = "scan_counter"
# Beyond every span of an analogue input (below 4 mA), as Siemens modules report it.
_BROKEN_RAW = -32_768
_FORMATS = {
    ValueType.INT16: "h",
    ValueType.UINT16: "H",
    ValueType.INT32: "i",
    ValueType.UINT32: "I",
    ValueType.FLOAT32: "f",
    ValueType.FLOAT64: "d",
}
# How registers and how values are laid out in bytes, so that an order costs nothing per value.
_ENDIANS = {Order.ABCD: (">", ">"), Order.DCBA: (">", "<"), Order.BADC: ("<", ">"), Order.CDAB: ("<", "<")}


class Cells(msgspec.Struct):
    """One table's registers (or bits) from its first address on; addresses between channels read 0."""

    first: int
    cells: list[int]

    def read(self, address: int, count: int) -> list[int] | None:
        """So many cells from an address on; None when one of them does not exist."""
        at = address - self.first
        return self.cells[at : at + count] if at >= 0 and at + count <= len(self.cells) else None


class TableExtent(NamedTuple):
    """Which addresses of a table exist: `size` from `first` on."""

    table: Table
    first: int
    size: int


class _Lane(NamedTuple):
    """Channels of a table that one struct call writes: positions among the values, and value to raw number."""

    pack: Callable[..., bytes]
    unpack: Callable[[bytes], tuple[int, ...]]
    positions: tuple[int, ...]
    to_raw: tuple[Callable[[float], float], ...]


class _TablePlan(NamedTuple):
    first: int
    size: int
    lanes: tuple[_Lane, ...]
    placed: tuple[tuple[int, int, Encoding], ...]
    bits: tuple[tuple[int, int], ...]


class RegisterImage:
    """Turns what a furnace shows into the tables of a profile. A channel of a quantity no furnace has reads 0."""

    def __init__(self, profile: Profile) -> None:
        self._channels = profile.channels
        shown = [channel.quantity in FurnaceState.__struct_fields__ for channel in profile.channels]
        fields = [channel.quantity if known else "phase" for channel, known in zip(self._channels, shown, strict=True)]
        self._absent = [position for position, known in enumerate(shown) if not known]
        self._fields = attrgetter(*fields)
        self._plans = {table: _plan(table, self._channels) for table in Table if _of(table, self._channels)}
        self.extents = tuple(TableExtent(table, plan.first, plan.size) for table, plan in self._plans.items())
        self.counter = next((channel for channel in self._channels if channel.quantity == SCAN_COUNTER), None)

    def render(self, state: FurnaceState, broken: Sequence[str] = ()) -> dict[Table, Cells]:
        """The tables; channels whose quantity is in `broken` read as with a broken wire."""
        values = list(self._fields(state))
        for position in self._absent:
            values[position] = 0.0
        tables = {table: Cells(plan.first, _fill(plan, values)) for table, plan in self._plans.items()}
        for channel in self._channels:
            if broken and channel.quantity in broken:
                _break(tables[channel.table], channel)
        return tables


def _of(table: Table, channels: Sequence[Channel]) -> list[tuple[int, Channel]]:
    return [(position, channel) for position, channel in enumerate(channels) if channel.table is table]


def _plan(table: Table, channels: Sequence[Channel]) -> _TablePlan:
    members = sorted(_of(table, channels), key=lambda member: member[1].address)
    first = members[0][1].address
    size = max(channel.address + channel.width for _, channel in members) - first
    if table.holds_bits:
        return _TablePlan(
            first, size, (), (), tuple((channel.address - first, position) for position, channel in members)
        )
    lanes: dict[tuple[str, str], list[tuple[int, Channel]]] = {}
    placed = []
    for position, channel in members:
        if channel.encoding.type in _FORMATS and channel.encoding.order in _ENDIANS:
            lanes.setdefault(_ENDIANS[channel.encoding.order], []).append((position, channel))
        else:
            placed.append((channel.address - first, position, channel.encoding))
    compiled = tuple(_compile(key, lane, first, size) for key, lane in lanes.items())
    return _TablePlan(first, size, compiled, tuple(placed), ())


def _compile(key: tuple[str, str], lane: list[tuple[int, Channel]], first: int, size: int) -> _Lane:
    registers, values = key
    parts, end = [values], first
    for _, channel in lane:
        parts.append(f"{2 * (channel.address - end)}x{_FORMATS[channel.encoding.type]}")
        end = channel.address + channel.width
    parts.append(f"{2 * (first + size - end)}x")
    return _Lane(
        struct.Struct("".join(parts)).pack,
        struct.Struct(f"{registers}{size}H").unpack,
        tuple(position for position, _ in lane),
        tuple(_to_raw(channel.encoding) for _, channel in lane),
    )


def _to_raw(encoding: Encoding) -> Callable[[float], float]:
    """From value to raw number; whole numbers saturate at the ends of their type, as an analogue output does."""
    gain, base = _gain_and_base(encoding)
    if encoding.type.is_float:
        return float if not encoding.is_scaled else lambda value: value * gain + base
    bits = 16 * encoding.registers
    signed = encoding.type in (ValueType.INT16, ValueType.INT32)
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    return lambda value: min(high, max(low, round(value * gain + base)))


def _gain_and_base(encoding: Encoding) -> tuple[float, float]:
    span = encoding.span
    if span is None:
        numerator, denominator = encoding.ratio
        return denominator / numerator, -encoding.offset * denominator / numerator
    gain = (span.raw_high - span.raw_low) / (span.high_eng - span.low_eng)
    return gain, span.raw_low - span.low_eng * gain


def _fill(plan: _TablePlan, values: Sequence[float]) -> list[int]:
    cells = [0] * plan.size
    for lane in plan.lanes:
        data = lane.pack(*[raw(values[position]) for raw, position in zip(lane.to_raw, lane.positions, strict=True)])
        cells = [here | there for here, there in zip(cells, lane.unpack(data), strict=True)]
    for at, position, encoding in plan.placed:
        place(cells, at, encoding, values[position])
    for at, position in plan.bits:
        cells[at] = int(values[position])
    return cells


def _break(table: Cells, channel: Channel) -> None:
    """Below the span of an analogue input; not a number where a smart transmitter sends floats; else stuck at 0."""
    at, encoding = channel.address - table.first, channel.encoding
    if encoding.type.is_float:
        place(table.cells, at, msgspec.structs.replace(encoding, span=None, scale=1.0, offset=0.0), float("nan"))
    elif encoding.type is ValueType.INT16:
        table.cells[at] = _BROKEN_RAW & 0xFFFF
    else:
        table.cells[at : at + channel.width] = [0] * channel.width
