"""The blocks in the outbox file, and how much they are. Every function works inside the caller's transaction."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing

import msgspec

from edge_agent.outbox.block import Block, encode_samples
from edge_agent.wire.gap import Gap, GapReason

_ROW_OVERHEAD_BYTES = 48  # what SQLite keeps beside the samples of a row
_SIZES = f"count(*), coalesce(sum(length(samples) + {_ROW_OVERHEAD_BYTES}), 0), coalesce(sum(count), 0)"


class Held(msgspec.Struct, frozen=True):
    """How much lies in the file, or in a part of it."""

    blocks: int = 0
    bytes: int = 0
    samples: int = 0

    def plus(self, other: "Held") -> "Held":
        """Both together."""
        return Held(self.blocks + other.blocks, self.bytes + other.bytes, self.samples + other.samples)

    def minus(self, other: "Held") -> "Held":
        """Without a part."""
        return Held(self.blocks - other.blocks, self.bytes - other.bytes, self.samples - other.samples)


class Freed(msgspec.Struct, frozen=True):
    """The blocks of a range that were there: how much they were, and from when to when they had been measured."""

    held: Held
    from_ms: int
    to_ms: int


def held(database: sqlite3.Connection) -> Held:
    """How much there is."""
    return Held(*database.execute(f"SELECT {_SIZES} FROM block").fetchone())


def insert(database: sqlite3.Connection, blocks: Sequence[Block]) -> Held:
    """Add blocks of rising numbers; how much they are."""
    rows = [_row(block) for block in blocks]
    database.executemany("INSERT INTO block VALUES (?, ?, ?, ?, ?, ?)", rows)
    return Held(len(rows), sum(len(row[5]) + _ROW_OVERHEAD_BYTES for row in rows), sum(row[4] for row in rows))


def delete(database: sqlite3.Connection, first: int, last: int) -> Freed | None:
    """Take a range of numbers out, both ends included; None where none of them was there."""
    query = f"SELECT min(from_ms), max(to_ms), {_SIZES} FROM block WHERE number BETWEEN ? AND ?"
    from_ms, to_ms, *sizes = database.execute(query, (first, last)).fetchone()
    if from_ms is None:
        return None
    database.execute("DELETE FROM block WHERE number BETWEEN ? AND ?", (first, last))
    return Freed(Held(*sizes), from_ms, to_ms)


def drop_oldest(database: sqlite3.Connection, epoch: int, excess_bytes: int, horizon_ms: int) -> tuple[Held, list[Gap]]:
    """Drop the oldest until the excess is gone and none is older than the horizon; how much went, as which gaps."""
    freed, lost, cut = Held(), list[Gap](), 0
    query = "SELECT number, device, from_ms, to_ms, count, length(samples) FROM block ORDER BY number"
    with closing(database.execute(query)) as rows:
        for number, device, from_ms, to_ms, count, size in rows:
            if freed.bytes >= excess_bytes and to_ms >= horizon_ms:
                break
            reason = GapReason.AGE_LIMIT if to_ms < horizon_ms else GapReason.SIZE_LIMIT
            lost.append(Gap(device, from_ms, to_ms, count, reason, (), epoch, number, number))
            freed, cut = freed.plus(Held(1, size + _ROW_OVERHEAD_BYTES, count)), number
    if cut:
        database.execute("DELETE FROM block WHERE number <= ?", (cut,))
    return freed, lost


def lose(database: sqlite3.Connection, epoch: int, number: int) -> tuple[Held, Gap]:
    """Take out a block whose samples cannot be read any more; how much it was, and the gap."""
    query = "SELECT device, from_ms, to_ms, count, length(samples) FROM block WHERE number = ?"
    device, from_ms, to_ms, count, size = database.execute(query, (number,)).fetchone()
    database.execute("DELETE FROM block WHERE number = ?", (number,))
    gap = Gap(device, from_ms, to_ms, count, GapReason.CORRUPT_FILE, (), epoch, number, number)
    return Held(1, size + _ROW_OVERHEAD_BYTES, count), gap


def _row(block: Block) -> tuple[int, str, int, int, int, bytes]:
    samples = block.samples
    return block.number, block.device, block.from_ms, block.to_ms, len(samples), encode_samples(samples)
