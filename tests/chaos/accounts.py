"""Settles what the furnaces answered against what the centre stores and what it knows to be missing. Pure."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import msgspec

from edge_agent.simulator.read_log import CountedAnswer
from ingest_service.store.gaps import KnownGap
from tests.chaos.tap import Delivery
from tests.support.ledger import Row

ANSWER_S = 1.0  # how long an agent waits for an answer
LATE_S = 0.9 * ANSWER_S
HOLE_MS = 1_080  # furnaces are read every second: where two samples lie further apart, a poll was not made
SLACK_MS = 50
NEAR_MS = 2_500  # between an answer and the bad sample that tells of it lies the agent's timeout
UNKNOWN_MS = 0


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One furnace, or the sum of many. `answered` is `unread` (did not reach the agent in time) and `samples_read`.

    `samples_read` are stored once, or missing and explained by a gap (`gap_recorded`), or lost.
    """

    answered: int = 0
    unread: int = 0
    samples_read: int = 0
    stored: int = 0
    duplicated: int = 0
    lost: int = 0
    gap_recorded: int = 0
    false_gaps: int = 0

    def __add__(self, other: "Account") -> "Account":
        names = Account.__struct_fields__
        return Account(**{name: getattr(self, name) + getattr(other, name) for name in names})


class Settlement(msgspec.Struct, frozen=True):
    """The account of one furnace, with what is wrong in words."""

    account: Account
    complaints: tuple[str, ...]


def settle(
    answers: Sequence[CountedAnswer],
    deliveries: Mapping[int, Delivery],
    rows: Sequence[Row],
    gaps: Sequence[KnownGap],
) -> Settlement:
    """One furnace: its counter's answers, those that reached the agent by value, its stored rows, gaps that concern it.

    A missing value counts as explained when a gap record overlaps the time between its stored neighbours, and as not
    read when a bad sample tells of that moment. A value whose row shares its time with an earlier one cannot be seen
    any more, so it is lost.
    """
    good = [row for row in rows if row.value is not None]
    neighbours = Neighbours(good, answers)
    bad = sorted(row.measured_at_ms for row in rows if row.value is None)
    copies = Counter(row.value for row in good if row.value is not None)
    visible = set({row.measured_at_ms: row.value for row in reversed(good)}.values())
    read = [
        one
        for one in answers
        if one.value in visible
        or (_was_delivered(deliveries.get(one.value)) and not _is_near(bad, neighbours.expected_ms(one)))
    ]
    missing = [one for one in read if one.value not in visible]
    explained = [one for one in missing if _explains(gaps, neighbours.around(one.value))]
    lost = [one for one in missing if one not in explained]
    twice = {value: count for value, count in copies.items() if count > 1}
    false = [gap for gap in gaps if gap.device and is_false(gap, good, neighbours.answered_ms)]
    account = Account(
        answered=len(answers),
        unread=len(answers) - len(read),
        samples_read=len(read),
        stored=len(visible),
        duplicated=sum(twice.values()) - len(twice),
        lost=len(lost),
        gap_recorded=len(explained),
        false_gaps=len(false),
    )
    return Settlement(account, tuple(_complaints(lost, twice, false, neighbours)))


class Neighbours:
    """Which stored samples come before and after a counter value."""

    def __init__(self, good: Iterable[Row], answers: Iterable[CountedAnswer]) -> None:
        self._times: dict[int, int] = {}
        for row in good:
            if row.value is not None:
                self._times.setdefault(row.value, row.measured_at_ms)
        self._values = sorted(self._times)
        self.answered_ms = {answer.value: answer.at_ms for answer in answers}

    def expected_ms(self, answer: CountedAnswer) -> int:
        """When it should have been measured by the agent's clock, reckoned from the value before it."""
        at = bisect_left(self._values, answer.value)
        if not at:
            return answer.at_ms
        before = self._values[at - 1]
        return self._times[before] + answer.at_ms - self.answered_ms[before]

    def around(self, value: int) -> tuple[int, int]:
        """Their times, ms; wide open where there is none."""
        at = bisect_left(self._values, value)
        earliest = self._times[self._values[at - 1]] if at else 0
        latest = self._times[self._values[at]] if at < len(self._values) else 2**62
        return min(earliest, latest), max(earliest, latest)


def is_false(gap: KnownGap, good: Sequence[Row], answered_ms: Mapping[int, int]) -> bool:
    """True when the furnace was read right through the gap: no value and no second is missing in or beside it.

    Whether seconds are missing is judged by the furnace's clock, since the agent's may be set meanwhile.
    """
    if gap.from_ms == UNKNOWN_MS:
        return False
    rows = sorted(good, key=lambda row: row.measured_at_ms)
    before = [row for row in rows if row.measured_at_ms < gap.from_ms][-1:]
    after = [row for row in rows if row.measured_at_ms > gap.to_ms][:1]
    if not before or not after:
        return False
    inside = [row for row in rows if gap.from_ms <= row.measured_at_ms <= gap.to_ms]
    values = [row.value for row in (*before, *inside, *after) if row.value is not None]
    return all(
        later - value == 1 and answered_ms[later] - answered_ms[value] <= HOLE_MS for value, later in pairwise(values)
    )


def _was_delivered(delivery: Delivery | None) -> bool:
    return delivery is not None and delivery.after_s < LATE_S


def _is_near(times: Sequence[int], at_ms: int) -> bool:
    """Whether one of these ascending times is at most NEAR_MS away."""
    at = bisect_left(times, at_ms - NEAR_MS)
    return at < len(times) and times[at] <= at_ms + NEAR_MS


def _explains(gaps: Iterable[KnownGap], between: tuple[int, int]) -> bool:
    earliest, latest = between
    return any(gap.from_ms <= latest + SLACK_MS and gap.to_ms >= earliest - SLACK_MS for gap in gaps)


def _complaints(
    lost: Sequence[CountedAnswer], twice: Mapping[int, int], false: Sequence[KnownGap], neighbours: Neighbours
) -> Iterable[str]:
    for answer in lost:
        earliest, latest = neighbours.around(answer.value)
        yield f"furnace {answer.furnace}: {answer.value}, answered at {answer.at_ms}, lost ({earliest} to {latest})"
    for value, count in twice.items():
        yield f"{value} is stored {count} times"
    for gap in false:
        yield f"a false gap: {gap}"
