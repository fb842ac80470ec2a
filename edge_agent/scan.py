"""Which scan classes of a device are due: a fixed grid from the start, so that lateness never adds up (pure).

All times are ms of a monotonic clock. Slots that were missed are counted and left out, never made up for.
"""

from collections.abc import Sequence

import msgspec


class Slots(msgspec.Struct, frozen=True):
    """The scan classes of one device, by their periods, and when each is due next."""

    start_ms: int
    periods_ms: tuple[int, ...]
    next_ms: tuple[int, ...]

    @property
    def earliest_ms(self) -> int:
        """When the next class is due."""
        return min(self.next_ms)


class Due(msgspec.Struct, frozen=True):
    """The periods of the classes that are due, how many slots went by unused, and the slots from here on."""

    periods_ms: tuple[int, ...]
    skipped: int
    slots: Slots


def first_slots(periods_ms: Sequence[int], start_ms: int) -> Slots:
    """Every class due at the start, and from there once a period."""
    return Slots(start_ms, tuple(periods_ms), (start_ms,) * len(periods_ms))


def take_due(slots: Slots, now_ms: int) -> Due:
    """What is due now; the slots that come back are all later than now."""
    due = tuple(period for period, at_ms in zip(slots.periods_ms, slots.next_ms, strict=True) if at_ms <= now_ms)
    following = tuple(
        _slot_after(slots.start_ms, period, now_ms) if at_ms <= now_ms else at_ms
        for period, at_ms in zip(slots.periods_ms, slots.next_ms, strict=True)
    )
    skipped = sum(
        max(0, (after - at_ms - 1) // period)
        for period, at_ms, after in zip(slots.periods_ms, slots.next_ms, following, strict=True)
        if at_ms <= now_ms
    )
    return Due(due, skipped, Slots(slots.start_ms, slots.periods_ms, following))


def all_due_at(slots: Slots, at_ms: int) -> Slots:
    """Every class due at one moment, off the grid: the next attempt with a device that failed."""
    return Slots(slots.start_ms, slots.periods_ms, (at_ms,) * len(slots.periods_ms))


def _slot_after(start_ms: int, period_ms: int, now_ms: int) -> int:
    return start_ms + ((now_ms - start_ms) // period_ms + 1) * period_ms
