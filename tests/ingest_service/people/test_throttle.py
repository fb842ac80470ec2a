"""Whoever fails waits longer each time, never for good, and whoever has not failed never."""

import pytest

from ingest_service.people.throttle import FREE_FAILURES, LONGEST_WAIT_MS, WINDOW_MS, wait_ms

NOW_MS = 10_000_000


def failed(times: int, ago_ms: int = 0) -> list[int]:
    return [NOW_MS - ago_ms] * times


@pytest.mark.parametrize(
    ("times", "wait_s"), [(0, 0), (FREE_FAILURES - 1, 0), (FREE_FAILURES, 2), (6, 4), (7, 8), (10, 64), (40, 300)]
)
def test_the_wait_doubles_up_to_five_minutes(times: int, wait_s: int) -> None:
    assert wait_ms(failed(times), NOW_MS) == wait_s * 1000


def test_time_that_passed_counts() -> None:
    assert wait_ms(failed(6, 3000), NOW_MS) == 1000
    assert wait_ms(failed(6, 4000), NOW_MS) == 0


def test_failures_of_long_ago_are_forgotten() -> None:
    assert wait_ms(failed(40, WINDOW_MS), NOW_MS) == 0
    assert LONGEST_WAIT_MS < WINDOW_MS
