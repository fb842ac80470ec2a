from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_service.store.batch import BlockRef
from ingest_service.store.held import HeldBlocks, HeldRange, Ranges, joined


def ref(block: int, edge_id: int = 1, epoch: int = 7) -> BlockRef:
    return BlockRef(1, edge_id, epoch, block, 0, 0, 0, 0)


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 5)), max_size=40))
def test_ranges_hold_what_was_added_and_neither_touch_nor_overlap(added: list[tuple[int, int]]) -> None:
    ranges, expected = Ranges(), set[int]()
    for first, length in added:
        ranges.add(first, first + length)
        expected |= set(range(first, first + length + 1))
    assert {number for number in range(70) if number in ranges} == expected
    pairs = list(zip(ranges.firsts, ranges.lasts, strict=True))
    assert all(first <= last for first, last in pairs)
    assert all(last + 1 < first for (_, last), (first, _) in pairwise(pairs))


def test_blocks_in_order_are_one_range() -> None:
    assert joined([ref(3), ref(1), ref(2), ref(9)]) == [HeldRange(1, 7, 1, 3), HeldRange(1, 7, 9, 9)]
    assert joined([ref(0)]) == []


@given(st.sets(st.tuples(st.integers(1, 3), st.integers(0, 2), st.integers(1, 9))))
def test_joined_ranges_hold_just_the_blocks(keys: set[tuple[int, int, int]]) -> None:
    ranges = joined(ref(block, edge_id, epoch) for edge_id, epoch, block in keys)
    assert {(one.edge_id, one.epoch, block) for one in ranges for block in range(one.first, one.last + 1)} == keys
    assert sorted(HeldBlocks(ranges), key=repr) == sorted(ranges, key=repr)


@pytest.mark.parametrize(
    ("held", "asked", "fresh"),
    [
        pytest.param([1, 2], [2, 3], [3], id="a held one is left out"),
        pytest.param([], [4, 4], [4], id="one that comes twice is taken once"),
        pytest.param([], [0, 0], [0, 0], id="one without a number is always taken"),
    ],
)
def test_only_blocks_that_are_not_held_are_fresh(held: list[int], asked: list[int], fresh: list[int]) -> None:
    blocks = HeldBlocks(HeldRange(1, 7, block, block) for block in held)
    assert [one.block for one in blocks.unheld(ref(block) for block in asked)] == fresh


def test_outboxes_are_told_apart_by_edge_and_epoch() -> None:
    blocks = HeldBlocks([HeldRange(1, 7, 1, 5)])
    asked = [ref(3), ref(3, edge_id=2), ref(3, epoch=8)]
    assert blocks.unheld(asked) == asked[1:]
