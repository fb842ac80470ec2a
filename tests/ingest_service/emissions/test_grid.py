import numpy as np

from edge_agent.wire.durations import HOUR_MS, MINUTE_MS
from ingest_service.emissions.columns import Means
from ingest_service.emissions.grid import NO_SERIES, Column, MinuteTable

START = 480_000 * HOUR_MS
NEXT = START + HOUR_MS


def means(*rows: tuple[int, int, float, float, float, float]) -> Means:
    """Rows of (series, start, mean, low, high, covered)."""
    columns = list(zip(*rows, strict=True))
    series, start = np.array(columns[0], np.int32), np.array(columns[1], np.int64)
    mean, low, high = (np.array(column, np.float64) for column in columns[2:5])
    return Means(series, start, mean, low, high, np.array(columns[5], np.float32))


def ids(*series: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return np.array(series, np.int64)


def test_minutes_land_in_the_row_of_their_series_and_hour() -> None:
    given = means(
        (7, START + 3 * MINUTE_MS, 1.0, 1.0, 1.0, 1.0),
        (7, NEXT + 59 * MINUTE_MS, 2.0, 2.0, 2.0, 1.0),
        (8, START, 3.0, 3.0, 3.0, 1.0),
        (9, START, 4.0, 4.0, 4.0, 1.0),
    )
    grid = MinuteTable(given).signal(ids(8, 7, 7), ids(START, NEXT, START), 0.75)
    assert grid.minutes.shape == (3, 60)
    assert (grid.minutes[0, 0], grid.minutes[1, 59], grid.minutes[2, 3]) == (3.0, 2.0, 1.0)
    assert np.isfinite(grid.minutes).sum() == 3


def test_a_minute_that_is_covered_too_little_is_not_valid() -> None:
    given = means((7, START, 1.0, 1.0, 1.0, 0.75), (7, START + MINUTE_MS, 1.0, 1.0, 1.0, 0.74))
    assert np.isfinite(MinuteTable(given).signal(ids(7), ids(START), 0.75).minutes[0, :2]).tolist() == [True, False]


def test_a_missing_channel_is_said_to_be_missing() -> None:
    given = means((7, START, 1.0, 1.0, 1.0, 1.0))
    grid = MinuteTable(given).signal(ids(NO_SERIES, 7), ids(START, START), 0.75)
    assert grid.present.tolist() == [False, True]
    assert np.isnan(grid.minutes[0]).all()


def test_only_minutes_wholly_in_excluded_phases_are_excluded() -> None:
    given = means(
        (5, START, 0.0, 0.0, 0.0, 1.0),  # idle
        (5, START + MINUTE_MS, 0.4, 0.0, 1.0, 1.0),  # idle, then preheat
        (5, START + 2 * MINUTE_MS, 1.7, 1.0, 2.0, 1.0),  # preheat, then charge
        (5, START + 3 * MINUTE_MS, 4.0, 4.0, 4.0, 1.0),  # main
    )
    excluded = MinuteTable(given).excluded(ids(5), ids(START), frozenset({0, 1, 6}))
    assert excluded[0, :5].tolist() == [True, True, False, False, False]


def test_the_worst_value_of_a_minute_can_stand_for_it() -> None:
    table = MinuteTable(means((7, START, 5.0, 1.0, 9.0, 1.0)))
    found = [table.signal(ids(7), ids(START), 0.75, column).minutes[0, 0] for column in Column]
    assert found == [5.0, 1.0, 9.0]


def test_minutes_before_and_after_the_hour_are_left_where_they_are() -> None:
    table = MinuteTable(means((7, START - MINUTE_MS, 1.0, 1.0, 1.0, 1.0), (7, NEXT, 2.0, 2.0, 2.0, 1.0)))
    assert np.isnan(table.signal(ids(7), ids(START), 0.75).minutes).all()


def test_a_phase_that_nobody_reports_excludes_nothing() -> None:
    table = MinuteTable(means((7, START, 0.0, 0.0, 0.0, 1.0)))
    assert not table.excluded(ids(NO_SERIES), ids(START), frozenset({0})).any()
