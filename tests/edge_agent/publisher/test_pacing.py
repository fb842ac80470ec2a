from hypothesis import given
from hypothesis import strategies as st

from edge_agent.publisher.pacing import Lane, Pacing, PacingLimits
from edge_agent.publisher.window import WindowLimits

LIMITS = PacingLimits(window=WindowLimits(first=4, most=16), jitter=0.25)


def pacing(draw: float = 0.0, limits: PacingLimits = LIMITS) -> Pacing:
    return Pacing(limits, lambda: draw)


def send(paced: Pacing, numbers: range, now_ms: int, lane: Lane = Lane.HISTORY) -> None:
    for number in numbers:
        paced.sent(number, lane, 1, now_ms)


def test_the_window_opens_with_each_round_of_acknowledgements_up_to_its_limit() -> None:
    paced, now_ms, number, windows = pacing(), 0, 1, []
    for _ in range(4):
        room = paced.room(now_ms)
        windows.append(room)
        send(paced, range(number, number + room), now_ms)
        assert paced.room(now_ms) == 0
        now_ms += 100
        paced.acknowledged([(number, number + room - 1)], now_ms)
        number += room
    assert windows == [4, 8, 16, 16]


def test_live_blocks_need_no_window() -> None:
    paced = pacing()
    send(paced, range(1, 100), 0, Lane.LIVE)
    assert paced.room(0) == 4
    assert paced.under_way == set(range(1, 100))


def test_a_block_without_acknowledgement_is_given_up_after_the_timeout_with_jitter() -> None:
    paced = pacing(draw=1.0)
    send(paced, range(1, 3), 1000)
    assert paced.next_check_ms == 1000 + 5000 * 1.25
    assert paced.expire(7249) == []
    assert paced.expire(7250) == [1, 2]
    assert not paced.under_way
    assert paced.next_check_ms is None


def test_while_the_centre_is_silent_one_block_is_tried_at_growing_intervals() -> None:
    paced, now_ms, intervals = pacing(), 0, []
    for number in range(1, 7):
        send(paced, range(number, number + 1), now_ms)
        assert paced.next_check_ms is not None
        intervals.append(paced.next_check_ms - now_ms)
        now_ms = paced.next_check_ms
        assert paced.expire(now_ms) == [number]
        assert paced.room(now_ms) == 1
    assert intervals == [5000, 10_000, 20_000, 40_000, 60_000, 60_000]


def test_an_acknowledgement_of_a_live_block_reopens_the_window_after_silence() -> None:
    paced = pacing()
    send(paced, range(1, 2), 0)
    paced.expire(5000)
    assert (paced.room(5000), paced.timeout_ms) == (1, 10_000)
    send(paced, range(2, 4), 5000, Lane.LIVE)
    paced.acknowledged([(2, 3)], 5100)
    assert (paced.room(5100), paced.timeout_ms) == (3, 2000)


def test_when_the_centre_speaks_again_nothing_waits_for_the_long_timeouts_of_its_silence() -> None:
    paced = pacing()
    send(paced, range(1, 2), 0)
    assert paced.expire(5000) == [1]
    send(paced, range(1, 2), 5000)
    send(paced, range(2, 5), 6000, Lane.LIVE)
    send(paced, range(5, 6), 8400, Lane.LIVE)
    paced.acknowledged([(5, 5)], 8500)
    assert paced.expire(8500) == [1, 2, 3, 4]
    send(paced, range(6, 7), 8500, Lane.LIVE)
    assert paced.next_check_ms == 8500 + paced.timeout_ms


def test_blocks_of_one_round_that_are_given_up_one_after_another_are_one_silence() -> None:
    paced = pacing()
    for number in range(1, 6):
        send(paced, range(number, number + 1), number * 1000, Lane.LIVE)
    for number in range(1, 6):
        assert paced.expire(5000 + number * 1000) == [number]
    assert paced.timeout_ms == 10_000


def test_a_single_loss_halves_the_window() -> None:
    paced = pacing()
    send(paced, range(1, 5), 0)
    paced.acknowledged([(1, 3)], 100)
    assert paced.expire(5000) == [4]
    assert paced.room(5000) == 3


def test_the_timeout_follows_the_round_trip() -> None:
    paced, now_ms = pacing(), 0
    for number in range(1, 60):
        send(paced, range(number, number + 1), now_ms, Lane.LIVE)
        now_ms += 3000
        paced.acknowledged([(number, number)], now_ms)
    assert 3000 <= paced.timeout_ms < 3100


def test_an_acknowledgement_of_something_sent_twice_measures_nothing() -> None:
    paced = pacing()
    send(paced, range(1, 2), 0)
    paced.expire(5000)
    send(paced, range(1, 2), 5000)
    paced.acknowledged([(1, 1)], 5001)
    assert paced.timeout_ms == 5000


def test_history_is_held_back_when_its_samples_per_second_are_spent() -> None:
    paced = pacing(limits=PacingLimits(samples_per_s=1000))
    paced.sent(1, Lane.HISTORY, 150, 0)
    assert paced.room(0) == 0
    assert paced.room(50) == 0
    assert paced.room(60) == 31


def test_an_acknowledgement_of_blocks_that_are_not_under_way_changes_nothing() -> None:
    paced = pacing()
    send(paced, range(1, 3), 0)
    paced.acknowledged([(3, 2**63), (0, 0)], 10)
    assert paced.under_way == {1, 2}


@given(st.lists(st.tuples(st.sampled_from(["send", "live", "ack", "wait"]), st.integers(0, 40)), max_size=60))
def test_every_block_sent_is_under_way_until_acknowledged_or_given_up(steps: list[tuple[str, int]]) -> None:
    paced, now_ms, number = pacing(), 0, 0
    model: set[int] = set()
    history: set[int] = set()
    for kind, size in steps:
        if kind == "ack":
            paced.acknowledged([(number - size, number)], now_ms)
            model -= set(range(number - size, number + 1))
        elif kind == "wait":
            now_ms += size * 200
            model -= set(paced.expire(now_ms))
        else:
            lane = Lane.LIVE if kind == "live" else Lane.HISTORY
            number += 1
            send(paced, range(number, number + 1), now_ms, lane)
            model.add(number)
            history |= {number} if lane is Lane.HISTORY else set()
        assert paced.under_way == model
        assert 0 <= paced.room(now_ms) <= max(0, 16 - len(model & history))
        assert (paced.next_check_ms is not None) or not model
