from hypothesis import given
from hypothesis import strategies as st

from ingest_service.intake.sequence import Sequencer


def offer_all(sequencer: Sequencer[int], numbers: list[int], now_ms: int = 0) -> list[int]:
    return [ready for number in numbers for ready in sequencer.offer(number % 256, number, now_ms)]


def begun() -> Sequencer[int]:
    sequencer: Sequencer[int] = Sequencer(2000)
    sequencer.begin(0)
    return sequencer


def test_messages_in_order_pass_at_once_round_and_round() -> None:
    numbers = list(range(1, 600))
    assert offer_all(begun(), numbers) == numbers


@given(st.integers(0, 255), st.permutations(list(range(1, 30))))
def test_any_disorder_comes_out_in_order(first: int, order: list[int]) -> None:
    sequencer: Sequencer[int] = Sequencer(2000)
    sequencer.begin(first)
    assert offer_all(sequencer, [first + number for number in order]) == [first + number for number in range(1, 30)]
    assert not sequencer.overdue(10**9)


def test_a_gap_is_overdue_only_after_the_reorder_timeout() -> None:
    sequencer = begun()
    assert offer_all(sequencer, [1, 3], now_ms=1000) == [1]
    assert not sequencer.overdue(2999)
    assert sequencer.overdue(3000)
    assert sequencer.gaps == 1


def test_a_gap_that_closes_in_time_is_no_trouble() -> None:
    sequencer = begun()
    assert offer_all(sequencer, [2, 3, 1], now_ms=1000) == [1, 2, 3]
    assert not sequencer.overdue(99_999)


def test_a_birth_begins_anew_and_what_was_held_is_dropped_and_counted() -> None:
    sequencer = begun()
    offer_all(sequencer, [5, 6])
    sequencer.begin(0)
    assert sequencer.dropped == 2
    assert offer_all(sequencer, [1, 2]) == [1, 2]
    assert not sequencer.overdue(99_999)


def test_what_is_held_can_be_released_in_order() -> None:
    sequencer: Sequencer[int] = Sequencer(2000)
    sequencer.begin(250)
    offer_all(sequencer, [258, 253, 256])
    assert sequencer.release() == [253, 256, 258]


def test_half_a_round_is_held_and_then_only_a_birth_helps() -> None:
    sequencer = begun()
    assert offer_all(sequencer, list(range(2, 700))) == []
    assert sequencer.overdue(0)
    assert sequencer.dropped == 698 - 128
    assert sequencer.release() == list(range(2, 130))


def test_what_is_missing_is_of_no_use_after_the_reorder_timeout() -> None:
    sequencer = begun()
    offer_all(sequencer, [2, 3], now_ms=0)
    assert offer_all(sequencer, [1], now_ms=2000) == []
    assert sequencer.release() == [1, 2, 3]


def test_a_seq_that_no_edge_may_send_is_dropped() -> None:
    sequencer = begun()
    assert sequencer.offer(999, 999, 0) == []
    assert sequencer.dropped == 1
