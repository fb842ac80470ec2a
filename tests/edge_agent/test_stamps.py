from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.stamps import MARK_MS, MOST_AHEAD_MS, Discipline, GivenTimes, Stamp, next_stamp, stamp_before
from edge_agent.wire.sample import Reason

GOOD, STEPPED, UNSYNCED = Reason.GOOD, Reason.CLOCK_STEPPED, Reason.CLOCK_UNSYNCED
TEN_YEARS_MS = 3653 * 86_400_000


def stamps(wall_ms: list[int], monotonic_ms: list[int]) -> list[Stamp]:
    """One stamp for each pair of clocks, from a start at which both were 0."""
    stamp, found = Stamp(0, 0), []
    for wall, monotonic in zip(wall_ms, monotonic_ms, strict=True):
        stamp = next_stamp(stamp, wall, monotonic)
        found.append(stamp)
    return found


def test_a_sample_has_wall_time() -> None:
    first = next_stamp(None, 1_000_000, 50)
    assert next_stamp(first, 1_001_000, 1_050) == Stamp(1_001_000, 1_050, GOOD)


def test_two_responses_in_one_millisecond_have_two_times() -> None:
    first = next_stamp(None, 1_000_000, 50)
    assert next_stamp(first, 1_000_000, 50).at_ms == 1_000_001


def test_a_step_forward_is_followed_at_once_and_marked_for_a_minute() -> None:
    seconds = range(1, 91)
    given_out = stamps([3_600_000 + 1_000 * second for second in seconds], [1_000 * second for second in seconds])
    assert [stamp.at_ms for stamp in given_out] == [3_600_000 + 1_000 * second for second in seconds]
    assert [stamp.reason for stamp in given_out] == [STEPPED] * 60 + [GOOD] * 30


def test_after_a_step_back_time_goes_on_at_half_speed_and_marked_until_the_clock_has_caught_up() -> None:
    stamp, marked = Stamp(1_010_000, 0), []
    for second in range(1, 91):
        stamp = next_stamp(stamp, 1_000_000 + second * 1_000, second * 1_000)
        marked.append(stamp.reason is STEPPED)
    assert stamp == Stamp(1_090_000, 90_000, GOOD, stamp.marked_until_ms)
    assert marked == [True] * 75 + [False] * 15  # 10 s ahead, half a second less each second, until 2 s are left


def test_a_start_far_in_the_future_is_left_as_soon_as_the_clock_is_set_right() -> None:
    stamp = next_stamp(None, TEN_YEARS_MS, 0, Discipline.UNSYNCHRONISED)
    assert (stamp.at_ms, stamp.reason) == (TEN_YEARS_MS, UNSYNCED)
    right = next_stamp(stamp, 1_000, 1_000, Discipline.SYNCHRONISED)
    assert (right.at_ms, right.reason) == (1_000, STEPPED)
    later = next_stamp(right, 1_000 + MARK_MS, 1_000 + MARK_MS, Discipline.SYNCHRONISED)
    assert (later.at_ms, later.reason) == (1_000 + MARK_MS, GOOD)


def test_slewing_and_hours_between_two_readings_are_no_step() -> None:
    hour_ms = 3_600_000
    given_out = stamps([hour_ms + 1_800, 2 * hour_ms], [hour_ms, 2 * hour_ms])
    assert [stamp.reason for stamp in given_out] == [GOOD, GOOD]


def test_an_unsynchronised_clock_is_marked_until_it_is_synchronised() -> None:
    disciplines = [Discipline.UNSYNCHRONISED, Discipline.UNSYNCHRONISED, Discipline.SYNCHRONISED, Discipline.UNWATCHED]
    stamp, reasons = None, []
    for second, discipline in enumerate(disciplines):
        stamp = next_stamp(stamp, second * 1_000, second * 1_000, discipline)
        reasons.append(stamp.reason)
    assert reasons == [UNSYNCED, UNSYNCED, GOOD, GOOD]


