"""From a person's mark to a revised judgement and a report that tells of both, on real stores."""

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from edge_agent.wire.durations import HOUR_MS
from ingest_service.emissions.marks import PlantState
from ingest_service.reports.digest import sha256_of
from ingest_service.reports.gathering import Records, gather
from ingest_service.reports.model import Report, Stage
from ingest_service.reports.span import Kind, calendar_span
from ingest_service.store import overview, trends
from ingest_service.store.audit import AuditTrail
from ingest_service.store.cycles import CycleStore
from ingest_service.store.doing import Doing
from ingest_service.store.marks import Act, MarkEntry, MarkStore
from ingest_service.store.overview import Reader, Scope
from ingest_service.workers.plant import StoredPlant
from tests.ingest_service.workers.city import BOOK, GAS, IDLE, MINUTE, START, City

ZONE = ZoneInfo("Asia/Shanghai")
DAY = calendar_span(Kind.DAY, "2026-06-21", ZONE)
FIRST = START  # an hour over the limit for CO, the next within it
LATER = FIRST + 3 * HOUR_MS + 2 * MINUTE


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    """A furnace that burned badly for an hour, then well, then not at all."""
    made = City(tmp_path, furnaces=1)
    made.plant = StoredPlant(CycleStore(made.engine), marks_in(made))
    made.restart()
    for hour, changes in enumerate(({"co": 200.0}, {}, {"phase": IDLE})):
        times = np.arange(FIRST + hour * HOUR_MS, FIRST + (hour + 1) * HOUR_MS, 10_000, dtype=np.int64)
        gas_total = 100.0 + np.minimum(times - FIRST, 2 * HOUR_MS) / 600_000
        made.write(1, times, {**GAS, **changes, "gas_total": gas_total})
    made.settle(FIRST + 3 * HOUR_MS + MINUTE)
    yield made
    made.close()


def marks_in(city: City) -> MarkStore:
    return MarkStore(city.engine, AuditTrail(city.engine))


def doing(why: str) -> Doing:
    return Doing("Li", "127.0.0.1", FIRST + 4 * HOUR_MS, why)


def entry(minutes: int) -> MarkEntry:
    return MarkEntry(furnace_id=1, state=PlantState.FAULT, start_ms=FIRST, end_ms=FIRST + minutes * MINUTE)


def judged_again(city: City, mark: MarkEntry) -> None:
    """The judge hears of the mark, as the API tells it, and works."""
    city.judge.marked(mark.furnace_id, mark.start_ms, mark.end_ms, LATER)
    city.judge.step(LATER + MINUTE)


def co_of(city: City) -> tuple[str, str, int, str]:
    """The first hour's newest judgement on CO: verdict, cause, revision and its reason."""
    rows = trends.judgements(Reader(city.engine, Scope()), 1, FIRST, FIRST + HOUR_MS)
    (found,) = (row for row in rows if row.pollutant == "co")
    return found.verdict, found.cause, found.revision, found.revision_reason


def report(city: City) -> Report:
    reader = Reader(city.engine, Scope())
    records = Records(reader, city.store, BOOK, ZONE, "0.1.0", city.judge.awaits)
    return gather(records, overview.homes(reader)[0], overview.furnaces(reader), DAY)


def test_a_mark_takes_an_hour_out_of_judgement_and_its_withdrawal_puts_it_back(city: City) -> None:
    assert co_of(city) == ("exceeded", "", 0, "")
    assert len(city.judgements.exceedances(FIRST)) == 1
    mark = marks_in(city).enter(entry(60), doing("induced fan tripped"))
    judged_again(city, entry(60))
    assert co_of(city)[0] != "exceeded"
    assert co_of(city)[2:] == (1, "marks")
    assert city.judgements.exceedances(FIRST) == ()
    assert marks_in(city).replace(mark, entry(60), Act.WITHDRAWN, doing("was another furnace"))
    judged_again(city, entry(60))
    assert co_of(city) == ("exceeded", "", 2, "marks")
    assert len(city.judgements.exceedances(FIRST)) == 1


