from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.outbox import Block, Gap, GapReason, waiting
from edge_agent.outbox.waiting import Waiting
from edge_agent.wire.sample import Sample

EPOCH, MOST = 7, 4


def block(number: int) -> Block:
    return Block(number, "furnace-1", (Sample(1, number, 1.0),))


@pytest.fixture(autouse=True, scope="module")
def _little_memory() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(waiting, "MAX_BLOCKS", MOST)
        yield


def samples(found: Waiting) -> int:
    """All that waits, in blocks and in losses."""
    group = found.take(MOST)
    found.let_go()
    return len(group.blocks) + sum(gap.samples for gap in group.gaps)


@given(st.lists(st.sampled_from(["add", "write", "refuse"])))
def test_whatever_comes_is_written_once_or_waits_or_is_a_loss(steps: list[str]) -> None:
    found, written, added = Waiting(), list[int](), 0
    lost = 0
    for step in steps:
        if step == "add":
            added += 1
            found.add(block(added), EPOCH)
            assert len(found) <= MOST
            continue
        group = found.take(2)
        if step == "write":
            written += [one.number for one in group.blocks]
            lost += sum(gap.samples for gap in group.gaps)
            found.forget_taken()
        found.let_go()
    assert written == sorted(set(written))
    assert len(written) + lost + samples(found) == added


def test_what_is_being_written_is_not_dropped_when_memory_is_full() -> None:
    found = Waiting()
    for number in range(1, MOST + 1):
        found.add(block(number), EPOCH)
    assert [one.number for one in found.take(2).blocks] == [1, 2]
    found.add(block(MOST + 1), EPOCH)
    found.forget_taken()
    found.let_go()
    group = found.take(MOST)
    assert [one.number for one in group.blocks] == [4, 5]
    assert group.gaps == (Gap("furnace-1", 3, 3, 1, GapReason.DISK_FULL, (), EPOCH, 3, 3),)


def test_what_is_given_up_is_one_loss() -> None:
    found = Waiting()
    for number in (1, 2, 3):
        found.add(block(number), EPOCH)
    assert found.give_up(EPOCH) == 3
    group = found.take(MOST)
    assert (group.blocks, [(gap.samples, gap.reason) for gap in group.gaps]) == ((), [(3, GapReason.DISK_FULL)])
    found.forget_taken()
    found.let_go()
    assert found.is_empty
