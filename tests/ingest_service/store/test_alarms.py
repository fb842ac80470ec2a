import threading

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from ingest_service.alarms.lifecycle import RETROSPECTIVE_AFTER_MS, Normal
from ingest_service.alarms.messages import INBOXES, Medium, Receiver
from ingest_service.alarms.vocabulary import Kind, Locale, State, Step
from ingest_service.errors import StoreError
from ingest_service.store import deliveries
from ingest_service.store.alarm_tables import Alarm, AlarmEvent, Delivery
from ingest_service.store.alarms import AlarmFilter, AlarmStore, Answer
from ingest_service.store.deliveries import DeliveryStore
from ingest_service.store.tables import Home
from tests.ingest_service.alarms.examples import NOON, ZONE, condition
from tests.support.told import told_of
from tests.support.waiting import PATIENCE_S

HOOK = Receiver(Medium.WEBHOOK, "http://127.0.0.1/" + "x" * 400, Locale.EN)
KEY = "stuck_value:1"
MINUTE = 60_000


@pytest.fixture
def engine(database: Engine) -> Engine:
    with Session(database) as session, session.begin():
        session.add_all([Home(id="qingshan"), Home(id="donghu")])
    return database


@pytest.fixture
def alarms(engine: Engine) -> AlarmStore:
    return AlarmStore(engine, (HOOK, *INBOXES), ZONE)


def counts(engine: Engine) -> tuple[int, int, int]:
    with Session(engine) as session:
        found = [session.scalar(select(func.count()).select_from(table)) for table in (Alarm, AlarmEvent, Delivery)]
        return found[0] or 0, found[1] or 0, found[2] or 0


def test_a_raised_alarm_its_event_and_its_deliveries_are_stored_together(engine: Engine, alarms: AlarmStore) -> None:
    (row,) = alarms.settle([condition(Kind.STUCK_VALUE, NOON)], NOON + 5_000)
    assert counts(engine) == (1, 1, 3)
    assert alarms.get(row.id) == row
    (event,) = alarms.events(row.id)
    assert (event.step, event.at_ms, event.recorded_at_ms) == (Step.RAISED, NOON, NOON + 5_000)
    sent = told_of(engine, row.id)
    assert {delivery.receiver for delivery in sent} == {HOOK, *INBOXES}
    assert {delivery.message.alarm_id for delivery in sent} == {row.id}


