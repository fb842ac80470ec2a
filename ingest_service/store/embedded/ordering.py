"""Puts hot samples in order of their series, a slice of time at a time, so that those of one furnace lie together.

They come second by second from everywhere. To read one furnace's hours as they came means to look at everybody's.
"""

from duckdb import DuckDBPyConnection

from edge_agent.wire.durations import HOUR_MS, MINUTE_MS

SLICE_MS = 5 * MINUTE_MS  # a country makes 90 million samples meanwhile: what sorting them takes is bounded
SETTLED_MS = MINUTE_MS  # after a slice's end, nearly all of it has come
LEAST_ROWS = 1_000_000  # fewer are looked through in no time as they lie

_ORDERED = """
INSERT INTO sample SELECT series, measured_at_ms, value, reason FROM sample
WHERE measured_at_ms >= $from_ms AND measured_at_ms < $to_ms ORDER BY series, measured_at_ms, rowid
"""
_AS_THEY_CAME = "DELETE FROM sample WHERE measured_at_ms >= ? AND measured_at_ms < ? AND rowid <= ?"
_COUNT = "SELECT count(*) FROM sample WHERE measured_at_ms >= ? AND measured_at_ms < ?"


class HotOrder:
    """Which slices are in order. After a start none is known to be. For one thread at a time."""

    def __init__(self) -> None:
        self._done: set[int] = set()

    def next_slice(self, cursor: DuckDBPyConnection, before_ms: int, until_ms: int) -> int | None:
        """The newest slice that is over and worth the work, of the hours that stay hot; None: there is none.

        `before_ms` is where sealing ends, `until_ms` how far samples have come.
        """
        first = before_ms // HOUR_MS * HOUR_MS // SLICE_MS
        self._done = {number for number in self._done if number >= first}
        for number in range((until_ms - SETTLED_MS) // SLICE_MS - 1, first - 1, -1):
            if number not in self._done:
                self._done.add(number)
                ((rows,),) = cursor.execute(_COUNT, [number * SLICE_MS, (number + 1) * SLICE_MS]).fetchall()
                if rows >= LEAST_ROWS:
                    return number
        return None


def order_slice(cursor: DuckDBPyConnection, number: int) -> None:
    """Write the slice anew in order, in the caller's transaction. Of equal rows the first stays before the others."""
    from_ms, to_ms = number * SLICE_MS, (number + 1) * SLICE_MS
    ((last_row,),) = cursor.execute("SELECT max(rowid) FROM sample").fetchall()
    cursor.execute(_ORDERED, {"from_ms": from_ms, "to_ms": to_ms})
    cursor.execute(_AS_THEY_CAME, [from_ms, to_ms, last_row])
