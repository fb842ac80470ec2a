"""Minute and hour means against a reference written as plainly as can be, and the laws that hold for them."""

import math
from collections.abc import Sequence

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.wire.durations import HOUR_MS, MINUTE_MS
from edge_agent.wire.sample import Reason
from ingest_service.emissions.averaging import hold_ms, hour_means, minute_means
from ingest_service.emissions.columns import Means
from ingest_service.store.batch import SampleBatch

START = 500_000 * HOUR_MS
HOLDS = {1: 16_000, 2: 91_000}


class One(msgspec.Struct, frozen=True):
    """A sample as a row; value None is bad."""

    series: int
    at_ms: int
    value: float | None
    reason: int = 0


def batch(rows: Sequence[One]) -> SampleBatch:
    return SampleBatch(
        np.array([row.series for row in rows], np.int32),
        np.array([row.at_ms for row in rows], np.int64),
        np.array([math.nan if row.value is None else row.value for row in rows], np.float64),
        np.array([Reason.TIMEOUT if row.value is None else row.reason for row in rows], np.uint8),
    )


def averaged(rows: Sequence[One], minutes: int = 5) -> Means:
    series, holds = np.array(sorted(HOLDS), np.int32), np.array([HOLDS[key] for key in sorted(HOLDS)], np.int64)
    return minute_means(batch(rows), series, holds, START, START + minutes * MINUTE_MS)


def reference(rows: Sequence[One], series: int, minute: int) -> tuple[float, float, float, float]:
    """Mean, low, high and covered share of one minute, span by span."""
    own = sorted((row for row in rows if row.series == series), key=lambda row: row.at_ms)
    begin, end = START + minute * MINUTE_MS, START + (minute + 1) * MINUTE_MS
    held, values = [], []
    for number, row in enumerate(own):
        until = row.at_ms + HOLDS[series]
        if number + 1 < len(own):
            until = min(until, own[number + 1].at_ms)
        span = min(until, end) - max(row.at_ms, begin)
        if row.value is not None and span > 0:
            held.append(span)
            values.append(row.value)
    if not held:
        return math.nan, math.nan, math.nan, 0.0
    mean = sum(span * value for span, value in zip(held, values, strict=True)) / sum(held)
    return mean, min(values), max(values), sum(held) / MINUTE_MS


ROWS = st.lists(
    st.builds(
        One,
        series=st.sampled_from([1, 2]),
        at_ms=st.integers(START - 100_000, START + 6 * MINUTE_MS),
        value=st.one_of(st.none(), st.floats(-1e4, 1e4)),
    ),
    max_size=60,
    unique_by=lambda row: (row.series, row.at_ms),
)


@given(rows=ROWS)
@settings(deadline=None)
def test_minute_means_equal_the_plain_reference(rows: list[One]) -> None:
    means = averaged(rows)
    for row in range(len(means)):
        series, minute = int(means.series[row]), int(means.start_ms[row] - START) // MINUTE_MS
        mean, low, high, covered = reference(rows, series, minute)
        got = (means.mean[row], means.low[row], means.high[row], means.covered[row])
        assert got == pytest.approx((mean, low, high, covered), nan_ok=True, rel=1e-6, abs=1e-6)


@given(rows=ROWS, order=st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_of_arrival_does_not_matter(rows: list[One], order: object) -> None:
    shuffled = list(rows)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert_same(averaged(rows), averaged(shuffled))


@given(rows=ROWS, cut=st.integers(0, 5))
@settings(deadline=None)
def test_computing_in_parts_gives_the_same_as_computing_at_once(rows: list[One], cut: int) -> None:
    series, holds = np.array([1, 2], np.int32), np.array([HOLDS[1], HOLDS[2]], np.int64)
    middle, end = START + cut * MINUTE_MS, START + 5 * MINUTE_MS
    carried = [row for row in rows if row.at_ms >= middle - max(HOLDS.values())]
    early = minute_means(batch([row for row in rows if row.at_ms < middle]), series, holds, START, middle)
    late = minute_means(batch(carried), series, holds, middle, end)
    whole = averaged(rows)
    for part, wanted in ((early, whole.start_ms < middle), (late, whole.start_ms >= middle)):
        assert np.array_equal(part.mean, whole.mean[wanted], equal_nan=True)
        assert np.array_equal(part.covered, whole.covered[wanted])


@given(value=st.floats(-1e6, 1e6), times=st.lists(st.integers(0, 299_999), min_size=1, unique=True))
@settings(deadline=None)
def test_a_constant_signal_has_exactly_its_value_as_mean(value: float, times: list[int]) -> None:
    means = averaged([One(1, START + at, value) for at in times])
    minutes, hours = means.mean[means.covered > 0], hour_means(means)
    assert (minutes == value).all()
    assert (hours.mean[hours.covered > 0] == value).all()


def test_a_value_holds_no_longer_than_its_hold() -> None:
    means = averaged([One(1, START, 5.0)])
    assert means.covered[0] == pytest.approx(16 / 60)
    assert means.covered[1:].max() == 0.0
    assert means.mean[0] == 5.0


def test_a_bad_sample_ends_the_hold() -> None:
    means = averaged([One(1, START, 5.0), One(1, START + 6_000, None)])
    assert means.covered[0] == pytest.approx(0.1)
    assert means.mean[0] == 5.0


def test_an_uncertain_sample_has_a_value_and_counts() -> None:
    means = averaged([One(1, START, 5.0, Reason.CLOCK_UNSYNCED)])
    assert means.mean[0] == 5.0


def test_a_sample_before_the_first_minute_carries_in() -> None:
    means = averaged([One(2, START - 31_000, 7.0)])
    assert means.mean[5] == 7.0
    assert means.covered[5] == 1.0


def test_samples_of_series_that_are_not_asked_for_are_ignored() -> None:
    means = averaged([One(9, START, 7.0), One(0, START, 7.0)])
    assert means.covered.max() == 0.0


def test_no_series_gives_no_rows() -> None:
    empty = np.empty(0, np.int32)
    means = minute_means(batch([One(1, START, 1.0)]), empty, np.empty(0, np.int64), START, START + MINUTE_MS)
    assert len(means) == 0
    assert len(hour_means(means)) == 0


@pytest.mark.parametrize(("period_s", "expected"), [(None, 60_000), (10.0, 16_000), (60.0, 91_000), (1.0, 2_500)])
def test_the_hold_follows_from_the_reporting_period(period_s: float | None, expected: int) -> None:
    assert hold_ms(period_s) == expected


def test_an_hour_mean_weighs_its_minutes_by_their_cover() -> None:
    full = [One(1, START + at, 10.0) for at in range(0, MINUTE_MS, 10_000)]
    short = [One(1, START + 30 * MINUTE_MS, 40.0), One(1, START + 30 * MINUTE_MS + 6_000, None)]
    hours = hour_means(averaged(full + short, minutes=60))
    assert hours.series.tolist() == [1, 2]
    carried_s = 6.0  # the last full value holds 16 s, six of them in the next minute
    expected = (66 * 10.0 + 6 * 40.0) / (66.0 + 6.0)
    assert hours.mean[0] == pytest.approx(expected, rel=1e-6)
    assert hours.covered[0] == pytest.approx((60 + carried_s + 6) / 3600, rel=1e-5)
    assert (hours.low[0], hours.high[0]) == (10.0, 40.0)
    assert np.isnan(hours.mean[1])


def assert_same(left: Means, right: Means) -> None:
    for field in left.__struct_fields__:
        assert np.array_equal(getattr(left, field), getattr(right, field), equal_nan=True)