CLOCKS = st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 100_000)), min_size=2, max_size=40)


@given(CLOCKS)
def test_times_rise_unless_the_wall_clock_is_set_back_by_minutes_and_then_they_are_its(
    readings: list[tuple[int, int]],
) -> None:
    stamp, monotonic_ms = next_stamp(None, *readings[0]), readings[0][1]
    for wall_ms, elapsed_ms in readings[1:]:
        monotonic_ms += elapsed_ms
        before, stamp = stamp, next_stamp(stamp, wall_ms, monotonic_ms)
        was_far_ahead = before.at_ms + elapsed_ms - wall_ms > MOST_AHEAD_MS
        assert (stamp.at_ms == wall_ms and stamp.reason is STEPPED) if was_far_ahead else stamp.at_ms > before.at_ms


@given(CLOCKS)
def test_no_time_is_further_in_the_future_than_a_centre_takes(readings: list[tuple[int, int]]) -> None:
    walls = [wall for wall, _ in readings]
    monotonics = [sum(elapsed for _, elapsed in readings[: at + 1]) for at in range(len(readings))]
    given_out = stamps(walls, monotonics)
    assert all(stamp.at_ms <= wall + MOST_AHEAD_MS + 1 for stamp, wall in zip(given_out, walls, strict=True))


@given(st.lists(st.integers(0, 5_000), min_size=2, max_size=60))
def test_while_the_wall_clock_only_goes_on_nothing_is_marked_and_nothing_moved_by_more_than_needed(
    pauses_ms: list[int],
) -> None:
    moments = [sum(pauses_ms[: at + 1]) for at in range(len(pauses_ms))]
    given_out = stamps(moments, moments)
    assert all(stamp.reason is GOOD for stamp in given_out)
    assert all(before.at_ms < after.at_ms for before, after in pairwise(given_out))
    assert all(0 <= stamp.at_ms - moment <= len(moments) for stamp, moment in zip(given_out, moments, strict=True))


def test_a_run_goes_on_behind_the_newest_sample_of_the_run_before_where_the_clock_was_set_back() -> None:
    assert stamp_before(1_000_000, 1_005_000, 50) is None
    behind = next_stamp(stamp_before(1_000_000, 990_000, 50), 990_100, 150)
    assert (behind.at_ms, behind.reason) == (1_000_050, STEPPED)
    far = next_stamp(stamp_before(1_000_000 + MOST_AHEAD_MS, 990_000, 50), 990_100, 150)
    assert far.at_ms == 990_100


def test_times_that_were_given_while_the_clock_was_ahead_are_passed_over_afterwards() -> None:
    given_out = GivenTimes()
    ahead = [given_out.free(at_ms) for at_ms in (1_000, 500_000, 501_000, 501_001, 502_000)]
    again = [given_out.free(at_ms) for at_ms in (2_000, 500_000, 501_000, 501_500, 502_000, 503_000)]
    assert ahead == [1_000, 500_000, 501_000, 501_001, 502_000]
    assert again == [2_000, 500_001, 501_002, 501_500, 502_001, 503_000]


@given(st.lists(st.tuples(st.integers(-400_000, 400_000), st.integers(0, 900)), min_size=2, max_size=80))
def test_no_time_is_given_twice_however_often_the_clock_is_set(steps: list[tuple[int, int]]) -> None:
    given_out, stamp, offset_ms, monotonic_ms = GivenTimes(), Stamp(1_000_000, 0), 1_000_000, 0
    times = [given_out.free(stamp.at_ms)]
    for step_ms, elapsed_ms in steps:
        monotonic_ms += elapsed_ms
        offset_ms += step_ms // 100_000 * 100_000
        stamp = next_stamp(stamp, monotonic_ms + offset_ms, monotonic_ms)
        times.append(given_out.free(stamp.at_ms))
        stamp = Stamp(times[-1], stamp.monotonic_ms, stamp.reason, stamp.marked_until_ms)
    assert len(times) == len(set(times))
