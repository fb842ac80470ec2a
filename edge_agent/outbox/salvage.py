"""What can still be read of a damaged outbox file: what was lost with it, and until when devices had been read."""

import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from edge_agent.errors import OutboxError
from edge_agent.outbox import gap_table
from edge_agent.outbox.block import NODE
from edge_agent.outbox.schema import connect_read_only, guarded
from edge_agent.wire.gap import Gap, GapReason

T = TypeVar("T")


class Salvage(msgspec.Struct, frozen=True):
    """`gaps` are the losses, those that were still to be told included; `newest_ms` is by device."""

    gaps: list[Gap]
    newest_ms: dict[str, int]


def salvage(path: Path, now_ms: int) -> Salvage:
    """Read what can be read. Where the blocks cannot, all until `now_ms` may be lost, from an unknown time on."""
    newest_ms = _read(path, _newest) or {}
    lost = _read(path, _lost)
    if lost is None:
        lost = [Gap(NODE, 0, now_ms, 0, GapReason.CORRUPT_FILE)]
    return Salvage([*(_read(path, gap_table.waiting) or []), *lost], newest_ms)


def _read(path: Path, query: Callable[[sqlite3.Connection], T]) -> T | None:
    unreadable = suppress(OutboxError, msgspec.DecodeError, ValueError)
    with unreadable, guarded(path), closing(connect_read_only(path)) as database:
        return query(database)
    return None


def _newest(database: sqlite3.Connection) -> dict[str, int]:
    return dict(database.execute("SELECT device, at_ms FROM newest").fetchall())


def _lost(database: sqlite3.Connection) -> list[Gap]:
    """One gap a device that had blocks waiting."""
    epoch = database.execute("SELECT value FROM meta WHERE name = 'epoch'").fetchone()[0]
    rows = database.execute(
        "SELECT device, min(from_ms), max(to_ms), sum(count), min(number), max(number) FROM block GROUP BY device"
    ).fetchall()
    return [
        Gap(device, from_ms, to_ms, samples, GapReason.CORRUPT_FILE, (), epoch, first, last)
        for device, from_ms, to_ms, samples, first, last in rows
    ]
