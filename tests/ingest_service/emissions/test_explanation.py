import math

import numpy as np
import pytest

from edge_agent.wire.durations import MINUTE_MS
from ingest_service.emissions.assessment import assess
from ingest_service.emissions.averages import Averaging
from ingest_service.emissions.explanation import Explanation, Loss, explain, formula
from ingest_service.emissions.periods import hours_within, touched
from ingest_service.emissions.rulepack import load_pack
from tests.ingest_service.emissions.gas import cycles, evidence, ids, limit_over, pack_of
from tests.ingest_service.emissions.zones import SHANGHAI, at

HOUR = at("2026-03-02T10:00")


def explained(averaging: Averaging) -> list[Explanation]:
    """Gas of 40 with ten minutes missing and five idle, explained period by period."""

    def signal(
        _furnace: object, minute: np.ndarray[tuple[int, ...], np.dtype[np.int64]]
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return np.where(minute % 60 < 10, math.nan, 40.0)

    burns = cycles((7, HOUR, HOUR + 30 * MINUTE_MS))
    given = evidence(signal, burns, idle=lambda _furnace, minute: (minute % 60 >= 55).astype(np.float64))
    limit = limit_over(averaging, 39.95)
    periods = touched(averaging, ids(7), ids(HOUR), SHANGHAI, burns)
    found = []
    for row in range(len(periods)):
        one = periods.where(np.arange(len(periods)) == row)
        rows = given.hours(*hours_within(one))
        found.append(explain(one, rows, assess(one, limit, pack_of(limit), given), limit, pack_of(limit), None))
    return found


def test_an_hour_is_explained_by_its_minutes_and_what_each_was_lost_to() -> None:
    (hour,) = explained(Averaging.CLOCK_HOUR)
    assert (hour.verdict, hour.mean, hour.valid_minutes) == ("exceeded", 40.0, 45)
    assert set(hour.lost) == {Loss("missing_values", 10), Loss("excluded_phase", 5)}
    assert len(hour.minutes) == 60
    assert (hour.minutes[0].lost_to, hour.minutes[59].lost_to) == ("missing_values", "excluded_phase")
    kept = hour.minutes[20]
    assert (kept.start_ms, kept.measured, kept.o2_pct, kept.judged) == (HOUR + 20 * MINUTE_MS, 40.0, 11.0, 40.0)
    assert "GB 13801-2015" in hour.clause_en


def test_the_mean_is_also_told_as_it_is_rounded() -> None:
    (hour,) = explained(Averaging.CLOCK_HOUR)
    assert (hour.rounded, hour.compared) == (40.0, "unrounded")


def test_a_short_period_has_its_own_minutes_alone() -> None:
    first, second = explained(Averaging.TEN_MINUTES)[:2]
    assert [minute.lost_to for minute in first.minutes] == ["missing_values"] * 10
    assert (first.verdict, second.verdict) == ("invalid", "exceeded")
    assert second.minutes[0].start_ms == HOUR + 10 * MINUTE_MS


def test_a_cremation_is_explained_from_its_start() -> None:
    (burn,) = explained(Averaging.CREMATION)
    assert (burn.start_ms, len(burn.minutes)) == (HOUR, 30)
    assert burn.lost == (Loss("missing_values", 10),)


def test_a_month_is_told_by_counts_alone() -> None:
    (month,) = explained(Averaging.MONTH)
    assert month.minutes == ()
    assert Loss("missing_values", 31 * 24 * 10) in month.lost


@pytest.mark.parametrize(
    ("pack", "expected"),
    [
        ("gb13801-2015-table2", "c(dry, 273 K, 101325 Pa) * 10 / (21 - O2), O2 <= 20 %"),
        ("de-27-bimschv-electric", "c(dry, 273 K, 101325 Pa) * 6 / (21 - O2), O2 <= 20 %"),
        ("us-ny-6nycrr-219-4", ""),
    ],
)
def test_the_conversion_is_written_with_the_figures_of_the_pack(pack: str, expected: str) -> None:
    known = load_pack(pack)
    assert formula(known.limit[0], known) == expected
