import msgspec
import numpy as np
import pytest

from edge_agent.wire.sample import Reason
from ingest_service.api.readings import Reading, Trust, clock_doubt, readings, reason_of, stale_after_ms
from ingest_service.store.batch import SampleBatch
from ingest_service.store.live import LiveTable
from ingest_service.store.overview import KnownSeries

SERIES = KnownSeries(
    id=7,
    home_id="beishan",
    furnace_id=1,
    edge="gateway",
    device="furnace-1",
    channel="co",
    quantity="co",
    unit="mg/m3",
    name_zh="",
    name_en="",
    basis="dry_standard",
    low=0.0,
    high=2000.0,
    period_s=10.0,
    datatype=10,
    states={},
)
UNBOUNDED = msgspec.structs.replace(SERIES, period_s=None)


@pytest.mark.parametrize(
    ("reading", "now_ms", "trust"),
    [
        pytest.param(Reading(SERIES), 100_000, Trust.NEVER, id="nothing has come yet"),
        pytest.param(Reading(SERIES, 3.0, Reason.GOOD, 99_000), 100_000, Trust.LIVE, id="a second old is live"),
        pytest.param(
            Reading(SERIES, 3.0, Reason.GOOD, 70_000), 100_000, Trust.LIVE, id="three periods old is just live"
        ),
        pytest.param(
            Reading(SERIES, 3.0, Reason.GOOD, 69_999), 100_000, Trust.STALE, id="older than three periods is stale"
        ),
        pytest.param(Reading(SERIES, None, Reason.TIMEOUT, 99_000), 100_000, Trust.BAD, id="no answer is bad"),
        pytest.param(
            Reading(SERIES, None, Reason.TIMEOUT, 10_000), 100_000, Trust.STALE, id="an old bad value is stale"
        ),
        pytest.param(Reading(SERIES, 3.0, Reason.UNCERTAIN, 99_000), 100_000, Trust.UNCERTAIN, id="a doubt is a doubt"),
        pytest.param(
            Reading(SERIES, 3.0, Reason.CLOCK_UNSYNCED, 99_000), 100_000, Trust.LIVE, id="the clock is no fault"
        ),
        pytest.param(
            Reading(SERIES, 3.0, Reason.STALE, 99_999), 100_000, Trust.STALE, id="a dead edge's value is stale"
        ),
        pytest.param(
            Reading(UNBOUNDED, 3.0, Reason.GOOD, 0), 10**9, Trust.LIVE, id="without a period age alone is no fault"
        ),
        pytest.param(
            Reading(SERIES, 3.0, Reason.GOOD, 101_000), 100_000, Trust.LIVE, id="an edge's clock may run ahead"
        ),
    ],
)
def test_a_reading_says_how_far_it_may_be_trusted(reading: Reading, now_ms: int, trust: Trust) -> None:
    assert reading.trust(now_ms) is trust


@pytest.mark.parametrize(
    ("reasons", "doubt"),
    [
        ([Reason.GOOD, Reason.UNCERTAIN], None),
        ([Reason.GOOD, Reason.CLOCK_UNSYNCED], Reason.CLOCK_UNSYNCED),
        ([Reason.CLOCK_UNSYNCED, Reason.CLOCK_STEPPED], Reason.CLOCK_STEPPED),
        ([], None),
    ],
)
def test_a_doubt_about_the_clock_is_told_once(reasons: list[Reason], doubt: Reason | None) -> None:
    assert clock_doubt([Reading(SERIES, 3.0, reason, 99_000) for reason in reasons], 100_000) is doubt


def test_a_doubt_about_the_clock_of_stale_values_is_of_no_interest() -> None:
    assert clock_doubt([Reading(SERIES, 3.0, Reason.CLOCK_UNSYNCED, 0)], 100_000) is None


def test_an_age_is_never_negative() -> None:
    assert Reading(SERIES, 3.0, Reason.GOOD, 5_000).age_ms(4_000) == 0
    assert Reading(SERIES).age_ms(4_000) is None


def test_stale_begins_after_three_periods() -> None:
    assert stale_after_ms(SERIES) == 30_000
    assert stale_after_ms(UNBOUNDED) is None


@pytest.mark.parametrize(
    ("code", "reason"), [(0, Reason.GOOD), (33, Reason.NOT_CONNECTED), (20, Reason.UNCERTAIN), (99, Reason.BAD)]
)
def test_a_reason_of_a_newer_edge_keeps_its_class(code: int, reason: Reason) -> None:
    assert reason_of(code) is reason


def test_readings_stand_in_the_order_of_their_series_whether_or_not_they_have_a_row() -> None:
    live = LiveTable()
    live.update(
        SampleBatch(
            np.array([9, 7], np.int32),
            np.array([1000, 2000], np.int64),
            np.array([np.nan, 4.5]),
            np.array([Reason.WIRE_BREAK, Reason.GOOD], np.uint8),
        ),
        2500,
    )
    known = [msgspec.structs.replace(SERIES, id=one) for one in (7, 8, 9)]
    found = readings(known, live.rows([one.id for one in known]))
    assert [one.series.id for one in found] == [7, 8, 9]
    assert [one.value for one in found] == [4.5, None, None]
    assert [one.reason for one in found] == [Reason.GOOD, Reason.GOOD, Reason.WIRE_BREAK]
    assert [one.measured_at_ms for one in found] == [2000, None, 1000]
