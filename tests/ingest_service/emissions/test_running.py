import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.wire.durations import MINUTE_MS
from ingest_service.emissions.averages import Averaging
from ingest_service.emissions.forecast import forecast
from ingest_service.emissions.periods import touched
from ingest_service.emissions.preview import Preview
from ingest_service.emissions.running import Outlook, begin, of_minutes, outlook, tick
from tests.ingest_service.emissions.gas import PACK, cycles, hours_of, ids, limit_over
from tests.ingest_service.emissions.zones import SHANGHAI, at

HOUR = at("2026-03-02T10:00")
UP = np.array([False])


def ahead(minutes: list[float], limit: float = 50.0) -> Outlook:
    """The outlook after these minutes of an hour."""
    grid = np.full((1, 60), np.nan)
    grid[0, : len(minutes)] = minutes
    return outlook(of_minutes(grid, len(minutes), UP), np.array([limit]), np.array([45]), UP)


def test_an_hour_that_goes_on_as_it_is_ends_with_the_same_mean() -> None:
    found = ahead([40.0] * 20)
    assert (found.mean[0], found.forecast_mean[0]) == (40.0, 40.0)
    assert math.isnan(found.exceeds_in_min[0])


def test_a_rising_hour_is_told_when_its_allowance_is_used_up() -> None:
    # 20 minutes of 40 leave 3000 - 800 = 2200; at 100 a minute that lasts 22 minutes more.
    found = ahead([40.0] * 15 + [100.0] * 5, limit=60.0)
    used = 15 * 40.0 + 5 * 100.0
    assert found.forecast_mean[0] == pytest.approx((used + 40 * 100.0) / 60)
    assert found.exceeds_in_min[0] == pytest.approx((60 * 60.0 - used) / 100.0)


def test_an_hour_whose_allowance_is_used_up_is_over_its_limit_already() -> None:
    found = ahead([200.0] * 20)
    assert found.exceeds_in_min[0] == 0.0


def test_from_the_told_minute_on_the_hour_is_over_even_if_nothing_more_comes() -> None:
    minutes = [40.0] * 15 + [100.0] * 5
    told = math.ceil(ahead(minutes, 60.0).exceeds_in_min[0])
    for more, over in ((told, True), (told - 1, False)):
        hour = minutes + [100.0] * more + [0.0] * (60 - len(minutes) - more)
        assert (sum(hour) / 60 > 60.0 + 1e-9) is over or sum(hour) / 60 == pytest.approx(60.0)


def test_without_recent_values_there_is_no_forecast() -> None:
    found = ahead([40.0] * 10 + [math.nan] * 5)
    assert found.mean[0] == 40.0
    assert math.isnan(found.forecast_mean[0])


def test_an_hour_that_cannot_become_valid_has_no_forecast() -> None:
    found = ahead([math.nan] * 20 + [90.0] * 5)
    assert math.isnan(found.forecast_mean[0])
    assert math.isnan(found.exceeds_in_min[0])


def test_a_silent_hour_has_no_mean() -> None:
    assert math.isnan(ahead([]).mean[0])


@given(values=st.lists(st.one_of(st.just(math.nan), st.floats(0, 500)), max_size=60), lowest=st.booleans())
@settings(deadline=None)
def test_minute_by_minute_the_state_is_that_of_all_minutes_at_once(values: list[float], lowest: bool) -> None:
    running = begin((1,))
    for value in values:
        running = tick(running, np.array([value]), np.array([lowest]))
    known = [value for value in values if not math.isnan(value)]
    assert (running.count[0], running.elapsed) == (len(known), len(values))
    assert running.total[0] == pytest.approx(math.fsum(known))
    worst = (min if lowest else max)(known, default=math.nan)
    assert running.worst[0] == pytest.approx(worst, nan_ok=True)


def preview(values: list[float]) -> Preview:
    grid = np.full((1, 60), np.nan)
    grid[0, : len(values)] = values
    hours = touched(Averaging.CLOCK_HOUR, ids(7), ids(HOUR), SHANGHAI, cycles((7, 0, 1)))
    limit = limit_over(Averaging.CLOCK_HOUR, 60.0)
    (found,) = forecast(hours, hours_of(grid), limit, PACK, None, HOUR + len(values) * MINUTE_MS)
    return found


def test_a_preview_says_at_what_time_the_hour_will_exceed() -> None:
    found = preview([40.0] * 15 + [100.0] * 5)
    assert found.exceeds_at_ms == at("2026-03-02T10:20") + 25 * MINUTE_MS  # 2500 of the 3600 are left
    assert found.forecast_mean == pytest.approx(85.0)
    assert (found.mean, found.peak, found.valid_minutes) == (55.0, 100.0, 20)


def test_a_calm_preview_has_a_forecast_and_no_time() -> None:
    found = preview([40.0] * 20)
    assert (found.forecast_mean, found.exceeds_at_ms, found.cause) == (40.0, None, "")


def test_a_preview_without_values_says_why() -> None:
    found = preview([math.nan] * 3)
    assert (found.mean, found.forecast_mean, found.cause) == (None, None, "missing_values")
