"""Gap records in the outbox file, until the centre has them. Every function works inside the caller's transaction.

A record grows while losses go on, until it is handed out to be sent; from then on it never changes. At most one
hand-out is under way, so that however long the centre is away, the records stay few.
"""

import sqlite3
from collections.abc import Iterable
from typing import Any

import msgspec

from edge_agent.outbox.block import joined
from edge_agent.wire.gap import FIRST_GAP_BLOCK, Gap, GapReason, NumberedGap

QUIET_MS = 3_000  # a gap that has not grown for so long is over
LONGEST_MS = 300_000  # one that goes on is told in parts
MOST_AT_ONCE = 64
CROWDED = 1_000  # from so many waiting records on, gaps of one device and reason are joined more coarsely
_CROWDED_TOUCHING_MS = 24 * 3_600_000
_TOUCHING_MS = 60_000  # lost blocks of one device that lie nearer than this have nothing between them
_TOUCHING_OF_MS = {GapReason.OVERRUN: 5_000, GapReason.AGENT_STOPPED: 1, GapReason.UNCLEAN_STOP: 1}
_FIELDS = "device, from_ms, to_ms, count, reason, channels, epoch, first_block, last_block"
_Row = tuple[str, int, int, int, str, str, int, int, int]


def note(database: sqlite3.Connection, gap: Gap, now_ms: int) -> None:
    """Remember a loss, as part of the latest gap of that device and reason where nothing much lies between them."""
    found = _near(database, gap, _TOUCHING_OF_MS.get(gap.reason, _TOUCHING_MS))
    if found is None and database.execute("SELECT count(*) FROM gap_record").fetchone()[0] >= CROWDED:
        found = _near(database, gap, _CROWDED_TOUCHING_MS)
    _count(database, gap.samples, gaps=0 if found else 1)
    if found is None:
        database.execute(
            f"INSERT INTO gap_record ({_FIELDS}, begun_ms, grown_ms, sent) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
            (*_row(gap), now_ms, now_ms),
        )
        return
    grown = _row(joined(_gap(found[1:]), gap))
    assigned = ", ".join(f"{name} = ?" for name in (*_FIELDS.split(", "), "grown_ms"))
    database.execute(f"UPDATE gap_record SET {assigned} WHERE number = ?", (*grown, now_ms, found[0]))


def hand_out(database: sqlite3.Connection, now_ms: int) -> list[NumberedGap]:
    """The records to send: those handed out and not acknowledged yet, or else those that are over by now."""
    if not database.execute("SELECT 1 FROM gap_record WHERE sent = 1 LIMIT 1").fetchone():
        is_over = "? - grown_ms NOT BETWEEN 0 AND ? OR ? - begun_ms NOT BETWEEN 0 AND ?"
        database.execute(
            f"UPDATE gap_record SET sent = 1 WHERE number IN (SELECT number FROM gap_record WHERE {is_over} LIMIT ?)",
            (now_ms, QUIET_MS, now_ms, LONGEST_MS, MOST_AT_ONCE),
        )
    rows = database.execute(f"SELECT number, {_FIELDS} FROM gap_record WHERE sent = 1 ORDER BY number").fetchall()
    return [NumberedGap(FIRST_GAP_BLOCK + row[0], _gap(row[1:])) for row in rows]


def forget(database: sqlite3.Connection, first: int, last: int) -> None:
    """The centre has the records of these numbers, both included; what was never sent stays."""
    ends = (max(first, FIRST_GAP_BLOCK) - FIRST_GAP_BLOCK, max(last, FIRST_GAP_BLOCK) - FIRST_GAP_BLOCK)
    database.execute("DELETE FROM gap_record WHERE sent = 1 AND number BETWEEN ? AND ?", ends)


def waiting(database: sqlite3.Connection) -> list[Gap]:
    """Every record that the centre does not have yet, oldest first."""
    return [_gap(row) for row in database.execute(f"SELECT {_FIELDS} FROM gap_record ORDER BY number")]


def _near(database: sqlite3.Connection, gap: Gap, touching_ms: int) -> tuple[Any, ...] | None:
    """The record that may still grow by this gap: its number and its fields."""
    key = (gap.device, gap.reason.value, _packed(gap.channels), gap.epoch)
    latest = "SELECT max(number) FROM gap_record WHERE device = ? AND reason = ? AND channels = ? AND epoch = ?"
    near = f"number = ({latest} AND sent = 0) AND ? BETWEEN from_ms AND to_ms + ?"
    query = f"SELECT number, {_FIELDS} FROM gap_record WHERE {near}"
    row: tuple[Any, ...] | None = database.execute(query, (*key, gap.from_ms, touching_ms)).fetchone()
    return row


def _count(database: sqlite3.Connection, samples: int, gaps: int) -> None:
    added = ((samples, "samples_dropped"), (gaps, "gaps"))
    database.executemany("UPDATE meta SET value = value + ? WHERE name = ?", added)


def _row(gap: Gap) -> _Row:
    span = (gap.device, gap.from_ms, gap.to_ms, gap.samples, gap.reason.value)
    return (*span, _packed(gap.channels), gap.epoch, gap.first_block, gap.last_block)


def _gap(row: _Row) -> Gap:
    device, from_ms, to_ms, samples, reason, channels, epoch, first_block, last_block = row
    names = msgspec.json.decode(channels, type=tuple[str, ...])
    return Gap(device, from_ms, to_ms, samples, GapReason(reason), names, epoch, first_block, last_block)


def _packed(channels: Iterable[str]) -> str:
    return msgspec.json.encode(list(channels)).decode()
