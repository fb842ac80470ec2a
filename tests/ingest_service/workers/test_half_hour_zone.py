"""Judging where the clock of the place is half an hour off UTC's: hours, previews and reports are of its clock."""

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from edge_agent.wire.durations import HOUR_MS
from ingest_service.emissions.averages import Averaging
from ingest_service.reports.gathering import Records, gather
from ingest_service.reports.model import Stage
from ingest_service.reports.span import Kind, calendar_span
from ingest_service.store import overview, trends
from ingest_service.store.overview import Reader, Scope
from ingest_service.workers.catching_up import missed_hours
from tests.ingest_service.workers.city import BOOK, GAS, IDLE, MINUTE, City

KOLKATA = ZoneInfo("Asia/Kolkata")
DAY = calendar_span(Kind.DAY, "2026-06-21", KOLKATA)
TEN = DAY.from_ms + 10 * HOUR_MS  # ten o'clock, in the middle of an hour of UTC


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    """A furnace that burned badly from ten to eleven and well until twelve."""
    made = City(tmp_path, furnaces=1, zone=KOLKATA.key)
    for hour, co in enumerate((200.0, 40.0)):
        times = np.arange(TEN + hour * HOUR_MS, TEN + (hour + 1) * HOUR_MS, 10_000, dtype=np.int64)
        made.write(1, times, {**GAS, "co": co, "gas_total": 100.0 + (times - TEN) / 600_000})
    made.write(1, np.array([TEN + 2 * HOUR_MS]), {**GAS, "phase": IDLE, "gas_total": 112.0})
    yield made
    made.close()


def co_hours(city: City) -> list[tuple[int, str, int]]:
    """Hour of the day, verdict and revision of what was judged on CO, those without operation left out."""
    periods = trends.judgements(Reader(city.engine, Scope()), 1, DAY.from_ms, DAY.to_ms, Averaging.CLOCK_HOUR)
    own = [one for one in periods if one.pollutant == "co" and one.mean is not None]
    return [((one.start_ms - DAY.from_ms) // HOUR_MS, one.verdict, one.revision) for one in own]


def live(city: City, at_ms: int) -> None:
    city.average.step(at_ms + 6_000)
    city.judge.step(at_ms + 8_000)


def test_an_hour_of_the_clock_is_judged_when_it_ends(city: City) -> None:
    live(city, TEN + 20 * MINUTE)
    assert {(one.start_ms, one.valid_minutes) for one in city.judge.previews()} == {(TEN, 20)}
    live(city, TEN + HOUR_MS)
    assert co_hours(city) == [(10, "exceeded", 0)]
    assert {one.start_ms for one in city.judge.previews()} == {TEN + HOUR_MS}
    city.settle(TEN + 4 * HOUR_MS)
    assert co_hours(city) == [(10, "exceeded", 0), (11, "within", 0)]
    (exceedance,) = city.judgements.exceedances(DAY.from_ms)
    assert (exceedance.start_ms, exceedance.end_ms) == (TEN, TEN + HOUR_MS)


def test_late_data_open_the_hours_of_the_clock_that_they_touch(city: City) -> None:
    city.settle(TEN + 4 * HOUR_MS)
    city.feed(1, TEN + 50 * MINUTE, TEN + 70 * MINUTE, {"co": 400.0}, every_ms=1_000)
    city.settle(TEN + 5 * HOUR_MS)
    assert co_hours(city) == [(10, "exceeded", 1), (11, "within", 1)]


def test_what_was_judged_is_not_taken_for_missed(city: City) -> None:
    city.settle(TEN + 4 * HOUR_MS)
    later_ms = (TEN + 30 * 24 * HOUR_MS) // HOUR_MS * HOUR_MS
    assert missed_hours(city.store, city.judgements, city.channels(), later_ms) == []


def test_the_report_of_a_day_holds_the_hours_of_its_clock(city: City) -> None:
    city.settle(TEN + 4 * HOUR_MS)
    city.settle(DAY.to_ms + HOUR_MS)
    reader = Reader(city.engine, Scope())
    records = Records(reader, city.store, BOOK, KOLKATA, "0.1.0", city.judge.awaits)
    found = gather(records, overview.homes(reader)[0], overview.furnaces(reader), DAY)
    (part,) = found.furnaces
    assert found.stage is Stage.FINAL
    assert {(one.start_ms - DAY.from_ms) % HOUR_MS for one in part.hours} == {0}
    (line,) = (line for line in part.limits if line.subject.pollutant == "co")
    assert (line.valid, line.exceeded, line.exceeded_minutes) == (2, 1, 60)
    assert part.operation.gas_m3 == pytest.approx(12.0, abs=0.05)
    assert part.operation.operating_minutes == 120
