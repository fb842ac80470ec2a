import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.scan import all_due_at, first_slots, take_due


def test_everything_is_due_at_the_start_and_then_once_a_period() -> None:
    slots = first_slots([1_000, 5_000], 100)
    due = take_due(slots, 100)
    assert (due.periods_ms, due.skipped, due.slots.next_ms) == ((1_000, 5_000), 0, (1_100, 5_100))
    assert take_due(due.slots, 1_099).periods_ms == ()
    assert take_due(due.slots, 1_100).periods_ms == (1_000,)


def test_lateness_does_not_move_the_grid() -> None:
    due = take_due(take_due(first_slots([1_000], 0), 0).slots, 1_250)
    assert due.slots.next_ms == (2_000,)


@pytest.mark.parametrize(
    ("now_ms", "skipped"),
    [
        pytest.param(1_999, 0, id="late within the slot"),
        pytest.param(2_000, 1, id="the next slot has begun"),
        pytest.param(4_500, 3, id="three slots went by"),
    ],
)
def test_missed_slots_are_counted_and_left_out(now_ms: int, skipped: int) -> None:
    due = take_due(take_due(first_slots([1_000], 0), 0).slots, now_ms)
    assert due.skipped == skipped
    assert due.slots.earliest_ms > now_ms


def test_a_failed_device_is_asked_for_everything_off_the_grid_then_returns_to_it() -> None:
    slots = all_due_at(take_due(first_slots([1_000, 60_000], 0), 0).slots, 1_730)
    due = take_due(slots, 1_730)
    assert (due.periods_ms, due.skipped, due.slots.next_ms) == ((1_000, 60_000), 0, (2_000, 60_000))


@given(st.integers(100, 5_000), st.lists(st.integers(0, 7_000), min_size=1, max_size=30))
def test_used_and_skipped_slots_are_all_slots(period_ms: int, pauses_ms: list[int]) -> None:
    slots, now_ms, used = first_slots([period_ms], 0), 0, 0
    for pause_ms in pauses_ms:
        now_ms += pause_ms
        due = take_due(slots, now_ms)
        used += len(due.periods_ms) + due.skipped
        slots = due.slots
    assert used == now_ms // period_ms + 1
    assert slots.earliest_ms == (now_ms // period_ms + 1) * period_ms
