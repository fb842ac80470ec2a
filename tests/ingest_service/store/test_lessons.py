"""Lessons of cremations, on SQLite and where it is there on PostgreSQL."""

import numpy as np
import pytest
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from ingest_service.alarms.facts import DeviceBadFacts, ExceedanceFacts, Name, UnusualFacts
from ingest_service.alarms.lifecycle import Condition, Place
from ingest_service.anomaly.baseline import SHAPE, HeldBack
from ingest_service.cycles.cycle import Cycle, FoundBy
from ingest_service.store.alarms import AlarmStore
from ingest_service.store.cycle_tables import Lesson as LessonTable
from ingest_service.store.cycles import CycleStore
from ingest_service.store.judged_tables import Exceedance
from ingest_service.store.lessons import Lesson, LessonStore, Trouble
from tests.ingest_service.alarms.examples import ZONE

HOUR = 3_600_000
T0 = 495_000 * HOUR
NAME = Name("1", "1")


def lesson(case: str, hour: int, furnace: int = 1, why: HeldBack = HeldBack.NOTHING, row: int = 1) -> Lesson:
    minutes = np.full(SHAPE, np.nan)
    minutes[0, :3] = (float(hour), -1.5, 900.5)
    return Lesson(furnace, case, row, T0 + hour * HOUR, T0 + hour * HOUR + HOUR, why, minutes)


def cases(store: LessonStore, furnace: int = 1) -> list[str]:
    return [one.case_number for one in store.of_furnaces([furnace])[furnace]]


def test_lessons_come_back_as_they_were_by_furnace_and_time(engine: Engine) -> None:
    store = LessonStore(engine)
    written = [lesson("b", 5, why=HeldBack.UNUSUAL), lesson("a", 2), lesson("a", 3, furnace=2)]
    for one in written:
        store.put(one, 0)
    found = store.of_furnaces([1, 2, 3])
    assert {furnace: [one.case_number for one in own] for furnace, own in found.items()} == {
        1: ["a", "b"],
        2: ["a"],
        3: [],
    }
    assert found[1][1].held_back is HeldBack.UNUSUAL
    assert np.array_equal(found[1][0].minutes, written[1].minutes, equal_nan=True)


def test_a_revision_takes_the_place_of_what_the_cremation_taught_before(engine: Engine) -> None:
    store = LessonStore(engine)
    for row, hour in ((4, 2), (9, 3)):
        store.put(lesson("a", hour, row=row), 0)
    (one,) = store.of_furnaces([1])[1]
    assert (one.cremation_id, one.charge_ms) == (9, T0 + 3 * HOUR)
    assert store.seen() == 9


def test_what_is_forgotten_or_needed_no_more_is_gone_and_the_rest_stays(engine: Engine) -> None:
    store = LessonStore(engine)
    for at, case in enumerate("abcd"):
        store.put(lesson(case, at), T0 + (at - 2) * HOUR)
        store.put(lesson(case, at, furnace=2), 0)
    store.forget(1, "d")
    assert (cases(store), cases(store, 2)) == (["b", "c"], ["a", "b", "c", "d"])


def test_lessons_of_other_quantities_or_minutes_are_not_read(engine: Engine) -> None:
    store = LessonStore(engine)
    store.put(lesson("a", 1), 0)
    with Session(engine) as session, session.begin():
        session.execute(update(LessonTable).values(layout="another"))
    assert cases(store) == []


def test_cremations_have_yet_to_be_looked_at_in_the_order_of_recording(engine: Engine) -> None:
    cycles, store = CycleStore(engine), LessonStore(engine)
    found = [
        Cycle(
            furnace_id=1, case_number=case, found_by=FoundBy.SIGNALS, start_ms=T0 + hour * HOUR,
            charge_ms=T0 + hour * HOUR, main_ms=T0 + hour * HOUR + 5, end_ms=T0 + hour * HOUR + HOUR,
            chamber2_limit_c=850.0, co2_kg_per_m3=2.0,
        )
        for case, hour in (("late", 8), ("early", 2))
    ]  # fmt: skip
    for one in found:
        cycles.record(1, one.charge_ms, one.charge_ms + 1, [one], T0)
    cycles.record(1, found[0].charge_ms, found[0].charge_ms + 1, [], T0)
    rows = store.finished_since(0, T0, 10)
    assert [(row.case_number, row.withdrawn) for row in rows] == [("late", False), ("early", False), ("late", True)]
    assert (rows[0].ignition_ms, rows[0].main_ms) == (None, T0 + 8 * HOUR + 5)
    assert store.finished_since(rows[0].id, T0, 1) == rows[1:2]
    assert [row.case_number for row in store.finished_since(0, T0 + 3 * HOUR, 10)] == ["late", "late"]


def test_troubles_are_alarms_and_short_exceedances_but_not_what_is_unusual(engine: Engine) -> None:
    alarms, store = AlarmStore(engine, (), ZONE), LessonStore(engine)
    bad = DeviceBadFacts(NAME, NAME, "f1", "timeout", 8, T0)
    strange = UnusualFacts(NAME, NAME, NAME, "main", 1.0, 2.0, 3.0, "%", 5, 6.0, 4.0, T0)
    over = ExceedanceFacts(NAME, NAME, NAME, 9.0, 9.0, 5.0, "mg/m3", None, T0, T0 + HOUR, "r@1", NAME)
    place = Place("h1", 1)
    alarms.settle([Condition("device_bad:1", place, bad, T0)], T0)
    alarms.settle([Condition("unusual:1", place, strange, T0), Condition("exceedance:1", place, over, T0)], T0)
    assert store.troubles([1], T0) == [Trouble(1, T0, np.iinfo(np.int64).max)]
    alarms.settle([Condition("device_bad:1", place, bad, T0, T0 + 5)], T0 + 5)
    assert store.troubles([1], T0) == [Trouble(1, T0, T0 + 5)]
    assert store.troubles([1], T0 + 5) == store.troubles([2], T0) == []


@pytest.mark.parametrize(("averaging", "counts"), [("clock_hour", True), ("cremation", True), ("month", False)])
def test_a_month_over_its_limit_is_no_trouble_of_each_of_its_cremations(
    engine: Engine, averaging: str, counts: bool
) -> None:
    over = Exceedance(
        furnace_id=1, rule="r@1", clause="c", pollutant="co", averaging=averaging, start_ms=T0, end_ms=T0 + HOUR,
        mean=9.0, peak=9.0, limit=5.0, unit="mg/m3",
    )  # fmt: skip
    with Session(engine) as session, session.begin():
        session.add(over)
    assert LessonStore(engine).troubles([1], T0) == ([Trouble(1, T0, T0 + HOUR)] if counts else [])
