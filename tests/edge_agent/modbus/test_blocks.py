from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from edge_agent.modbus.blocks import Block, Extent, ReadRules, plan_blocks
from edge_agent.modbus.value import Table

CASES = [
    pytest.param([(0, 2), (2, 2), (4, 1)], 125, 0, [], [(0, 5)], id="neighbours are one read"),
    pytest.param([(0, 2), (10, 2)], 125, 8, [], [(0, 12)], id="a hole of eight is read through"),
    pytest.param([(0, 2), (11, 2)], 125, 8, [], [(0, 2), (11, 2)], id="a hole of nine is not"),
    pytest.param([(0, 2), (124, 2)], 125, 200, [], [(0, 2), (124, 2)], id="126 registers are two reads"),
    pytest.param([(0, 2), (123, 2)], 125, 200, [], [(0, 125)], id="125 registers are one"),
    pytest.param([(8, 2), (9, 2)], 10, 0, [], [(8, 3)], id="overlapping values share a read"),
    pytest.param([(0, 1), (4, 1)], 125, 8, [(2, 2)], [(0, 1), (4, 1)], id="a forbidden register is never crossed"),
    pytest.param([(0, 5), (1, 10), (2, 4)], 10, 0, [], [(0, 6), (1, 10)], id="a value that does not fit waits"),
    pytest.param([(7, 2), (0, 2)], 125, 0, [], [(0, 2), (7, 2)], id="the order of the channels does not matter"),
    pytest.param([], 125, 0, [], [], id="nothing to read"),
]


@pytest.mark.parametrize(("values", "cap", "hole", "forbidden", "expected"), CASES)
def test_blocks_are_as_expected(
    values: list[tuple[int, int]],
    cap: int,
    hole: int,
    forbidden: list[tuple[int, int]],
    expected: list[tuple[int, int]],
) -> None:
    blocks = plan_blocks(Table.HOLDING, [Extent(*value) for value in values], ReadRules(cap, hole, tuple(forbidden)))
    assert [(block.first, block.count) for block in blocks] == expected


@pytest.mark.parametrize(
    ("value", "message"),
    [
        pytest.param(Extent(0, 11), "exceed 10", id="wider than a read"),
        pytest.param(Extent(19, 2), "must not be read", id="reaches into a forbidden range"),
    ],
)
def test_a_value_that_no_read_may_hold_is_refused(value: Extent, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plan_blocks(Table.INPUT, [value], ReadRules(10, 0, ((20, 29),)))


EXTENTS = st.lists(st.builds(Extent, st.integers(0, 60), st.integers(1, 4)), min_size=1, max_size=14)
FORBIDDEN = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 3)).map(lambda p: (p[0], p[0] + p[1])), max_size=2)
RULES = st.builds(ReadRules, st.integers(4, 30), st.integers(0, 12), FORBIDDEN.map(tuple))


def allowed(extents: Sequence[Extent], rules: ReadRules) -> list[Extent]:
    return [e for e in extents if not any(e.first <= last and e.last >= first for first, last in rules.forbidden)]


def longest_hole(block: Block, asked: set[int]) -> int:
    held = sorted(asked & set(range(block.first, block.first + block.count)))
    return max((after - before - 1 for before, after in pairwise(held)), default=0)


@given(EXTENTS, RULES)
def test_a_plan_reads_every_value_whole_and_keeps_the_rules(extents: list[Extent], rules: ReadRules) -> None:
    extents = allowed(extents, rules)
    blocks = plan_blocks(Table.HOLDING, extents, rules)
    asked = {address for e in extents for address in range(e.first, e.last + 1)}
    assert sorted(member for block in blocks for member in block.members) == list(range(len(extents)))
    for block in blocks:
        last = block.first + block.count - 1
        assert all(block.first <= extents[m].first and extents[m].last <= last for m in block.members)
        assert block.count <= rules.max_count
        assert not any(block.first <= end and last >= start for start, end in rules.forbidden)
        assert longest_hole(block, asked) <= rules.max_hole


def merged_greedily(extents: Sequence[Extent], rules: ReadRules) -> int:
    """How many blocks one pass makes that only ever extends the block in hand."""
    count, first, last = 0, 0, 0
    for extent in sorted(extents):
        crossed = any(first <= end and extent.last >= start for start, end in rules.forbidden)
        too_long = max(last, extent.last) - first + 1 > rules.max_count
        if count == 0 or crossed or too_long or extent.first - last - 1 > rules.max_hole:
            count, first, last = count + 1, extent.first, extent.last
        last = max(last, extent.last)
    return count


@given(EXTENTS, RULES)
def test_a_plan_is_never_worse_than_greedy_merging(extents: list[Extent], rules: ReadRules) -> None:
    extents = allowed(extents, rules)
    assert len(plan_blocks(Table.HOLDING, extents, rules)) <= merged_greedily(extents, rules)


def fewest(extents: Sequence[Extent], cap: int) -> int:
    """By trying every way to place the read that holds the first value that is left."""
    if not extents:
        return 0
    left = min(extents)
    starts = range(left.last - cap + 1, left.first + 1)
    plans = ([e for e in extents if not (start <= e.first and e.last < start + cap)] for start in starts)
    return 1 + min(fewest(rest, cap) for rest in plans)


@given(st.lists(st.builds(Extent, st.integers(0, 15), st.integers(1, 4)), max_size=6), st.integers(4, 7))
def test_no_plan_needs_fewer_reads(extents: list[Extent], cap: int) -> None:
    assume(len(set(extents)) == len(extents))
    assert len(plan_blocks(Table.HOLDING, extents, ReadRules(cap, 100))) == fewest(extents, cap)
