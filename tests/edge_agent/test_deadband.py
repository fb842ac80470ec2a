from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.deadband import ReportFilter, ReportMode, ReportRule, Value, deadband_of_range
from edge_agent.wire.sample import Reason

GOOD, TIMEOUT, AWAY = Reason.GOOD, Reason.TIMEOUT, Reason.NOT_CONNECTED
ON_CHANGE = ReportRule(mode=ReportMode.ON_CHANGE, deadband=0.5)
OR_PERIOD = ReportRule(mode=ReportMode.ON_CHANGE_OR_PERIOD, deadband=0.5, period_ms=10_000, slack_ms=500)
ALWAYS = ReportRule(mode=ReportMode.ALWAYS)
Step = tuple[int, Value, Reason, bool]


@pytest.mark.parametrize(
    ("rule", "steps"),
    [
        pytest.param(ON_CHANGE, [(0, 1.0, GOOD, True)], id="the first value passes"),
        pytest.param(
            ON_CHANGE,
            [(0, 1.0, GOOD, True), (1, 1.5, GOOD, False), (2, 1.51, GOOD, True)],
            id="a change of exactly the deadband stays, more passes",
        ),
        pytest.param(
            ON_CHANGE,
            [(0, 1.0, GOOD, True), (1, 1.4, GOOD, False), (2, 1.8, GOOD, True)],
            id="slow drift is measured from the last reported value",
        ),
        pytest.param(
            ON_CHANGE, [(0, 1.0, GOOD, True), (86_400_000, 1.0, GOOD, False)], id="on change has no sign of life"
        ),
        pytest.param(
            OR_PERIOD,
            [(0, 1.0, GOOD, True), (9_499, 1.0, GOOD, False), (9_500, 1.0, GOOD, True), (18_999, 1.0, GOOD, False)],
            id="the period starts anew at every report",
        ),
        pytest.param(
            OR_PERIOD,
            [(0, 1.0, GOOD, True), (1, None, TIMEOUT, True), (2, None, TIMEOUT, False), (3, 1.0, GOOD, True)],
            id="changes of quality always pass, both ways",
        ),
        pytest.param(
            OR_PERIOD,
            [(0, None, TIMEOUT, True), (1, None, AWAY, True), (10_001, None, AWAY, True)],
            id="another reason passes, and the same one once a period",
        ),
        pytest.param(
            OR_PERIOD,
            [(0, 1.0, GOOD, True), (1, 1.0, Reason.CLOCK_STEPPED, True), (2, 1.0, GOOD, True)],
            id="a doubt passes though the value is the same",
        ),
        pytest.param(ALWAYS, [(0, 1.0, GOOD, True), (1, 1.0, GOOD, True)], id="always means every reading"),
        pytest.param(
            ON_CHANGE, [(0, "A", GOOD, True), (1, "A", GOOD, False), (2, "B", GOOD, True)], id="other text passes"
        ),
    ],
)  # fmt: skip
def test_what_passes(rule: ReportRule, steps: list[Step]) -> None:
    keeper = ReportFilter([ALWAYS, rule])
    passed = [keeper.passes(1, value, reason, at_ms) for at_ms, value, reason, _ in steps]
    assert passed == [expected for *_, expected in steps]


def test_channels_do_not_disturb_each_other() -> None:
    keeper = ReportFilter([ON_CHANGE, ON_CHANGE])
    assert keeper.passes(0, 1.0, GOOD, 0)
    assert keeper.passes(1, 1.0, GOOD, 0)
    assert keeper.passes(0, 2.0, GOOD, 1)
    assert not keeper.passes(1, 1.2, GOOD, 1)


def test_a_deadband_in_percent_is_a_share_of_the_range() -> None:
    assert deadband_of_range(1.0, -50.0, 150.0) == 2.0


def test_when_times_fall_because_the_clock_was_set_right_the_period_starts_anew() -> None:
    keeper = ReportFilter([OR_PERIOD])
    passed = [keeper.passes(0, 1.0, GOOD, at_ms) for at_ms in (9_000_000, 1_000, 2_000, 11_000)]
    assert passed == [True, True, False, True]


VALUES = st.floats(-1e6, 1e6)
REASONS = st.sampled_from([GOOD, Reason.CLOCK_UNSYNCED, Reason.CLOCK_STEPPED, TIMEOUT, AWAY])
READINGS = st.lists(st.tuples(VALUES, REASONS), min_size=1, max_size=60)
DEADBANDS = st.sampled_from([0.0, 0.5, 10.0, 1e5])


@given(READINGS, DEADBANDS, st.sampled_from([ReportMode.ON_CHANGE, ReportMode.ON_CHANGE_OR_PERIOD]))
def test_whoever_hears_the_reports_is_never_wrong_by_more_than_the_deadband_nor_about_the_quality(
    readings: list[tuple[float, Reason]], deadband: float, mode: ReportMode
) -> None:
    keeper = ReportFilter([ReportRule(mode=mode, deadband=deadband)])
    heard: tuple[Value, Reason | None] = (None, None)
    for number, (number_read, reason) in enumerate(readings):
        value = None if reason.is_bad else number_read
        if keeper.passes(0, value, reason, number * 1_000):
            heard = (value, reason)
        assert heard[1] is reason
        if isinstance(value, float):
            assert isinstance(heard[0], float)
            assert abs(heard[0] - value) <= deadband


@given(READINGS, DEADBANDS)
def test_on_change_says_nothing_twice(readings: list[tuple[float, Reason]], deadband: float) -> None:
    keeper = ReportFilter([ReportRule(mode=ReportMode.ON_CHANGE, deadband=deadband)])
    said: list[tuple[Value, Reason]] = []
    for number, (number_read, reason) in enumerate(readings):
        value = None if reason.is_bad else number_read
        if keeper.passes(0, value, reason, number):
            said.append((value, reason))
    assert all(before != after for before, after in pairwise(said))


@given(st.integers(0, 10_000), st.floats(-1e3, 1e3), st.floats(0.01, 100.0), st.floats(1.0, 1e4))
def test_a_percent_deadband_passes_what_moves_by_more_than_that_share_of_the_range(
    per_mille: int, low: float, percent: float, width: float
) -> None:
    keeper = ReportFilter(
        [ReportRule(mode=ReportMode.ON_CHANGE, deadband=deadband_of_range(percent, low, low + width))]
    )
    value = low + width * per_mille / 10_000
    assert keeper.passes(0, value, GOOD, 0)
    assert not keeper.passes(0, value + 0.99 * percent / 100 * width, GOOD, 1)
    assert keeper.passes(0, value + 1.01 * percent / 100 * width, GOOD, 2)
