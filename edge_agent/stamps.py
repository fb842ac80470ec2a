"""Times of samples: wall time, but strictly rising whatever the wall clock does within reason (pure)."""

from array import array
from enum import Enum, auto

import msgspec

from edge_agent.wire.sample import Reason

STEP_MS = 2_000  # a wall clock that departs by more from elapsed time was set, not disciplined
MARK_MS = 60_000  # how long samples say so: every tag that is read each minute says it once
MOST_AHEAD_MS = 300_000  # a centre refuses samples from further in the future, so they would be lost until then
MOST_REMEMBERED = 8_192  # times given last (64 KB); at one a second more than two hours


class Discipline(Enum):
    """Whether wall time is kept right by a time server (NTP, PTP); `UNWATCHED` where nobody can say."""

    SYNCHRONISED = auto()
    UNSYNCHRONISED = auto()
    UNWATCHED = auto()


class Stamp(msgspec.Struct, frozen=True):
    """A sample's time (ms since 1970 UTC), the monotonic time that goes with it, and what to doubt about it.

    Until `marked_until_ms` (monotonic) samples carry the mark of a wall clock that stepped.
    """

    at_ms: int
    monotonic_ms: int
    reason: Reason = Reason.GOOD
    marked_until_ms: int = 0


def next_stamp(
    previous: Stamp | None, wall_ms: int, monotonic_ms: int, discipline: Discipline = Discipline.UNWATCHED
) -> Stamp:
    """The time of a response that arrives now; later than the previous one, but for a clock set right by far.

    Ahead of the wall clock, time goes on at half speed until the wall clock has caught up. Ahead by more than
    MOST_AHEAD_MS the previous times were wrong, and times follow the wall clock at once.
    """
    if previous is None:
        return Stamp(wall_ms, monotonic_ms, _reason(0, monotonic_ms, discipline))
    elapsed_ms = monotonic_ms - previous.monotonic_ms
    departure_ms = wall_ms - (previous.at_ms + elapsed_ms)
    marked_until_ms = monotonic_ms + MARK_MS if abs(departure_ms) > STEP_MS else previous.marked_until_ms
    at_ms = wall_ms
    if departure_ms >= -MOST_AHEAD_MS:
        at_ms = max(wall_ms, previous.at_ms + max(1, elapsed_ms // 2))
    return Stamp(at_ms, monotonic_ms, _reason(marked_until_ms, monotonic_ms, discipline), marked_until_ms)


def stamp_before(newest_ms: int, wall_ms: int, monotonic_ms: int) -> Stamp | None:
    """What the first stamp of a run follows: the newest sample of the run before, where the wall clock is behind it."""
    return Stamp(newest_ms, monotonic_ms) if newest_ms > wall_ms else None


class GivenTimes:
    """Sees to it that no time is given twice, not even when the clock was far ahead and passes the same times again."""

    def __init__(self) -> None:
        self._given = array("q", bytes(8 * MOST_REMEMBERED))
        self._next = self._latest_ms = 0
        self._ahead, self._passed = array("q"), 0

    def free(self, at_ms: int) -> int:
        """That time, or the next one that was not given yet (ms); it counts as given."""
        if at_ms <= self._latest_ms:
            self._ahead, self._passed = array("q", sorted({given for given in self._given if given >= at_ms})), 0
        while self._passed < len(self._ahead) and self._ahead[self._passed] <= at_ms:
            at_ms += self._ahead[self._passed] == at_ms
            self._passed += 1
        self._given[self._next] = self._latest_ms = at_ms
        self._next = (self._next + 1) % MOST_REMEMBERED
        return at_ms


def _reason(marked_until_ms: int, monotonic_ms: int, discipline: Discipline) -> Reason:
    if monotonic_ms < marked_until_ms:
        return Reason.CLOCK_STEPPED
    return Reason.CLOCK_UNSYNCED if discipline is Discipline.UNSYNCHRONISED else Reason.GOOD
