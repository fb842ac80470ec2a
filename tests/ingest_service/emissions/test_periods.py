from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.wire.durations import HOUR_MS, MINUTE_MS
from ingest_service.emissions.averages import WIDTHS, Averaging, Window
from ingest_service.emissions.marks import no_cycles
from ingest_service.emissions.periods import clock_hours, hours_within, of_cremations, spans_of, touched
from tests.ingest_service.emissions.gas import cycles, ids
from tests.ingest_service.emissions.zones import ADELAIDE, BERLIN, KATHMANDU, KOLKATA, SHANGHAI, at

HOUR = at("2026-03-02T10:00")


def found(averaging: Averaging, *hours: int, zone: object = SHANGHAI) -> list[tuple[int, int]]:
    periods = touched(averaging, ids(*[7] * len(hours)), ids(*hours), zone, no_cycles())  # type: ignore[arg-type]
    assert set(periods.furnace.tolist()) <= {7}
    return list(zip(periods.start_ms.tolist(), periods.end_ms.tolist(), strict=True))


@pytest.mark.parametrize(("averaging", "width"), WIDTHS.items())
def test_short_periods_fill_the_hour_without_a_gap(averaging: Averaging, width: int) -> None:
    got = found(averaging, HOUR)
    assert len(got) == 60 // width
    assert (got[0][0], got[-1][1]) == (HOUR, HOUR + HOUR_MS)
    assert all(end == start for (_, end), (start, _) in pairwise(got))


def test_an_hour_touches_every_rolling_hour_that_shares_a_minute_with_it() -> None:
    got = found(Averaging.ROLLING_HOUR, HOUR)
    assert len(got) == 119
    assert got[0] == (HOUR - 59 * MINUTE_MS, HOUR + MINUTE_MS)
    assert got[-1] == (HOUR + 59 * MINUTE_MS, HOUR + HOUR_MS + 59 * MINUTE_MS)


def test_a_day_begins_and_ends_at_local_midnight() -> None:
    assert found(Averaging.DAY, HOUR, HOUR + HOUR_MS) == [(at("2026-03-02T00:00"), at("2026-03-03T00:00"))]


def test_the_day_on_which_clocks_go_forward_has_23_hours() -> None:
    ((start, end),) = found(Averaging.OPERATING_DAY, at("2026-03-29T12:00", BERLIN), zone=BERLIN)
    assert end - start == 23 * HOUR_MS


def test_a_month_is_a_calendar_month() -> None:
    assert found(Averaging.MONTH, at("2026-02-11T08:00")) == [(at("2026-02-01T00:00"), at("2026-03-01T00:00"))]


@pytest.mark.parametrize(
    ("window", "start", "end"),
    [(Window.MONTH, "2026-03-01", "2026-04-01"), (Window.YEAR, "2026-01-01", "2027-01-01")],
)
def test_shares_are_taken_over_calendar_windows(window: Window, start: str, end: str) -> None:
    periods = touched(Averaging.SHARE_OF_CREMATIONS, ids(7), ids(HOUR), SHANGHAI, no_cycles(), window)
    assert (periods.start_ms.tolist(), periods.end_ms.tolist()) == ([at(start)], [at(end)])


