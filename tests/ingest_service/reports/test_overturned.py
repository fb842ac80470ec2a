"""What exceeded a limit and no longer does."""

import pytest

from ingest_service.reports.overturned import overturned
from tests.ingest_service.reports.examples import period

OVER, WITHIN, MARKED = ("exceeded", 41.0), ("within", 20.0), ("invalid", None)


@pytest.mark.parametrize(
    ("records", "found"),
    [
        ([OVER, MARKED], [(0, 1)]),
        ([OVER, WITHIN, MARKED], [(0, 2)]),
        ([WITHIN, OVER, MARKED], [(1, 2)]),
        ([OVER, MARKED, OVER], []),
        ([WITHIN, OVER], []),
        ([WITHIN, MARKED], []),
    ],
    ids=["marked", "twice since", "once later", "over again", "became over", "never over"],
)
def test_a_period_is_overturned_that_was_over_and_is_not(
    records: list[tuple[str, float | None]], found: list[tuple[int, int]]
) -> None:
    told = [period(8, mean, verdict, revision=at) for at, (verdict, mean) in enumerate(records)]
    assert [(one.before.revision, one.now.revision) for one in overturned(told)] == found


def test_periods_are_told_apart() -> None:
    other = [period(9, 41.0, "exceeded"), period(9, None, "invalid", revision=1)]
    same_hour = [period(8, 41.0, "exceeded", pollutant="co"), period(8, None, "invalid", pollutant="hcl", revision=1)]
    assert [one.now.start_ms for one in overturned([*same_hour, *other])] == [period(9).start_ms]
