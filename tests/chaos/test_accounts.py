"""The settlement is the judge of all runs, so it is judged itself: each way to be wrong must be seen."""

import pytest

from edge_agent.simulator.read_log import CountedAnswer
from edge_agent.wire.gap import GapReason
from ingest_service.store.gaps import KnownGap
from tests.chaos.accounts import Account, settle
from tests.chaos.tap import Delivery
from tests.support.ledger import Row

START_MS = 1_764_000_000_000
VALUES = range(1, 21)


def at_ms(value: int) -> int:
    return START_MS + value * 1000


def answers(values: range = VALUES) -> list[CountedAnswer]:
    return [CountedAnswer(1, value, at_ms(value)) for value in values]


def deliveries(late: tuple[int, ...] = (), never: tuple[int, ...] = ()) -> dict[int, Delivery]:
    return {value: Delivery(at_ms(value), 1.4 if value in late else 0.01) for value in VALUES if value not in never}


def rows(without: tuple[int, ...] = (), again: tuple[int, ...] = ()) -> list[Row]:
    return [Row(at_ms(value) + 3, value) for value in sorted([*VALUES, *again]) if value not in without]


def gap(first: int, last: int, device: str = "furnace-1", reason: GapReason = GapReason.UNCLEAN_STOP) -> KnownGap:
    return KnownGap(
        home_id="east", edge="gateway", device=device, channels=(), from_ms=at_ms(first) + 4, to_ms=at_ms(last) + 2,
        samples=0, reason=reason, received_at_ms=at_ms(last + 1),
    )  # fmt: skip


def account(**figures: int) -> Account:
    usual = {"answered": 20, "samples_read": 20, "stored": 20}
    return Account(**{**usual, **figures})


def test_a_chain_without_a_hole_owes_nothing() -> None:
    assert settle(answers(), deliveries(), rows(), []).account == account()


def test_a_value_that_is_neither_stored_nor_in_a_gap_is_lost_and_named() -> None:
    found = settle(answers(), deliveries(), rows(without=(7, 8)), [gap(11, 12)])
    assert found.account == account(stored=18, lost=2, false_gaps=1)
    assert any("7, answered at" in text for text in found.complaints)


def test_a_value_that_a_gap_covers_is_recorded() -> None:
    found = settle(answers(), deliveries(), rows(without=(7, 8)), [gap(6, 9)])
    assert found.account == account(stored=18, gap_recorded=2)
    assert not found.complaints


def test_the_end_of_the_chain_can_be_lost_too() -> None:
    assert settle(answers(), deliveries(), rows(without=(20,)), []).account == account(stored=19, lost=1)


@pytest.mark.parametrize(("late", "never"), [((7,), ()), ((), (7,))], ids=["too late", "never"])
def test_what_did_not_reach_the_agent_in_time_was_not_read(late: tuple[int, ...], never: tuple[int, ...]) -> None:
    found = settle(answers(), deliveries(late, never), rows(without=(7,)), [])
    assert found.account == account(unread=1, samples_read=19, stored=19)


def test_what_is_stored_was_read_however_late_it_seemed() -> None:
    assert settle(answers(), deliveries(late=(7,)), rows(), []).account == account()


def test_a_value_stored_twice_is_counted_and_named() -> None:
    found = settle(answers(), deliveries(), rows(again=(5, 5, 9)), [])
    assert found.account == account(duplicated=3)
    assert "5 is stored 3 times" in found.complaints


def test_of_two_values_at_one_time_the_second_cannot_be_seen_and_is_lost() -> None:
    collided = [*rows(without=(20,)), Row(at_ms(4) + 3, 20)]
    assert settle(answers(), deliveries(), collided, []).account == account(stored=19, lost=1)


@pytest.mark.parametrize(
    ("told", "false"),
    [
        (gap(6, 7), 1),  # both neighbours are there, a second apart
        (gap(6, 12), 1),  # read right through
        (gap(0, 1), 0),  # nobody knows what was before
        (gap(6, 7, device=""), 0),  # of the node, which this furnace cannot judge
    ],
)
def test_a_gap_in_which_nothing_is_missing_is_false(told: KnownGap, false: int) -> None:
    assert settle(answers(), deliveries(), rows(), [told]).account == account(false_gaps=false)


def test_a_gap_is_true_where_nobody_asked_for_a_while_though_no_number_is_missing() -> None:
    asked = [CountedAnswer(1, one.value, one.at_ms + 9000 * (one.value > 10)) for one in answers()]
    later = [Row(row.measured_at_ms + 9000 * ((row.value or 0) > 10), row.value) for row in rows()]
    assert settle(asked, deliveries(), later, [gap(10, 19)]).account == account()


def test_a_gap_is_true_though_a_clock_that_was_set_back_makes_it_look_short() -> None:
    asked = [CountedAnswer(1, one.value, one.at_ms + 9000 * (one.value > 10)) for one in answers()]
    assert settle(asked, deliveries(), rows(), [gap(10, 11)]).account == account()


@pytest.mark.parametrize(("told_ms", "lost"), [(2_000, 0), (-2_000, 0), (4_000, 1)])
def test_a_bad_sample_at_that_moment_says_that_the_agent_got_no_value(told_ms: int, lost: int) -> None:
    told = [*rows(without=(9,)), Row(at_ms(9) + told_ms, None)]
    found = settle(answers(), deliveries(), told, [])
    assert found.account == account(stored=19, samples_read=19 + lost, unread=1 - lost, lost=lost)