@pytest.mark.parametrize("zone", [KOLKATA, KATHMANDU, ADELAIDE], ids=str)
@pytest.mark.parametrize(("averaging", "width"), WIDTHS.items())
def test_where_the_clock_is_half_an_hour_off_periods_begin_with_its_own_hours(
    averaging: Averaging, width: int, zone: ZoneInfo
) -> None:
    hour_ms = at("2026-03-02T10:00", zone)
    touching = [one // HOUR_MS * HOUR_MS for one in (hour_ms, hour_ms + HOUR_MS)]
    within = [one for one in found(averaging, *touching, zone=zone) if hour_ms <= one[0] < hour_ms + HOUR_MS]
    expected = range(hour_ms, hour_ms + HOUR_MS, width * MINUTE_MS)
    assert within == [(start_ms, start_ms + width * MINUTE_MS) for start_ms in expected]


@given(hour=st.integers(490_000, 500_000), zone=st.sampled_from([SHANGHAI, KOLKATA, KATHMANDU, ADELAIDE, BERLIN]))
def test_every_minute_of_an_hour_lies_in_one_clock_hour(hour: int, zone: ZoneInfo) -> None:
    hours = found(Averaging.CLOCK_HOUR, hour * HOUR_MS, zone=zone)
    assert hours[0][0] <= hour * HOUR_MS
    assert hours[-1][1] >= (hour + 1) * HOUR_MS
    assert all(end == start for (_, end), (start, _) in pairwise(hours))


@pytest.mark.parametrize(
    ("averaging", "expected"),
    [
        (Averaging.DAY, [("2026-02-28T00:00", "2026-03-01T00:00"), ("2026-03-01T00:00", "2026-03-02T00:00")]),
        (Averaging.MONTH, [("2026-02-01T00:00", "2026-03-01T00:00"), ("2026-03-01T00:00", "2026-04-01T00:00")]),
    ],
)
def test_an_hour_of_utc_that_midnight_cuts_touches_both_days(
    averaging: Averaging, expected: list[tuple[str, str]]
) -> None:
    cut = at("2026-03-01T00:00", KOLKATA) // HOUR_MS * HOUR_MS
    bounds = [(at(start, KOLKATA), at(end, KOLKATA)) for start, end in expected]
    assert found(averaging, cut, zone=KOLKATA) == bounds


def test_a_day_has_the_hours_of_its_own_clock() -> None:
    days = touched(Averaging.DAY, ids(7, 8), ids(HOUR, HOUR), KOLKATA, no_cycles())
    hours = clock_hours(days, KOLKATA)
    midnight = at("2026-03-02T00:00", KOLKATA)
    assert hours.furnace.tolist() == [7] * 24 + [8] * 24
    assert hours.start_ms.tolist() == list(range(midnight, midnight + 24 * HOUR_MS, HOUR_MS)) * 2


BURNS = cycles(
    (7, HOUR + 10 * MINUTE_MS, HOUR + 95 * MINUTE_MS),
    (7, HOUR + 100 * MINUTE_MS, HOUR + 140 * MINUTE_MS),
    (8, HOUR, HOUR + HOUR_MS),
)


@pytest.mark.parametrize(
    ("averaging", "expected"),
    [
        (Averaging.CREMATION, [(10, 95), (100, 140)]),
        (Averaging.FIRST_HOUR_OF_CREMATION, [(10, 70), (100, 140)]),
        (Averaging.HALVES_OF_FIRST_HOUR, [(10, 40), (40, 70), (100, 130), (130, 140)]),
    ],
)
def test_an_hour_touches_the_cremations_of_its_furnace(averaging: Averaging, expected: list[tuple[int, int]]) -> None:
    periods = touched(averaging, ids(7), ids(HOUR + HOUR_MS), SHANGHAI, BURNS)
    minutes = [((start - HOUR) // MINUTE_MS, (end - HOUR) // MINUTE_MS) for start, end in
               zip(periods.start_ms.tolist(), periods.end_ms.tolist(), strict=True)]  # fmt: skip
    assert minutes == expected


def test_a_cremation_of_another_hour_is_not_touched() -> None:
    assert len(touched(Averaging.CREMATION, ids(7), ids(HOUR + 3 * HOUR_MS), SHANGHAI, BURNS)) == 0


def test_periods_are_stretches_of_the_hours_that_they_need() -> None:
    periods = of_cremations(Averaging.CREMATION, BURNS)
    furnace, hours = hours_within(periods)
    assert furnace.tolist() == [7, 7, 7, 8]
    assert ((hours - HOUR) // HOUR_MS).tolist() == [0, 1, 2, 0]
    spans = spans_of(periods, furnace, hours)
    assert spans.begin.tolist() == [10, 100, 180]
    assert spans.end.tolist() == [95, 140, 240]


def test_a_period_begins_with_the_nearest_minute_and_has_at_least_one() -> None:
    brief = cycles((7, HOUR + 59 * MINUTE_MS + 45_000, HOUR + 59 * MINUTE_MS + 50_000))
    periods = of_cremations(Averaging.CREMATION, brief)
    spans = spans_of(periods, *hours_within(periods))
    assert (spans.begin.tolist(), spans.end.tolist()) == ([59], [60])


def test_rows_of_many_furnaces_lie_in_order() -> None:
    furnaces = np.repeat(np.arange(1, 4), 5)
    periods = touched(Averaging.TEN_MINUTES, furnaces, HOUR + np.tile(np.arange(5), 3) * HOUR_MS, SHANGHAI, BURNS)
    furnace, hours = hours_within(periods)
    assert len(furnace) == 15
    assert np.array_equal(spans_of(periods, furnace, hours).begin, np.arange(90) * 10)
