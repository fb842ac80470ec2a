from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.stamps import Stamp, next_stamp
from edge_agent.wire.sample import Reason


def test_a_sample_has_wall_time() -> None:
    first = next_stamp(None, 1_000_000, 50)
    assert next_stamp(first, 1_001_000, 1_050) == Stamp(1_001_000, 1_050, Reason.GOOD)


def test_two_responses_in_one_millisecond_have_two_times() -> None:
    first = next_stamp(None, 1_000_000, 50)
    assert next_stamp(first, 1_000_000, 50).at_ms == 1_000_001


def test_a_step_forward_is_followed_and_marked_once() -> None:
    stepped = next_stamp(Stamp(1_000_000, 0), 5_000_000, 1_000)
    assert stepped == Stamp(5_000_000, 1_000, Reason.CLOCK_STEPPED)
    assert next_stamp(stepped, 5_001_000, 2_000).reason is Reason.GOOD


def test_after_a_step_back_time_goes_on_slowly_and_marked_until_the_clock_has_caught_up() -> None:
    stamp = Stamp(1_010_000, 0)
    marked = 0
    for second in range(1, 40):
        stamp = next_stamp(stamp, 1_000_000 + second * 1_000, second * 1_000)
        marked += stamp.reason is Reason.CLOCK_STEPPED
    assert stamp == Stamp(1_039_000, 39_000, Reason.GOOD)
    assert marked == 16  # 10 s ahead, half a second less each second, until 2 s are left


@given(st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 5_000)), min_size=2, max_size=40))
def test_times_rise_whatever_the_wall_clock_does(readings: list[tuple[int, int]]) -> None:
    stamp, monotonic_ms, times = None, 0, []
    for wall_ms, elapsed_ms in readings:
        monotonic_ms += elapsed_ms
        stamp = next_stamp(stamp, wall_ms, monotonic_ms)
        times.append(stamp.at_ms)
    assert all(before < after for before, after in pairwise(times))