def test_when_deliveries_cannot_be_stored_neither_is_the_alarm(
    engine: Engine, alarms: AlarmStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    twice = deliveries.rows_for

    def clashing(*args: object) -> list[Delivery]:
        rows = twice(*args)  # type: ignore[arg-type]
        for row in rows:
            row.idempotency_key = "the same"
        return rows

    monkeypatch.setattr(deliveries, "rows_for", clashing)
    with pytest.raises(StoreError, match="relational database"):
        alarms.settle([condition(Kind.STUCK_VALUE, NOON)], NOON)
    assert counts(engine) == (0, 0, 0)


def test_settling_the_same_again_changes_nothing(engine: Engine, alarms: AlarmStore) -> None:
    for after_ms in (0, 5_000, 10_000):
        alarms.settle([condition(Kind.STUCK_VALUE, NOON)], NOON + after_ms)
    assert counts(engine) == (1, 1, 3)


def test_an_acknowledgement_says_what_happened(alarms: AlarmStore) -> None:
    (raised,) = alarms.settle([condition(Kind.STUCK_VALUE, NOON)], NOON)
    first = alarms.acknowledge(raised.id, "Li", "pump restarted", NOON + MINUTE)
    again = alarms.acknowledge(raised.id, "Wang", "", NOON + 2 * MINUTE)
    unknown = alarms.acknowledge(999, "Li", "", NOON)
    assert [first.answer, again.answer, unknown.answer] == [
        Answer.ACKNOWLEDGED,
        Answer.ALREADY_ACKNOWLEDGED,
        Answer.UNKNOWN_ALARM,
    ]
    assert again.row == first.row
    assert again.row is not None
    assert (again.row.alarm.acknowledged_by, again.row.alarm.acknowledged_at_ms) == ("Li", NOON + MINUTE)
    assert unknown.row is None
    assert [(event.step, event.who, event.note) for event in alarms.events(raised.id)][1:] == [
        (Step.ACKNOWLEDGED, "Li", "pump restarted")
    ]


def test_a_cleared_alarm_is_open_until_acknowledged_then_finished(alarms: AlarmStore) -> None:
    (raised,) = alarms.settle([condition(Kind.STUCK_VALUE, NOON)], NOON)
    alarms.settle([Normal(KEY, NOON + MINUTE)], NOON + MINUTE)
    assert [row.state for row in alarms.open()] == [State.CLEARED_UNACKNOWLEDGED]
    alarms.acknowledge(raised.id, "Li", "", NOON + 2 * MINUTE)
    assert alarms.open() == ()
    assert [row.id for row in alarms.closed()] == [raised.id]


def test_the_next_time_is_a_new_alarm(alarms: AlarmStore) -> None:
    (first,) = alarms.settle([condition(Kind.STUCK_VALUE, NOON)], NOON)
    alarms.acknowledge(first.id, "Li", "", NOON)
    alarms.settle([Normal(KEY, NOON + MINUTE)], NOON + MINUTE)
    (second,) = alarms.settle([condition(Kind.STUCK_VALUE, NOON + 2 * MINUTE)], NOON + 2 * MINUTE)
    assert second.id != first.id
    assert [row.id for row in alarms.open()] == [second.id]


def test_history_is_recorded_once_and_told_to_the_inbox_alone(engine: Engine, alarms: AlarmStore) -> None:
    late = NOON + RETROSPECTIVE_AFTER_MS + 2 * MINUTE
    past = condition(Kind.EXCEEDANCE, NOON, NOON + MINUTE)
    (row,) = alarms.settle([past], late)
    assert alarms.settle([past], late + MINUTE) == ()
    alarms.acknowledge(row.id, "Li", "", late + MINUTE)
    assert alarms.settle([past], late + 2 * MINUTE) == ()
    assert row.state is State.CLEARED_UNACKNOWLEDGED
    raised = [sent for sent in told_of(engine, row.id) if sent.step is Step.RAISED]
    assert {sent.receiver.medium for sent in raised} == {Medium.INBOX}


def test_many_threads_raise_one_alarm_and_one_acknowledgement_wins(engine: Engine, alarms: AlarmStore) -> None:
    def at_once(*work: threading.Thread) -> None:
        for thread in work:
            thread.start()
        for thread in work:
            thread.join(PATIENCE_S)

    seen = condition(Kind.STUCK_VALUE, NOON)
    at_once(*(threading.Thread(target=alarms.settle, args=([seen], NOON)) for _ in range(8)))
    assert counts(engine) == (1, 1, 3)
    answers: list[Answer] = []
    (row,) = alarms.open()
    at_once(
        *(
            threading.Thread(target=lambda who=who: answers.append(alarms.acknowledge(row.id, who, "", NOON).answer))
            for who in "abcdefgh"
        )
    )
    assert answers.count(Answer.ACKNOWLEDGED) == 1
    assert answers.count(Answer.ALREADY_ACKNOWLEDGED) == 7


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (AlarmFilter(), 2),
        (AlarmFilter(home_id="qingshan"), 2),
        (AlarmFilter(home_id="donghu"), 0),
        (AlarmFilter(kind=Kind.EXCEEDANCE), 1),
        (AlarmFilter(since_ms=NOON + 1), 1),
        (AlarmFilter(furnace_id=3), 0),
        (AlarmFilter(limit=1), 1),
    ],
)
def test_alarms_are_found_by_what_is_asked(alarms: AlarmStore, wanted: AlarmFilter, expected: int) -> None:
    alarms.settle([condition(Kind.STUCK_VALUE, NOON), condition(Kind.EXCEEDANCE, NOON + MINUTE)], NOON + MINUTE)
    assert len(alarms.open(wanted)) == expected


def test_the_inbox_holds_the_newest_first_in_the_readers_language(engine: Engine, alarms: AlarmStore) -> None:
    alarms.settle([condition(Kind.STUCK_VALUE, NOON)], NOON)
    alarms.settle([condition(Kind.EDGE_SILENT, NOON)], NOON)
    box = DeliveryStore(engine).inbox(Locale.ZH)
    assert [row.message.kind for row in box] == [Kind.EDGE_SILENT, Kind.STUCK_VALUE]
    assert {row.message.locale for row in box} == {Locale.ZH}
