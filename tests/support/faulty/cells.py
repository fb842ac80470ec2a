"""What a faulty device holds: cells of 64 bits that say where they belong and when they were asked for.

A cell fills four registers or 64 bits: unit, table and group (16 bits), generation (32 bits), check sum (16 bits).
The generation is the time at which the device got the request, in ticks of 0.1 ms that all processes share.
"""

import struct
import time
import zlib
from collections.abc import Sequence

from edge_agent.modbus.blocks import Block
from edge_agent.modbus.value import Table

CELL = struct.Struct(">HIH")
REGISTERS, BITS = 4, 64
_SPAN = 1 << 32


def ticks() -> int:
    """Now, in ticks of 0.1 ms."""
    return time.monotonic_ns() // 100_000


def cell_bytes(unit_id: int, function: int, group: int, generation: int) -> bytes:
    head = struct.pack(">HI", unit_id << 12 | (function & 3) << 10 | group, generation % _SPAN)
    return head + struct.pack(">H", zlib.crc32(head) & 0xFFFF)


def data_bytes(unit_id: int, function: int, first: int, count: int, generation: int) -> bytes:
    """The data of an answer: registers or bits from `first` on."""
    holds_bits = function in (1, 2)
    per_cell = BITS if holds_bits else REGISTERS
    groups = range(first // per_cell, (first + count - 1) // per_cell + 1)
    cells = b"".join(cell_bytes(unit_id, function, group, generation) for group in groups)
    skipped = first % per_cell
    if not holds_bits:
        return cells[2 * skipped : 2 * (skipped + count)]
    bits = int.from_bytes(cells, "little") >> skipped & ((1 << count) - 1)
    return bits.to_bytes((count + 7) // 8, "little")


def cells_block(table: Table, group: int, cells: int) -> Block:
    """A read of whole cells."""
    per_cell = BITS if table.holds_bits else REGISTERS
    return Block(table, group * per_cell, cells * per_cell, ())


def what_is_wrong(content: Sequence[int], unit_id: int, block: Block, asked: int, got: int) -> str:
    """Why these values are not those of the block at a time between two ticks; "" when they are."""
    data = _packed(content, block)
    per_cell = BITS if block.table.holds_bits else REGISTERS
    generation = CELL.unpack_from(data)[1]
    function = block.table.function_code
    for at in range(block.count // per_cell):
        cell = data[at * CELL.size : (at + 1) * CELL.size]
        if cell != cell_bytes(unit_id, function, block.first // per_cell + at, generation):
            return f"cell {at} of {block} at unit {unit_id} is {cell.hex(' ')}"
    if not (generation - asked) % _SPAN <= got - asked:
        return f"{block} at unit {unit_id} is of tick {generation}, asked at {asked}, got at {got}"
    return ""


def _packed(content: Sequence[int], block: Block) -> bytes:
    if block.table.holds_bits:
        whole = sum(1 << at for at, bit in enumerate(content[: block.count]) if bit)
        return whole.to_bytes(block.size, "little")
    return struct.pack(f">{block.count}H", *content)
