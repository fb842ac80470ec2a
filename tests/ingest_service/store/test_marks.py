import pytest
from sqlalchemy import Engine

from ingest_service.audit.entry import Action
from ingest_service.emissions.marks import PlantState
from ingest_service.store.audit import AuditTrail
from ingest_service.store.doing import Doing
from ingest_service.store.marks import Act, MarkEntry, MarkStore, mark_of, marks_of
from ingest_service.store.overview import Reader, Scope
from ingest_service.store.remarks import Answer, ExceedanceCause, Remark, RemarkLog, newest_on, remarks_on
from ingest_service.store.trends import OverLimit

HOUR = 3_600_000
T0 = 495_000 * HOUR
EVERYTHING = Scope()
ELSEWHERE = Scope(frozenset({"h2"}))


def entry(start: float = 0, end: float = 1, furnace: int = 1, state: PlantState = PlantState.CALIBRATION) -> MarkEntry:
    return MarkEntry(
        furnace_id=furnace,
        state=state,
        start_ms=T0 + round(start * HOUR),
        end_ms=T0 + round(end * HOUR),
    )


def doing(at_ms: int = T0) -> Doing:
    return Doing("Li", "127.0.0.1", at_ms, "monthly span gas")


def marks_in(engine: Engine) -> MarkStore:
    return MarkStore(engine, AuditTrail(engine))


def test_a_mark_holds_for_those_who_judge_where_it_touches_their_time(engine: Engine) -> None:
    store = marks_in(engine)
    store.enter(entry(0, 1), doing())
    store.enter(entry(1, 2, furnace=2, state=PlantState.FAULT), doing())
    marks = store.standing(T0, T0 + 2 * HOUR)
    assert marks.furnace.tolist() == [1, 2]
    assert marks.state.tolist() == [PlantState.CALIBRATION, PlantState.FAULT]
    assert len(store.standing(T0 + 2 * HOUR, T0 + 3 * HOUR)) == 0


def test_a_correction_is_a_new_record_and_the_first_one_stays(engine: Engine) -> None:
    store, reader = marks_in(engine), Reader(engine, EVERYTHING)
    first = store.enter(entry(0, 1), doing())
    second = store.replace(first, entry(0, 0.5), Act.CORRECTED, doing(T0 + 5))
    assert store.standing(T0, T0 + HOUR).end_ms.tolist() == [T0 + HOUR // 2]
    rows = marks_of(reader, [1], T0, T0 + HOUR)
    assert [(row.id, row.act, row.holds, row.replaced_by) for row in rows] == [
        (first, "entered", False, second),
        (second, "corrected", True, None),
    ]
    assert rows[0].end_ms == T0 + HOUR, "what was entered is never changed"


def test_a_withdrawn_mark_holds_no_more_and_cannot_be_corrected(engine: Engine) -> None:
    store = marks_in(engine)
    first = store.enter(entry(), doing())
    gone = store.replace(first, entry(), Act.WITHDRAWN, doing())
    assert gone is not None
    assert len(store.standing(T0, T0 + HOUR)) == 0
    assert store.replace(gone, entry(), Act.CORRECTED, doing()) is None


@pytest.mark.parametrize("furnace", [1, 2])
def test_only_the_record_that_holds_of_the_same_furnace_can_be_replaced(engine: Engine, furnace: int) -> None:
    store = marks_in(engine)
    first = store.enter(entry(), doing())
    if furnace == 1:
        assert store.replace(first, entry(), Act.CORRECTED, doing()) is not None
    assert store.replace(first, entry(furnace=furnace), Act.CORRECTED, doing()) is None
    assert store.replace(999, entry(furnace=furnace), Act.CORRECTED, doing()) is None


def test_another_homes_marks_are_not_in_sight(engine: Engine) -> None:
    mark = marks_in(engine).enter(entry(), doing())
    assert mark_of(Reader(engine, EVERYTHING), mark) is not None
    assert mark_of(Reader(engine, ELSEWHERE), mark) is None
    assert marks_of(Reader(engine, ELSEWHERE), [1], T0, T0 + HOUR) == []


def over(start: float, end: float, pollutant: str = "hcl") -> OverLimit:
    times = (T0 + round(start * HOUR), T0 + round(end * HOUR))
    return OverLimit(1, "h1", 1, "f1", "r@1", "c", pollutant, *times, 41.0, 60.0, 30.0, "mg/m3", 0)


def remark(action: str, start: float = 0, end: float = 1) -> Remark:
    return Remark(
        furnace_id=1,
        rule="r@1",
        pollutant="hcl",
        averaging="clock_hour",
        start_ms=T0 + round(start * HOUR),
        end_ms=T0 + round(end * HOUR),
        cause=ExceedanceCause.CONTROL_EQUIPMENT,
        detail="feeder empty",
        action=action,
        who="Li",
        recorded_at_ms=T0,
    )


def test_of_several_remarks_the_newest_holds_and_all_are_kept(engine: Engine) -> None:
    log = RemarkLog(engine, AuditTrail(engine))
    for action in ("none yet", "lime refilled"):
        log.add(over(0, 1), Answer(ExceedanceCause.CONTROL_EQUIPMENT, "feeder empty", action), doing())
    found = remarks_on(Reader(engine, EVERYTHING), [1], T0, T0 + HOUR)
    assert [one.action for one in found] == ["none yet", "lime refilled"]
    newest = newest_on(found, over(0, 1))
    assert newest is not None
    assert newest.action == "lime refilled"
    assert remarks_on(Reader(engine, ELSEWHERE), [1], T0, T0 + HOUR) == []


@pytest.mark.parametrize(
    ("found", "holds"),
    [(over(0, 2), True), (over(0.5, 3), True), (over(1, 2), False), (over(0, 1, "co"), False)],
    ids=["grown by late data", "shifted by late data", "another run", "another pollutant"],
)
def test_a_remark_goes_with_its_exceedance_when_late_data_change_it(found: OverLimit, holds: bool) -> None:
    assert (newest_on([remark("x")], found) is not None) is holds


def test_every_mark_and_remark_is_told_to_the_audit_trail(engine: Engine) -> None:
    store, trail = marks_in(engine), AuditTrail(engine)
    first = store.enter(entry(), doing())
    store.replace(first, entry(0, 0.5), Act.WITHDRAWN, doing())
    answer = Answer(ExceedanceCause.PROCESS, "", "adjusted")
    RemarkLog(engine, trail).add(over(0, 1), answer, doing())
    told = [record.entry for record in trail.newest()][::-1]
    assert [one.action for one in told] == [Action.MARK_SET, Action.MARK_WITHDRAWN, Action.REMARK_ADDED]
    assert {(one.who, one.home) for one in told} == {("Li", "h1")}
    assert "calibration" in told[1].before
