"""How many unacknowledged blocks may be under way and when one counts as lost (pure; times are monotonic ms).

The window grows while acknowledgements come quickly and halves at a loss; while the centre is silent one single block
of history is tried, at growing intervals. So a centre that comes back is not flooded by a thousand edges.
"""

from collections.abc import Callable, Iterable, Set
from enum import Enum, auto

import msgspec
from msgspec.structs import replace

from edge_agent.publisher.window import Window, WindowLimits
from edge_agent.wire.command import BlockRange

_GAIN, _DEVIATION_GAIN = 1 / 8, 1 / 4  # smoothing of the round trip (RFC 6298, section 2)


class Lane(Enum):
    """Whether a block travels as it is measured or afterwards, marked historical."""

    LIVE = auto()
    HISTORY = auto()


class PacingLimits(msgspec.Struct, frozen=True, kw_only=True):
    """When blocks are given up, and how much history goes out: a day of three furnaces in about ten seconds."""

    window: WindowLimits = WindowLimits()
    first_timeout_ms: int = 5_000
    least_timeout_ms: int = 2_000  # a centre may gather acknowledgements for a second
    most_timeout_ms: int = 60_000
    jitter: float = 0.25
    samples_per_s: int = 150_000  # about 3 MB/s; a slower line holds it back by itself


class _Flight(msgspec.Struct, frozen=True):
    lane: Lane
    sent_ms: int
    deadline_ms: int
    again: bool


class Pacing:
    """The blocks under way on one connection. `draw` gives numbers from 0 to 1."""

    def __init__(self, limits: PacingLimits, draw: Callable[[], float]) -> None:
        self._limits, self._draw = limits, draw
        self._round_trip_ms: float | None = None
        self._deviation_ms = 0.0
        self.connected(0)

    def connected(self, now_ms: int) -> None:
        """A new connection: nothing is under way, and whatever is sent now may have been sent before."""
        self._flights: dict[int, _Flight] = {}
        self._history_under_way = 0
        self._window = Window(self._limits.window, now_ms)
        self._silences, self._heard_since_loss = 0, False
        self._slowed_ms = now_ms
        self._next_check_ms: int | None = None
        self._highest_history = -1
        self._budget, self._budget_at_ms = float(self._limits.samples_per_s) / 10, now_ms

    @property
    def under_way(self) -> Set[int]:
        """The numbers that were sent and are neither acknowledged nor given up."""
        return self._flights.keys()

    @property
    def next_check_ms(self) -> int | None:
        """When the next block may have to be given up; None when nothing is under way."""
        return self._next_check_ms

    @property
    def timeout_ms(self) -> int:
        """How long an acknowledgement may take now, without jitter."""
        limits = self._limits
        if self._round_trip_ms is None:
            timeout_ms = float(limits.first_timeout_ms)
        else:
            timeout_ms = max(limits.least_timeout_ms, self._round_trip_ms + 4 * self._deviation_ms)
        return min(limits.most_timeout_ms, int(timeout_ms) << self._silences)

    def sent(self, number: int, lane: Lane, samples: int, now_ms: int) -> None:
        """A block went out."""
        again = lane is Lane.HISTORY and number <= self._highest_history
        deadline_ms = now_ms + int(self.timeout_ms * (1 + self._limits.jitter * self._draw()))
        self._flights[number] = _Flight(lane, now_ms, deadline_ms, again)
        self._next_check_ms = min(self._next_check_ms or deadline_ms, deadline_ms)
        if lane is Lane.HISTORY:
            self._history_under_way += 1
            self._highest_history = max(self._highest_history, number)
            self._refill(now_ms)
            self._budget -= samples

    def acknowledged(self, ranges: Iterable[BlockRange], now_ms: int) -> None:
        """The centre holds these blocks."""
        silences = self._silences
        for first, last in ranges:
            for number in self._within(first, last):
                flight = self._land(number)
                if flight.again:
                    self._window.widen()
                else:
                    self._measure(now_ms - flight.sent_ms)
                    self._window.follow(now_ms - flight.sent_ms, now_ms)
                self._silences, self._heard_since_loss = 0, True
        if silences and not self._silences:
            self._hurry(now_ms)

    def expire(self, now_ms: int) -> list[int]:
        """Give up the blocks whose time is over: they have to be sent again, as history."""
        if self._next_check_ms is None or now_ms < self._next_check_ms:
            return []
        late = [number for number, flight in self._flights.items() if flight.deadline_ms <= now_ms]
        newest_ms = max((self._land(number).sent_ms for number in late), default=-1)
        self._next_check_ms = min((flight.deadline_ms for flight in self._flights.values()), default=None)
        if newest_ms >= self._slowed_ms:  # what was sent before the last slowing down tells nothing new
            self._slow_down()
            self._slowed_ms = now_ms
        return late

    def room(self, now_ms: int) -> int:
        """How many blocks of history may go out now."""
        self._refill(now_ms)
        return max(0, self._window.size - self._history_under_way) if self._budget > 0 else 0

    def _slow_down(self) -> None:
        if self._heard_since_loss:
            self._window.halve()
            self._heard_since_loss = False
        else:
            self._window.close()
            self._silences = min(self._silences + 1, 8)

    def _hurry(self, now_ms: int) -> None:
        """The centre speaks again: what it did not hear while it was silent need not wait for the long timeouts."""
        for number, flight in self._flights.items():
            usual_ms = flight.sent_ms + int(self.timeout_ms * (1 + self._limits.jitter * self._draw()))
            deadline_ms = min(flight.deadline_ms, max(now_ms, usual_ms))
            self._flights[number] = replace(flight, deadline_ms=deadline_ms)
        self._next_check_ms = min((flight.deadline_ms for flight in self._flights.values()), default=None)

    def _within(self, first: int, last: int) -> list[int]:
        if last - first < len(self._flights):
            return [number for number in range(first, last + 1) if number in self._flights]
        return [number for number in self._flights if first <= number <= last]

    def _land(self, number: int) -> _Flight:
        flight = self._flights.pop(number)
        self._history_under_way -= flight.lane is Lane.HISTORY
        return flight

    def _measure(self, round_trip_ms: int) -> None:
        if self._round_trip_ms is None:
            self._round_trip_ms, self._deviation_ms = float(round_trip_ms), round_trip_ms / 2
            return
        off_ms = round_trip_ms - self._round_trip_ms
        self._deviation_ms += _DEVIATION_GAIN * (abs(off_ms) - self._deviation_ms)
        self._round_trip_ms += _GAIN * off_ms

    def _refill(self, now_ms: int) -> None:
        """Let the budget of samples grow with time, up to what a tenth of a second allows."""
        rate = self._limits.samples_per_s
        self._budget = min(rate / 10, self._budget + rate * (now_ms - self._budget_at_ms) / 1000)
        self._budget_at_ms = now_ms
