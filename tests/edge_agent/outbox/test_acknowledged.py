"""Laws of the acknowledged ranges."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.outbox.acknowledged import MOST_RANGES, with_range
from edge_agent.wire.birth import AcknowledgedRange

ends = st.tuples(st.integers(1, 200), st.integers(0, 12)).map(lambda pair: (pair[0], pair[0] + pair[1]))


def one(first: int, last: int) -> AcknowledgedRange:
    """Block n was measured at 10 n ms."""
    return AcknowledgedRange(first, last, 10 * first, 10 * last)


@given(st.lists(ends, max_size=30))
def test_ranges_hold_exactly_what_was_added_neither_touch_nor_overlap_and_ascend(added: list[tuple[int, int]]) -> None:
    ranges: tuple[AcknowledgedRange, ...] = ()
    for first, last in added:
        ranges = with_range(ranges, one(first, last))
    held = {number for known in ranges for number in range(known.first, known.last + 1)}
    assert held == {number for first, last in added for number in range(first, last + 1)}
    assert all(before.last + 1 < after.first for before, after in pairwise(ranges))
    assert all(known == one(known.first, known.last) for known in ranges)


def test_of_very_many_ranges_the_newest_are_kept() -> None:
    ranges: tuple[AcknowledgedRange, ...] = ()
    for number in range(1, 2 * MOST_RANGES + 41, 2):
        ranges = with_range(ranges, one(number, number))
    assert len(ranges) == MOST_RANGES
    assert (ranges[0].first, ranges[-1].last) == (41, 2 * MOST_RANGES + 39)
