from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.wire.durations import HOUR_MS, MINUTE_MS
from ingest_service.emissions.local_hours import hour_start_ms, hour_starts_ms
from tests.ingest_service.emissions.zones import ADELAIDE, BERLIN, KATHMANDU, KOLKATA, SHANGHAI, at

ZONES = (SHANGHAI, BERLIN, KOLKATA, KATHMANDU, ADELAIDE)


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_an_hour_begins_when_the_clock_of_the_place_strikes(zone: ZoneInfo) -> None:
    assert hour_start_ms(at("2026-03-02T10:59:59", zone), zone) == at("2026-03-02T10:00", zone)
    assert hour_start_ms(at("2026-03-02T10:00", zone), zone) == at("2026-03-02T10:00", zone)


@given(st.integers(0, 2**41), st.sampled_from(ZONES))
def test_every_moment_lies_in_its_hour(at_ms: int, zone: ZoneInfo) -> None:
    start_ms = hour_start_ms(at_ms, zone)
    assert start_ms <= at_ms < start_ms + HOUR_MS
    assert datetime.fromtimestamp(start_ms / 1000, zone).minute == 0


def test_many_moments_are_told_as_each_alone() -> None:
    moments = np.array([at("2026-04-05T01:10", ADELAIDE) + step * 17 * MINUTE_MS for step in (3, 0, 9, 3)])
    assert hour_starts_ms(moments, ADELAIDE).tolist() == [hour_start_ms(int(one), ADELAIDE) for one in moments]
