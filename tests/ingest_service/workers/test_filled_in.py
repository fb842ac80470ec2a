"""Missing hours of a month that a rule fills in, from samples to the report, on real stores."""

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest

from edge_agent.wire.durations import HOUR_MS
from ingest_service.cycles.cycle import Cycle, FoundBy
from ingest_service.cycles.settings import Cremations
from ingest_service.emissions.rulebook import RuleBook
from ingest_service.emissions.substitution import Band, Substitution
from ingest_service.reports.digest import sha256_of
from ingest_service.reports.gathering import Records, gather
from ingest_service.reports.model import Filling, Report
from ingest_service.reports.span import Kind, calendar_span
from ingest_service.store import overview
from ingest_service.store.cycles import CycleStore
from ingest_service.store.overview import Reader, Scope
from tests.ingest_service.workers.city import BOOK, GAS, MINUTE, PACK, START, City

ZONE = ZoneInfo("Asia/Shanghai")
RULE = Substitution(
    enabled=True, band=(Band(capture_pct=75.0, of_hours=3),), source="a permit", note_zh="", note_en="",
    clause_zh="第7条", clause_en="clause 7",
)  # fmt: skip
IN_FORCE = RuleBook((msgspec.structs.replace(PACK, substitution=RULE),))
CO = (40.0, 200.0, 48.0, 56.0, None, 40.0)  # mg/m3 hour by hour, at 13 % O2; the second exceeds


STATE = {"stack_velocity": 2.0, "stack_temperature": 0.0, "stack_pressure": 0.0, "stack_moisture": 50.0}
NO_SITE = Cremations()
SITE = Cremations(stack_area_m2=0.5)  # 0.5 m2 * 2 m/s * 3600 = 3600 m3/h, half of it dry
BURNED = Cycle(
    furnace_id=1, case_number="f1-1", found_by=FoundBy.PHASE, start_ms=START + 4 * HOUR_MS + 15 * MINUTE,
    charge_ms=START + 4 * HOUR_MS + 20 * MINUTE, end_ms=START + 5 * HOUR_MS + 30 * MINUTE, chamber2_limit_c=850.0,
    co2_kg_per_m3=2.0,
)  # fmt: skip


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    """A furnace whose analyser of CO was silent for an hour."""
    made = City(tmp_path, furnaces=1, channels=(*GAS, *STATE))
    for hour, co in enumerate(CO):
        times = np.arange(START + hour * HOUR_MS, START + (hour + 1) * HOUR_MS, 10_000, dtype=np.int64)
        values = {name: value for name, value in (GAS | STATE).items() if name != "co"}
        made.write(1, times, values if co is None else values | {"co": co})
    made.settle(START + len(CO) * HOUR_MS + MINUTE)
    yield made
    made.close()


def month(city: City, book: RuleBook, site: Cremations = NO_SITE) -> Report:
    reader = Reader(city.engine, Scope())
    records = Records(reader, city.store, book, ZONE, "0.1.0", city.judge.awaits, site, 101_325.0)
    span = calendar_span(Kind.MONTH, "2026-06", ZONE)
    return gather(records, overview.homes(reader)[0], overview.furnaces(reader), span)


def test_a_silent_hour_takes_the_highest_of_the_hours_before_it_and_is_not_judged(city: City) -> None:
    made = month(city, IN_FORCE)
    (part,) = made.furnaces
    (found,) = (one for one in part.filled if one.filled)
    (gap,) = found.gaps
    assert (found.subject.pollutant, found.due, found.missing) == ("co", 6, 0)
    assert (gap.start_ms, gap.hours) == (START + 4 * HOUR_MS, 1)
    assert gap.value == pytest.approx(250.0)
    assert found.mean == pytest.approx((50 + 250 + 60 + 70 + 50) / 5)
    assert found.mean_with_filled == pytest.approx((50 + 250 + 60 + 70 + 250 + 50) / 6)
    (line,) = (line for line in part.limits if line.subject.pollutant == "co")
    assert (line.valid, line.exceeded, line.lost) == (5, 1, 1), "250 over 150, once measured and once filled in"
    assert line.mean == found.mean
    assert len(city.judgements.exceedances(START)) == 1
    assert sha256_of(made) == sha256_of(month(city, IN_FORCE))


def test_the_mass_of_hours_that_were_filled_in_is_told_apart(city: City) -> None:
    CycleStore(city.engine).record(1, START, START + 6 * HOUR_MS, [BURNED], START + 6 * HOUR_MS)
    (part,) = month(city, IN_FORCE, SITE).furnaces
    (found,) = (one for one in part.filled if one.filled)
    assert found.mass_minutes == 45, "of the silent hour, those of the cremation"
    assert found.mass_kg == pytest.approx(200.0 * 1_800.0 * 45 / 60 * 1e-6), "250 mg at 11 % O2 are 200 at 13 %"
    assert part.operation.masses == (), "what was measured stays what it was"
    (unknown,) = (one for part in month(city, IN_FORCE).furnaces for one in part.filled if one.filled)
    assert (unknown.mass_kg, unknown.mass_minutes) == (None, 0), "without an area there is no flow"


def test_a_rule_that_nobody_has_read_fills_nothing_in(city: City) -> None:
    made = month(city, BOOK)
    assert [part.filled for part in made.furnaces] == [()]
    assert [(rule.filling, rule.filling_source) for rule in made.rules] == [
        (Filling.DISABLED, "HJ 75-2017 on missing data, from memory: not checked against the text")
    ]
