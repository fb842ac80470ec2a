from random import Random

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_service.emissions.columns import Means
from ingest_service.emissions.periods import day_bounds, local
from ingest_service.reports.operation import masses_of, operating_minutes, used
from ingest_service.reports.statistics import limit_lines, losses_of, parts_of, tally
from tests.ingest_service.reports.examples import DAY, HOUR_MS, HOURS, PACK, ZONE, cremation, over, period


def test_a_line_holds_mean_highest_and_lowest_of_valid_hours() -> None:
    (line,) = limit_lines(HOURS, [over(9)], [PACK])
    assert line.mean == pytest.approx((20.0 + 41.83 + 18.0) / 3)
    assert (line.highest, line.lowest) == (41.83, 18.0)
    assert line.highest_at_ms == DAY.from_ms + 9 * HOUR_MS
    assert line.worst_minute == pytest.approx(62.745)
    assert line.clause_en == "GB 13801-2015 Table 2, hydrogen chloride"


def test_capture_counts_what_was_lost_and_not_what_was_not_operated() -> None:
    (line,) = limit_lines(HOURS, [over(9)], [PACK])
    assert (line.valid, line.exceeded, line.lost, line.idle) == (3, 1, 1, 13)
    assert line.capture_pct == 75.0


def test_a_subject_that_was_never_due_has_no_capture() -> None:
    (line,) = limit_lines([period(1, None, "not_judged", "not_operating")], [], [PACK])
    assert line.capture_pct is None
    assert line.mean is None


def test_what_cannot_be_judged_counts_as_lost_and_never_as_kept() -> None:
    counts = tally([period(8, None, "not_judged", "no_o2")])
    assert (counts.valid, counts.lost, counts.capture_pct) == (0, 1, 0.0)


def test_the_minutes_of_overlapping_means_count_once() -> None:
    rolling = [
        period(8, 40.0, "exceeded", averaging="rolling_hour"),
        msgspec.structs.replace(
            period(8, 41.0, "exceeded", averaging="rolling_hour"),
            start_ms=DAY.from_ms + 8 * HOUR_MS + 600_000,
            end_ms=DAY.from_ms + 9 * HOUR_MS + 600_000,
        ),
    ]
    (line,) = limit_lines(rolling, [], [PACK])
    assert line.exceeded_minutes == 70


def test_a_pack_that_is_no_longer_in_the_book_still_has_its_figures() -> None:
    (line,) = limit_lines([period(8, rule="old@7")], [], [PACK])
    assert (line.mean, line.clause_en, line.step) == (20.0, "", 0.1)


def test_the_limits_stand_in_the_order_of_their_pack() -> None:
    lines = limit_lines([period(8), period(8, pollutant="dust"), period(8, pollutant="co", limit=150.0)], [], [PACK])
    assert [line.subject.pollutant for line in lines] == ["dust", "co", "hcl"]


def test_losses_are_counted_by_cause() -> None:
    assert [(loss.cause, loss.periods) for loss in losses_of(HOURS)] == [("marked", 1)]


def test_days_hold_their_own_hours() -> None:
    def day_of(at_ms: int) -> tuple[int, int]:
        begin, end = day_bounds(local(at_ms, ZONE))
        return round(begin.timestamp() * 1000), round(end.timestamp() * 1000)

    first, second = parts_of([*HOURS, period(24, 25.0)], day_of)
    assert (first.valid, first.exceeded, first.lost, first.highest) == (3, 1, 1, 41.83)
    assert (second.start_ms, second.mean) == (DAY.to_ms, 25.0)


verdicts = st.sampled_from([("within", ""), ("exceeded", ""), ("invalid", "marked"), ("not_judged", "not_operating")])


@given(st.lists(st.tuples(st.integers(0, 200), verdicts), unique_by=lambda one: one[0], max_size=40), st.randoms())
def test_every_period_is_valid_lost_or_idle_whatever_the_order(
    found: list[tuple[int, tuple[str, str]]], random: Random
) -> None:
    periods = [period(hour, 20.0 if not cause else None, verdict, cause) for hour, (verdict, cause) in found]
    counts = tally(periods)
    assert counts.valid + counts.lost + counts.idle == len(periods)
    shuffled = list(periods)
    random.shuffle(shuffled)
    assert limit_lines(shuffled, [], [PACK]) == limit_lines(periods, [], [PACK])


def hours(*figures: tuple[int, float, float]) -> Means:
    """Means of a counter: hour, low and high."""
    start, low, high = (np.array(column, np.float64) for column in zip(*figures, strict=True))
    starts = DAY.from_ms + start.astype(np.int64) * HOUR_MS
    return Means(np.ones(len(low), np.int32), starts, high, low, high, np.ones(len(low), np.float32))


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ([(-1, 90.0, 100.0), (0, 101.0, 110.0), (1, 110.0, 125.0)], 25.0),
        ([(0, 101.0, 110.0), (1, 110.0, 125.0)], 24.0),
        ([(0, 101.0, 110.0), (5, 140.0, 150.0)], 49.0),
        ([(0, 101.0, 110.0), (1, 0.0, 4.0), (2, 4.0, 10.0)], 19.0),
        ([(0, 100.0, 110.0), (1, np.nan, np.nan), (2, 110.0, 112.0)], 12.0),
        ([(-1, 90.0, 100.0)], None),
    ],
    ids=["from where it stood", "first hour", "over a gap", "over a reset", "over an invalid hour", "nothing known"],
)
def test_a_meter_tells_what_was_used(figures: list[tuple[int, float, float]], expected: float | None) -> None:
    assert used(hours(*figures), DAY.from_ms) == expected


def test_a_minute_counts_as_operated_when_any_phase_but_idle_was_in_it() -> None:
    assert operating_minutes(hours((0, 0.0, 0.0), (1, 0.0, 1.0), (2, 4.0, 4.0))) == 2


def test_masses_are_those_of_cremations_with_a_figure() -> None:
    masses = masses_of([cremation(8), cremation(10, hcl_g=8.0), cremation(12, hcl_g=None)])
    assert [(mass.pollutant, mass.kg, mass.cremations) for mass in masses] == [("hcl", 0.02, 2)]