def test_a_report_tells_means_operation_marks_and_revisions(city: City) -> None:
    marks_in(city).enter(entry(10), doing("span gas"))
    judged_again(city, entry(10))
    (part,) = report(city).furnaces
    (line,) = (line for line in part.limits if line.subject.pollutant == "co")
    assert (line.valid, line.exceeded, line.lost, line.exceeded_minutes) == (2, 1, 0, 60)
    assert line.highest == pytest.approx(250.0), "200 mg/m3 at 13 % O2 is 250 at 11 %"
    assert line.capture_pct == 100.0
    assert part.operation.operating_minutes == 120
    assert part.operation.gas_m3 == pytest.approx(12.0, abs=0.02)
    assert part.operation.electricity_kwh is None, "there is no such meter"
    assert [(mark.reason, mark.who) for mark in part.marks] == [("span gas", "Li")]
    assert {(one.pollutant, one.revision_reason) for one in part.revisions} >= {("co", "marks")}
    assert [said.found.pollutant for said in part.exceedances] == ["co"]


def test_a_report_is_preliminary_until_its_time_is_judged(city: City) -> None:
    assert report(city).stage is Stage.PRELIMINARY
    assert report(city) == report(city)


def test_a_mark_that_is_not_judged_yet_makes_the_report_of_its_time_provisional(city: City) -> None:
    city.settle(DAY.to_ms + HOUR_MS)
    assert report(city).stage is Stage.FINAL
    mark = marks_in(city).enter(entry(10), doing("span gas"))
    city.judge.marked(1, FIRST, FIRST + 10 * MINUTE, DAY.to_ms + HOUR_MS)
    waiting = report(city)
    assert waiting.stage is Stage.PROVISIONAL
    assert waiting.furnaces[0].unjudged_marks == (mark,)
    city.judge.step(DAY.to_ms + HOUR_MS + MINUTE)
    judged = report(city)
    assert (judged.stage, judged.furnaces[0].unjudged_marks) == (Stage.FINAL, ())
    assert sha256_of(judged) != sha256_of(waiting)


def test_a_mark_of_another_time_or_furnace_is_not_waited_for(city: City) -> None:
    city.judge.marked(1, FIRST, FIRST + 10 * MINUTE, LATER)
    assert city.judge.awaits(1, FIRST + 50 * MINUTE, FIRST + 51 * MINUTE), "the hour is judged as a whole"
    assert not city.judge.awaits(1, FIRST + HOUR_MS, FIRST + 2 * HOUR_MS)
    assert not city.judge.awaits(2, FIRST, FIRST + HOUR_MS)


def test_a_mark_that_a_crash_kept_from_being_judged_is_judged_after_the_start(city: City) -> None:
    late = FIRST + 60 * 24 * HOUR_MS
    city.settle(late)
    mark = marks_in(city).enter(entry(60), Doing("Li", "127.0.0.1", late + 2 * MINUTE, "span gas"))
    assert marks_in(city).replace(mark, entry(60), Act.WITHDRAWN, Doing("Li", "", late + 2 * MINUTE, "no"))
    again = marks_in(city).enter(entry(60), Doing("Li", "127.0.0.1", late + 2 * MINUTE, "span gas"))
    assert again > mark
    city.restart()
    city.now_ms = late + 3 * MINUTE
    assert city.judge.awaits(1, FIRST, FIRST + HOUR_MS), "also before the judge has begun"
    assert not city.judge.awaits(1, FIRST + HOUR_MS, FIRST + 2 * HOUR_MS)
    city.judge.step(late + 3 * MINUTE)
    assert co_of(city)[2:] == (1, "marks")
    assert not city.judge.awaits(1, FIRST, FIRST + HOUR_MS)
