"""Every second of an hour is good, bad, in a gap, or unknown."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from edge_agent.wire.durations import HOUR_MS
from edge_agent.wire.gap import GapReason
from edge_agent.wire.sample import Reason
from ingest_service.api.coverage import (
    Evidence,
    GapShare,
    HourCoverage,
    Span,
    bad_times,
    concerns,
    coverage,
    together,
    whole,
)
from ingest_service.store.batch import MeanBatch, SampleBatch
from ingest_service.store.gaps import KnownGap
from ingest_service.store.overview import KnownSeries
from ingest_service.store.tally import HourTally

START = 490_000 * HOUR_MS
SECOND = 1_000
CO = KnownSeries(
    7, "east", 1, "edge-1", "plc", "co", "co", "mg/m3", "", "", "", None, None, 10.0, 10, {}
)  # reports at least every 10 s, so a value holds for 16 s
O2 = replace(CO, id=9, channel="o2", period_s=None)
STOPPED = KnownGap(
    home_id="east", edge="edge-1", device="plc", channels=(), from_ms=START + 600 * SECOND,
    to_ms=START + 900 * SECOND - 1, samples=0, reason=GapReason.AGENT_STOPPED, received_at_ms=0,
)  # fmt: skip


def hours(
    covered: Sequence[float] = (0.75, 1.0),
    samples: Sequence[int] = (270, 360),
    bad_s: Sequence[float] = (0.0, 0.0),
    gaps: Sequence[KnownGap] = (),
    until_ms: int = START + 2 * HOUR_MS,
    since_ms: int = 0,
    series: KnownSeries = CO,
) -> list[HourCoverage]:
    """Two hours of one tag."""
    at = np.arange(2)
    ids, starts = np.full(2, series.id, np.int32), START + at * HOUR_MS
    nothing, counted = np.zeros(2), np.array(samples, np.int64)
    there = counted > 0
    (found,) = coverage(
        Span(START, START + 2 * HOUR_MS, until_ms),
        Evidence(
            series=[series],
            means=MeanBatch(ids, starts, nothing, nothing, nothing, np.array(covered, np.float32)),
            tally=HourTally(ids[there], starts[there], counted[there], counted[there] * 0, counted[there] // 90),
            bad_ms=np.array([bad_s]) * SECOND,
            gaps=gaps,
            since_ms=[since_ms],
        ),
    )
    return found


def seconds(hour: HourCoverage) -> tuple[float, float, float, list[tuple[str, float]], float]:
    shares = [(str(share.reason), share.seconds) for share in hour.gaps]
    return hour.expected_s, hour.good_s, hour.bad_s, shares, hour.unknown_s


def test_what_no_value_covers_and_nobody_explains_is_unknown() -> None:
    first, second = hours()
    assert seconds(first) == (3600.0, 2700.0, 0.0, [], 900.0)
    assert seconds(second) == (3600.0, 3600.0, 0.0, [], 0.0)
    assert (first.expected_samples, first.received, first.late) == (360, 270, 3)


def test_a_gap_record_explains_as_much_as_it_is_long() -> None:
    first, _ = hours(gaps=[STOPPED])
    assert seconds(first) == (3600.0, 2700.0, 0.0, [("agent_stopped", 300.0)], 600.0)


def test_a_gap_record_explains_no_more_than_is_missing() -> None:
    first, second = hours(covered=(0.95, 1.0), gaps=[STOPPED])
    assert seconds(first) == (3600.0, 3420.0, 0.0, [("agent_stopped", 180.0)], 0.0)
    assert second.gaps == ()


def test_several_reasons_share_what_is_missing() -> None:
    whole_hour = replace(STOPPED, from_ms=START, to_ms=START + HOUR_MS - 1, reason=GapReason.DISK_FULL)
    first, _ = hours(gaps=[STOPPED, whole_hour])
    assert first.gaps == (GapShare(GapReason.AGENT_STOPPED, 69.2), GapShare(GapReason.DISK_FULL, 830.8))
    assert first.unknown_s == 0.0


def test_a_gap_of_unknown_beginning_reaches_back_as_far_as_something_is_missing() -> None:
    lost = replace(STOPPED, from_ms=0, to_ms=START + HOUR_MS + 60 * SECOND - 1, reason=GapReason.CORRUPT_FILE)
    first, second = hours(covered=(0.0, 0.5), samples=(0, 180), gaps=[lost])
    assert seconds(first) == (3600.0, 0.0, 0.0, [("corrupt_file", 3600.0)], 0.0)
    assert seconds(second) == (3600.0, 1800.0, 0.0, [("corrupt_file", 60.0)], 1740.0)


def test_a_value_that_is_known_to_be_bad_is_not_missing() -> None:
    first, _ = hours(bad_s=(900.0, 50.0))
    assert seconds(first) == (3600.0, 2700.0, 900.0, [], 0.0)
    assert first.covered_share == 0.75


def test_of_the_running_hour_no_more_is_expected_than_has_gone_by() -> None:
    first, second = hours(covered=(1.0, 0.5), until_ms=START + HOUR_MS + 1800 * SECOND)
    assert (first.expected_s, second.expected_s, second.unknown_s) == (3600.0, 1800.0, 0.0)


def test_nothing_is_expected_before_the_edge_was_first_seen_unless_there_are_samples() -> None:
    first, _ = hours(covered=(0.0, 1.0), samples=(0, 360), since_ms=START + HOUR_MS)
    assert (first.expected_s, first.covered_share, first.unknown_s) == (0.0, 1.0, 0.0)
    with_history, _ = hours(covered=(0.5, 1.0), since_ms=START + HOUR_MS)
    assert (with_history.expected_s, with_history.unknown_s) == (3600.0, 1800.0)


def test_how_many_samples_a_tag_that_reports_changes_alone_should_send_nobody_knows() -> None:
    assert hours(series=O2)[0].expected_samples is None


@pytest.mark.parametrize(
    ("gap", "is_concerned"),
    [
        pytest.param(STOPPED, True, id="its device"),
        pytest.param(replace(STOPPED, device=""), True, id="its whole edge"),
        pytest.param(replace(STOPPED, channels=("o2", "co")), True, id="its channel"),
        pytest.param(replace(STOPPED, channels=("o2",)), False, id="another channel"),
        pytest.param(replace(STOPPED, device="plc-2"), False, id="another device"),
        pytest.param(replace(STOPPED, edge="edge-2"), False, id="another edge"),
    ],
)
def test_a_tag_is_concerned_by_a_gap_of(gap: KnownGap, is_concerned: bool) -> None:
    assert concerns(gap, CO) is is_concerned


def batch(*rows: tuple[int, float, Reason]) -> SampleBatch:
    series, at_s, reason = zip(*rows, strict=True)
    at_ms = START + np.array([round(one * SECOND) for one in at_s], np.int64)
    return SampleBatch(np.array(series, np.int32), at_ms, np.zeros(len(rows)), np.array(reason, np.uint8))


def test_a_bad_sample_holds_until_the_next_one_at_most_for_its_hold_and_across_the_hour() -> None:
    span = Span(START, START + 2 * HOUR_MS, START + 2 * HOUR_MS)
    bad, good = Reason.WIRE_BREAK, Reason.GOOD
    samples = batch((9, 0, bad), (7, 10, bad), (7, 15, good), (7, 100, bad), (7, 3595, bad), (7, 3602, good))
    assert (bad_times(span, [CO, O2], samples) / SECOND).tolist() == [[5.0 + 16.0 + 5.0, 2.0], [60.0, 0.0]]


@given(
    st.lists(st.floats(0, 1), min_size=2, max_size=2),
    st.lists(st.floats(0, 5000), min_size=2, max_size=2),
    st.lists(st.tuples(st.integers(-9000, 9000), st.integers(0, 9000), st.sampled_from(GapReason)), max_size=6),
    st.integers(-100, 9000),
)
def test_the_seconds_of_every_hour_add_up_and_none_is_negative(
    covered: list[float], bad_s: list[float], spans: list[tuple[int, int, GapReason]], until_s: int
) -> None:
    gaps = [
        replace(STOPPED, from_ms=START + first * SECOND, to_ms=START + (first + length) * SECOND, reason=reason)
        for first, length, reason in spans
    ]
    for hour in hours(covered=covered, bad_s=bad_s, gaps=gaps, until_ms=START + until_s * SECOND):
        parts = [hour.good_s, hour.bad_s, hour.unknown_s, *(share.seconds for share in hour.gaps)]
        assert min(parts) >= 0
        assert sum(parts) == pytest.approx(hour.expected_s, abs=1.0)


def test_tags_and_hours_can_be_taken_together() -> None:
    first, second = hours(gaps=[STOPPED])
    day = whole([first, second])
    assert (day.start_ms, day.expected_s, day.good_s, day.received) == (START, 7200.0, 6300.0, 630)
    assert day.gaps == (GapShare(GapReason.AGENT_STOPPED, 300.0),)
    assert [hour.expected_s for hour in together([[first, second], [first, second]])] == [7200.0, 7200.0]
