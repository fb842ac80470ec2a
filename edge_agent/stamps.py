"""Times of samples: wall time, but strictly rising whatever the wall clock does (pure)."""

import msgspec

from edge_agent.wire.sample import Reason

STEP_MS = 2_000  # a wall clock that departs by more from elapsed time was set, not disciplined


class Stamp(msgspec.Struct, frozen=True):
    """A sample's time (ms since 1970 UTC), the monotonic time that goes with it, and whether the wall clock stepped."""

    at_ms: int
    monotonic_ms: int
    reason: Reason = Reason.GOOD


def next_stamp(previous: Stamp | None, wall_ms: int, monotonic_ms: int) -> Stamp:
    """The time of a response that arrives now; always later than the previous one.

    Ahead of the wall clock, time goes on at half speed until the wall clock has caught up.
    """
    if previous is None:
        return Stamp(wall_ms, monotonic_ms)
    elapsed_ms = monotonic_ms - previous.monotonic_ms
    at_ms = max(wall_ms, previous.at_ms + max(1, elapsed_ms // 2))
    departure_ms = wall_ms - (previous.at_ms + elapsed_ms)
    return Stamp(at_ms, monotonic_ms, Reason.CLOCK_STEPPED if abs(departure_ms) > STEP_MS else Reason.GOOD)
