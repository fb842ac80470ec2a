"""How many blocks of history may be under way at once (pure; times are monotonic ms).

Whoever fills every queue on the way to the centre makes live values late, those of other edges too. So the window
follows the delay: it grows while the way is about as quick as it can be, and shrinks as soon as blocks begin to wait.
"""

import msgspec

QUEUE_MS = 700  # how much longer than at its quickest an acknowledgement may take
LEAST_WINDOW = 2
_GENTLE = 16  # acknowledgements for one more block while there is a queue
_SPAN_MS = 300_000  # how long the quickest round trip is believed: the centre's store may be another by then


class WindowLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of blocks: at the start of a connection, and at most."""

    first: int = 32
    most: int = 1024


class Window:
    """The window of one connection."""

    def __init__(self, limits: WindowLimits, now_ms: int) -> None:
        self.size = limits.first
        self._most = limits.most
        self._quickest_ms: int | None = None
        self._quickest_before_ms: int | None = None
        self._span_began_ms = self._narrowed_ms = now_ms
        self._calm = 0

    def widen(self) -> None:
        """A block was acknowledged and nothing says that others had to wait for it."""
        self.size = min(self._most, self.size + 1)

    def follow(self, round_trip_ms: int, now_ms: int) -> None:
        """A block was acknowledged after so long.

        While hardly anything waits, the window doubles with each round trip; then it widens gently until the queue is
        as long as it may be; beyond that it narrows, once a round trip.
        """
        self._believe(round_trip_ms, now_ms)
        queue_ms = round_trip_ms - self._usual_ms
        if queue_ms <= QUEUE_MS / 2:
            self.widen()
        elif queue_ms <= QUEUE_MS:
            self._widen_gently()
        elif now_ms - round_trip_ms >= self._narrowed_ms:
            share = max(0.5, (self._usual_ms + QUEUE_MS) / round_trip_ms)
            self.size = max(min(self.size, LEAST_WINDOW), int(self.size * share))
            self._narrowed_ms = now_ms

    def halve(self) -> None:
        """A block was lost while others came through."""
        self.size = max(1, self.size // 2)

    def close(self) -> None:
        """The centre is silent: one block at a time is tried."""
        self.size = 1

    def _widen_gently(self) -> None:
        self._calm += 1
        if self._calm >= min(self.size, _GENTLE):
            self._calm = 0
            self.widen()

    @property
    def _usual_ms(self) -> int:
        """The quickest round trip of this span of time and the one before."""
        known = [one for one in (self._quickest_ms, self._quickest_before_ms) if one is not None]
        return min(known, default=0)

    def _believe(self, round_trip_ms: int, now_ms: int) -> None:
        if now_ms - self._span_began_ms >= _SPAN_MS:
            self._quickest_before_ms, self._quickest_ms = self._quickest_ms, None
            self._span_began_ms = now_ms
        self._quickest_ms = round_trip_ms if self._quickest_ms is None else min(self._quickest_ms, round_trip_ms)
