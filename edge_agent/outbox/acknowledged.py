"""Which blocks were acknowledged: few ranges with the span of their samples, so that a centre sees what it has lost."""

import sqlite3
from collections.abc import Iterable

from edge_agent.wire.birth import AcknowledgedRange

MOST_RANGES = 64  # the newest are kept: a birth carries them all


def with_range(ranges: tuple[AcknowledgedRange, ...], added: AcknowledgedRange) -> tuple[AcknowledgedRange, ...]:
    """The ranges with another one; what touches or overlaps becomes one. Ascending, at most MOST_RANGES. Pure."""
    near = [one for one in ranges if one.first <= added.last + 1 and added.first <= one.last + 1]
    apart = [one for one in ranges if one not in near]
    near.append(added)
    whole = AcknowledgedRange(
        first=min(one.first for one in near),
        last=max(one.last for one in near),
        from_ms=min(one.from_ms for one in near),
        to_ms=max(one.to_ms for one in near),
    )
    return tuple(sorted([*apart, whole], key=lambda one: one.first)[-MOST_RANGES:])


def load(database: sqlite3.Connection) -> tuple[AcknowledgedRange, ...]:
    """The ranges as they were saved."""
    rows = database.execute("SELECT first, last, from_ms, to_ms FROM acknowledged ORDER BY first")
    return tuple(AcknowledgedRange(*row) for row in rows)


def save(database: sqlite3.Connection, ranges: Iterable[AcknowledgedRange]) -> None:
    """Put these in the place of what was saved, inside the caller's transaction."""
    database.execute("DELETE FROM acknowledged")
    rows = [(one.first, one.last, one.from_ms, one.to_ms) for one in ranges]
    database.executemany("INSERT INTO acknowledged VALUES (?, ?, ?, ?)", rows)
