"""Every kind of averaging, on gas whose every minute is known."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_agent.wire.durations import HOUR_MS, MINUTE_MS
from ingest_service.emissions.assessment import Evidence, assess
from ingest_service.emissions.averages import WIDTHS, Averaging, Window
from ingest_service.emissions.judging import exceeds
from ingest_service.emissions.limits import Cause, Verdict, Verdicts
from ingest_service.emissions.marks import no_cycles
from ingest_service.emissions.pack import Limit, Rounding, Share
from ingest_service.emissions.periods import Periods, hours_within, of_cremations, spans_of, touched
from ingest_service.emissions.vocabulary import Bound, Compared
from tests.ingest_service.emissions.gas import PACK, cycles, evidence, ids, limit_over, pack_of
from tests.ingest_service.emissions.zones import KOLKATA, SHANGHAI, at

HOUR = at("2026-03-02T10:00")
MINUTE = HOUR // MINUTE_MS
Minutes = NDArray[np.int64]
Values = NDArray[np.float64]


def flat(_furnace: Minutes, minute: Minutes) -> Values:
    return np.full(minute.shape, 40.0)


def rising(_furnace: Minutes, minute: Minutes) -> Values:
    """The minute of the hour as its value."""
    return (minute % 60).astype(np.float64)


def sole(limit: Limit, given: Evidence, *hours: int) -> tuple[Periods, Verdicts]:
    window = limit.share.of if limit.share else None
    periods = touched(limit.averaging, ids(*[7] * len(hours)), ids(*hours), given.zone, given.cycles, window)
    return periods, assess(periods, limit, pack_of(limit), given)


def labels(found: Verdicts) -> list[str]:
    return [Verdict(code).label for code in found.verdict]


@pytest.mark.parametrize(
    ("averaging", "means"),
    [
        (Averaging.FIVE_MINUTES, [2.0, 7.0, 12.0, 17.0, 22.0, 27.0, 32.0, 37.0, 42.0, 47.0, 52.0, 57.0]),
        (Averaging.SIX_MINUTES, [2.5, 8.5, 14.5, 20.5, 26.5, 32.5, 38.5, 44.5, 50.5, 56.5]),
        (Averaging.TEN_MINUTES, [4.5, 14.5, 24.5, 34.5, 44.5, 54.5]),
        (Averaging.HALF_HOUR, [14.5, 44.5]),
        (Averaging.CLOCK_HOUR, [29.5]),
    ],
)
def test_a_mean_is_that_of_the_minutes_of_its_period(averaging: Averaging, means: list[float]) -> None:
    _, found = sole(limit_over(averaging), evidence(rising), HOUR)
    assert found.mean.tolist() == means
    width = WIDTHS[averaging]
    assert found.peak.tolist() == [width * (number + 1) - 1 for number in range(60 // width)]
    assert labels(found) == ["exceeded" if mean > 50 else "within" for mean in means]


def test_a_rolling_hour_sees_what_clock_hours_share_between_them() -> None:
    def burst(_furnace: Minutes, minute: Minutes) -> Values:
        return np.where(np.abs(minute - (MINUTE + 60)) < 20, 120.0, 10.0)

    _, hours = sole(limit_over(Averaging.CLOCK_HOUR), evidence(burst), HOUR, HOUR + HOUR_MS)
    assert labels(hours) == ["within", "within"]
    _, rolling = sole(limit_over(Averaging.ROLLING_HOUR), evidence(burst), HOUR)
    assert "exceeded" in labels(rolling)
    assert np.nanmax(rolling.mean) == pytest.approx((39 * 120 + 21 * 10) / 60)


def test_the_share_of_valid_minutes_that_an_hour_needs_holds_for_every_length() -> None:
    def holes(_furnace: Minutes, minute: Minutes) -> Values:
        return np.where(minute % 10 < 3, np.nan, 40.0)  # seven of ten

    _, tens = sole(limit_over(Averaging.TEN_MINUTES), evidence(holes), HOUR)
    assert set(labels(tens)) == {"invalid"}
    assert set(tens.valid_minutes.tolist()) == {7}
    assert {Cause(code) for code in tens.cause} == {Cause.MISSING_VALUES}


def days_with(valid_hours: int, valid_days: int = 40) -> Evidence:
    """Gas whose days have so many valid hours; after `valid_days` of a month there is nothing more."""

    def signal(_furnace: Minutes, minute: Minutes) -> Values:
        local_hour = (minute // 60 + 8) % 24
        day = (minute + 8 * 60) // 1440 - (at("2026-02-01T00:00") // MINUTE_MS + 8 * 60) // 1440
        return np.where((local_hour < valid_hours) & (day % 28 < valid_days), 10.0 + local_hour, np.nan)

    return evidence(signal)


@pytest.mark.parametrize(
    ("valid_hours", "verdict", "cause"),
    [(20, "within", Cause.NONE), (19, "invalid", Cause.FEW_VALID_HOURS), (24, "within", Cause.NONE)],
)
def test_a_day_needs_20_valid_hours_and_is_the_mean_of_them(valid_hours: int, verdict: str, cause: Cause) -> None:
    _, found = sole(limit_over(Averaging.DAY), days_with(valid_hours), HOUR)
    assert (labels(found), Cause(found.cause[0])) == ([verdict], cause)
    assert found.mean[0] == pytest.approx(10.0 + (valid_hours - 1) / 2)
    assert found.valid_minutes[0] == valid_hours * 60
    assert found.peak[0] == 10.0 + valid_hours - 1


@pytest.mark.parametrize(("month", "valid_days"), [("2026-02", 23), ("2026-03", 25)])
def test_days_and_months_of_a_zone_half_an_hour_off_are_those_of_its_clock(month: str, valid_days: int) -> None:
    midnight = at(f"{month}-01T00:00", KOLKATA)

    def signal(_furnace: Minutes, minute: Minutes) -> Values:
        day = (minute * MINUTE_MS - midnight) // (24 * HOUR_MS)
        return np.where((day >= 0) & (day < valid_days), 10.0 * (day + 1), np.nan)

    given_there = msgspec.structs.replace(evidence(signal), zone=KOLKATA)
    noon = (midnight + 36 * HOUR_MS) // HOUR_MS * HOUR_MS
    periods, found = sole(limit_over(Averaging.DAY), given_there, noon)
    assert periods.start_ms.tolist() == [midnight + 24 * HOUR_MS]
    assert (found.mean.tolist(), found.valid_minutes.tolist()) == ([20.0], [24 * 60])
    _, whole = sole(limit_over(Averaging.MONTH, 1_000.0), given_there, noon)
    assert labels(whole) == ["within"]
    assert whole.mean[0] == pytest.approx(10.0 * (1 + valid_days) / 2)


def test_a_day_is_the_mean_of_hours_not_of_minutes() -> None:
    def uneven(_furnace: Minutes, minute: Minutes) -> Values:
        second_half = (minute // 60 + 8) % 24 >= 12
        return np.where(second_half & (minute % 60 >= 45), np.nan, np.where(second_half, 40.0, 20.0))

    _, found = sole(limit_over(Averaging.DAY), evidence(uneven), HOUR)
    assert found.mean[0] == pytest.approx(30.0)


@pytest.mark.parametrize(
    ("month", "valid_days", "verdict"),
    [("2026-02-10", 23, "within"), ("2026-02-10", 22, "invalid"), ("2026-03-10", 25, "within")],
)
def test_a_month_needs_25_valid_days_february_23(month: str, valid_days: int, verdict: str) -> None:
    periods, found = sole(limit_over(Averaging.MONTH), days_with(24, valid_days), at(f"{month}T10:00"))
    assert len(periods) == 1
    assert labels(found) == [verdict]
    if verdict == "invalid":
        assert Cause(found.cause[0]) is Cause.FEW_VALID_DAYS
    assert found.mean[0] == pytest.approx(21.5)


def test_the_operating_day_counts_operating_minutes_alone() -> None:
    def idle(_furnace: Minutes, minute: Minutes) -> Values:
        return ((minute // 60 + 8) % 24 >= 9).astype(np.float64)

    def signal(_furnace: Minutes, minute: Minutes) -> Values:
        return np.where((minute // 60 + 8) % 24 < 9, 60.0, 1.0)

    given = evidence(signal, idle=idle)
    _, operating = sole(limit_over(Averaging.OPERATING_DAY), given, HOUR)
    assert (labels(operating), operating.mean[0], operating.valid_minutes[0]) == (["exceeded"], 60.0, 540)
    _, day = sole(limit_over(Averaging.DAY), given, HOUR)
    assert (labels(day), Cause(day.cause[0])) == (["invalid"], Cause.FEW_VALID_HOURS)


def test_a_day_on_which_nothing_operated_is_not_judged() -> None:
    given = evidence(flat, idle=lambda _furnace, minute: np.ones(minute.shape))
    for averaging in (Averaging.DAY, Averaging.OPERATING_DAY, Averaging.CLOCK_HOUR):
        _, found = sole(limit_over(averaging), given, HOUR)
        assert (labels(found), Cause(found.cause[0])) == (["not_judged"], Cause.NOT_OPERATING)


BURNS = cycles((7, HOUR + 10 * MINUTE_MS, HOUR + 95 * MINUTE_MS), (7, HOUR + 2 * HOUR_MS, HOUR + 3 * HOUR_MS))


def peak_at_the_start(_furnace: Minutes, minute: Minutes) -> Values:
    """A hundred for the first 20 minutes of the first cremation, else ten."""
    since = minute - (MINUTE + 10)
    return np.where((since >= 0) & (since < 20), 100.0, 10.0)


def test_the_first_hour_of_a_cremation_begins_with_it() -> None:
    limit = limit_over(Averaging.FIRST_HOUR_OF_CREMATION, 39.9)
    _, found = sole(limit, evidence(peak_at_the_start, BURNS), HOUR, HOUR + 2 * HOUR_MS)
    assert found.mean.tolist() == pytest.approx([40.0, 10.0])
    assert labels(found) == ["exceeded", "within"]


def test_the_halves_of_the_first_hour_are_judged_each() -> None:
    _, found = sole(limit_over(Averaging.HALVES_OF_FIRST_HOUR, 60.0), evidence(peak_at_the_start, BURNS), HOUR)
    assert found.mean.tolist() == pytest.approx([70.0, 10.0])
    assert labels(found) == ["exceeded", "within"]


def test_a_whole_cremation_is_judged_from_its_start_to_its_end() -> None:
    _, found = sole(limit_over(Averaging.CREMATION), evidence(peak_at_the_start, BURNS), HOUR)
    assert found.mean[0] == pytest.approx((20 * 100 + 65 * 10) / 85)
    assert found.valid_minutes[0] == 85


def many_burns(count: int, broken: int, unknown: int) -> Evidence:
    """Hourly cremations; the first `broken` are over the limit, the next `unknown` have no values."""
    spans = [(7, HOUR + n * HOUR_MS, HOUR + (n + 1) * HOUR_MS) for n in range(count)]

    def signal(_furnace: Minutes, minute: Minutes) -> Values:
        number = (minute - MINUTE) // 60
        return np.where(number < broken, 200.0, np.where(number < broken + unknown, np.nan, 10.0))

    return evidence(signal, cycles(*spans))


SHARE = Share(at_least_pct=95.0, of=Window.MONTH, each=Averaging.HALVES_OF_FIRST_HOUR)


@pytest.mark.parametrize(
    ("count", "broken", "unknown", "pct", "verdict"),
    [
        pytest.param(20, 1, 0, 95.0, "within", id="one of twenty may break it"),
        pytest.param(20, 2, 0, 90.0, "exceeded", id="two of twenty may not"),
        pytest.param(25, 1, 5, 95.0, "within", id="what is not known does not count"),
        pytest.param(24, 1, 5, 100 * 18 / 19, "exceeded", id="nor does it help"),
    ],
)
def test_of_all_cremations_of_a_month_95_percent_must_keep_the_limit(
    count: int, broken: int, unknown: int, pct: float, verdict: str
) -> None:
    limit = limit_over(Averaging.SHARE_OF_CREMATIONS, 100.0, share=SHARE)
    _, found = sole(limit, many_burns(count, broken, unknown), HOUR)
    assert found.mean[0] == pytest.approx(pct)
    assert labels(found) == [verdict]


def test_a_month_without_cremations_has_no_share() -> None:
    limit = limit_over(Averaging.SHARE_OF_CREMATIONS, 100.0, share=SHARE)
    _, found = sole(limit, evidence(flat), HOUR)
    assert (labels(found), Cause(found.cause[0])) == (["not_judged"], Cause.NO_CREMATION)


@pytest.mark.parametrize(
    ("bound", "mean", "broken"),
    [
        (Bound.AT_MOST, 50.0, False), (Bound.AT_MOST, 50.1, True),
        (Bound.BELOW, 49.9, False), (Bound.BELOW, 50.0, True),
        (Bound.AT_LEAST, 50.0, False), (Bound.AT_LEAST, 49.9, True),
        (Bound.AT_MOST, float("nan"), False), (Bound.AT_LEAST, float("nan"), False),
    ],
)  # fmt: skip
def test_a_limit_is_broken_on_its_own_side(bound: Bound, mean: float, broken: bool) -> None:
    limit = limit_over(Averaging.CLOCK_HOUR, 50.0, bound)
    assert exceeds(np.array([mean]), limit, pack_of(limit))[0] == broken


def test_binary_noise_breaks_no_limit() -> None:
    limit = limit_over(Averaging.CLOCK_HOUR, 0.3)
    assert not exceeds(np.array([0.1 + 0.2]), limit, pack_of(limit))[0]


@pytest.mark.parametrize(("compared", "broken"), [(Compared.UNROUNDED, True), (Compared.ROUNDED, False)])
def test_a_pack_says_whether_the_rounded_mean_is_compared(compared: Compared, broken: bool) -> None:
    limit = limit_over(Averaging.CLOCK_HOUR, 50.0)
    pack = msgspec.structs.replace(pack_of(limit), rounding=Rounding(compared=compared, source="a test"))
    assert exceeds(np.array([50.5]), limit, pack)[0] == broken


def test_of_a_minimum_the_lowest_minute_is_the_worst() -> None:
    _, found = sole(limit_over(Averaging.CLOCK_HOUR, 30.0, Bound.AT_LEAST), evidence(rising), HOUR)
    assert (found.peak[0], labels(found)) == (0.0, ["exceeded"])


KINDS = [kind for kind in Averaging if kind is not Averaging.SHARE_OF_CREMATIONS]


@given(
    kind=st.sampled_from(KINDS),
    seed=st.integers(0, 10**6),
    together=st.lists(st.integers(0, 30), min_size=1, max_size=6, unique=True),
)
@settings(deadline=None, max_examples=60)
def test_periods_judged_together_are_judged_as_each_alone(kind: Averaging, seed: int, together: list[int]) -> None:
    noise = np.random.default_rng(seed).uniform(0.0, 120.0, 4096)

    def signal(furnace: Minutes, minute: Minutes) -> Values:
        value = noise[(minute * 7 + furnace * 13) % 4096]
        return np.where(value < 20.0, np.nan, value)

    given = evidence(signal, BURNS)
    limit = limit_over(kind)
    hours = ids(*(HOUR + n * HOUR_MS for n in together))
    periods = touched(kind, np.full(len(hours), 7), hours, SHANGHAI, BURNS)
    if not len(periods):
        return
    whole = assess(periods, limit, PACK, given)
    for row in {0, len(periods) // 2, len(periods) - 1}:
        alone = assess(periods.where(np.arange(len(periods)) == row), limit, PACK, given)
        for field in Verdicts.__struct_fields__:
            assert np.array_equal(
                getattr(alone, field)[0], getattr(whole, field)[row], equal_nan=field in ("mean", "peak")
            )


def test_hours_and_stretches_of_periods_fit_each_other() -> None:
    periods = of_cremations(Averaging.CREMATION, BURNS)
    spans = spans_of(periods, *hours_within(periods))
    assert (spans.minutes * MINUTE_MS).tolist() == (periods.end_ms - periods.start_ms).tolist()
    assert len(touched(Averaging.CREMATION, ids(7), ids(HOUR), SHANGHAI, no_cycles())) == 0
