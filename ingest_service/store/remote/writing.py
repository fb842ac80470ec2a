"""Sends points until they are written or known to be wrong: patience with a busy server, halves of what it refuses."""

from collections.abc import Callable

import msgspec

from ingest_service.store.remote.failures import Busy, RefusedData, TooLarge, Unreachable
from ingest_service.store.remote.points import Points, encode

POINTS_AT_ONCE = 50_000  # about 1 MB of lines
PATIENCE_S = 5.0  # in all, for one write; after that the edges are asked to keep it
Post = Callable[[bytes], object]
Wait = Callable[[float], object]


class Refusal(msgspec.Struct, frozen=True):
    """One value that the server does not take: its row in the batch, and why."""

    row: int
    problem: str


class Sending:
    """One write. `post` sends lines and raises StoreError, `wait` pauses for seconds."""

    def __init__(self, post: Post, wait: Wait, patience_s: float = PATIENCE_S) -> None:
        self._post, self._wait = post, wait
        self._patience_s = patience_s
        self._mended = False

    def send(self, points: Points) -> list[Refusal]:
        """Make them durable; return what was refused. Raises StoreError when the server cannot do it now."""
        found: list[Refusal] = []
        for start in range(0, len(points), POINTS_AT_ONCE):
            found += self._send_all_or_halves(points.part(start, start + POINTS_AT_ONCE))
        return found

    def _send_all_or_halves(self, points: Points) -> list[Refusal]:
        try:
            self._send(encode(points))
        except (RefusedData, TooLarge) as error:
            if len(points) == 1:
                if isinstance(error, TooLarge):
                    raise
                return [Refusal(int(points.row[0]), str(error))]
        else:
            return []
        middle = len(points) // 2
        return self._send_all_or_halves(points.part(0, middle)) + self._send_all_or_halves(
            points.part(middle, len(points))
        )

    def _send(self, lines: bytes) -> None:
        """Send the same again while the server is busy, and once after a line that broke: it may have been idle."""
        while True:
            try:
                self._post(lines)
                return
            except Busy as busy:
                if busy.retry_after_s > self._patience_s:
                    raise
                self._patience_s -= max(busy.retry_after_s, 0.05)
                self._wait(busy.retry_after_s)
            except Unreachable as broken:
                if self._mended or "broke" not in str(broken):
                    raise
                self._mended = True
