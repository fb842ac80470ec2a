"""What happened and who was told, as far as a reader may see: alarms, their steps, deliveries, rejections."""

from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select

from ingest_service.alarms.facts import Facts, facts_from_json
from ingest_service.alarms.messages import AlarmMessage, Medium
from ingest_service.alarms.vocabulary import Locale, State
from ingest_service.people.nodes import home_node_id
from ingest_service.store.alarm_tables import Alarm, AlarmEvent, Delivery
from ingest_service.store.alarms import IS_OPEN
from ingest_service.store.deliveries import DeliveryState
from ingest_service.store.overview import WHOLE, Part, Reader, columns
from ingest_service.store.tables import Furnace, Rejection


class AlarmRecord(msgspec.Struct, frozen=True):
    """One alarm. `raised_at_ms` is event time, `noticed_at_ms` when the centre knew. `facts` feed its texts.

    What belongs to no home has "" as `home_id`, and `node_id`.
    """

    id: int
    key: str
    kind: str
    severity: str
    home_id: str
    furnace_id: int | None
    furnace: str
    series_id: int | None
    facts: Facts
    raised_at_ms: int
    noticed_at_ms: int
    acknowledged_at_ms: int | None
    acknowledged_by: str
    cleared_at_ms: int | None
    node_id: str = ""

    @property
    def node(self) -> str:
        """The node of the organisation at which it stands."""
        return self.node_id or home_node_id(self.home_id)

    @property
    def state(self) -> State:
        """Where it stands, from its two times."""
        if self.acknowledged_at_ms is None:
            return State.ACTIVE_UNACKNOWLEDGED if self.cleared_at_ms is None else State.CLEARED_UNACKNOWLEDGED
        return State.ACTIVE_ACKNOWLEDGED if self.cleared_at_ms is None else State.CLOSED


class OpenAlarms(msgspec.Struct, frozen=True):
    """How many alarms are open, by severity, and the newest that nobody has acknowledged (0: none)."""

    by_severity: dict[str, int]
    newest_unacknowledged: int

    @property
    def count(self) -> int:
        """How many in all."""
        return sum(self.by_severity.values())


class AlarmStep(msgspec.Struct, frozen=True):
    """One step in an alarm's life: raised, escalated, acknowledged, cleared; `at_ms` is event time."""

    step: str
    at_ms: int
    recorded_at_ms: int
    who: str
    note: str


class Message(msgspec.Struct, frozen=True):
    """One notification to one receiver; `message` is a snapshot of what was sent, `last_error` a line an attempt."""

    id: int
    alarm_id: int
    step: str
    channel: str
    receiver: str
    locale: str
    message: AlarmMessage
    state: DeliveryState
    attempts: int
    due_at_ms: int
    sent_at_ms: int | None
    last_error: str


class Refused(msgspec.Struct, frozen=True):
    """What was not admitted from one origin for one reason, counted, with the newest example."""

    reason: str
    home: str
    edge: str
    device: str
    count: int
    first_at_ms: int
    last_at_ms: int
    example: str


def open_alarms(reader: Reader, home_id: str | None = None, furnace_id: int | None = None) -> list[AlarmRecord]:
    """Every alarm that still needs someone (not cleared, or not acknowledged), newest first."""
    return _alarms(reader, home_id, furnace_id, IS_OPEN)


def finished_alarms(
    reader: Reader, part: Part, home_id: str | None = None, furnace_id: int | None = None
) -> list[AlarmRecord]:
    """A part of the alarms that are cleared and acknowledged, the newest first."""
    return _alarms(reader, home_id, furnace_id, ~IS_OPEN, part)


def count_finished(reader: Reader, home_id: str | None = None, furnace_id: int | None = None) -> int:
    """How many alarms are cleared and acknowledged."""
    query = select(func.count().label("count")).select_from(Alarm).where(_in_sight(reader), ~IS_OPEN)
    return int(reader.rows(_of(query, home_id, furnace_id))[0]["count"])


def count_open(reader: Reader) -> OpenAlarms:
    """What every page says of alarms."""
    unacknowledged = case((Alarm.acknowledged_at_ms.is_(None), Alarm.id))
    query = (
        select(Alarm.severity.label("severity"), func.count().label("count"), func.max(unacknowledged).label("newest"))
        .where(_in_sight(reader), IS_OPEN)
        .group_by(Alarm.severity)
    )
    rows = reader.rows(query)
    newest = max((row["newest"] or 0 for row in rows), default=0)
    return OpenAlarms({row["severity"]: row["count"] for row in rows}, newest)


def alarms_raised(reader: Reader, furnace_id: int, from_ms: int, to_ms: int) -> list[AlarmRecord]:
    """The alarms of a furnace that were raised in `[from_ms, to_ms)`, oldest first."""
    raised = and_(Alarm.raised_at_ms >= from_ms, Alarm.raised_at_ms < to_ms)
    return _alarms(reader, None, furnace_id, raised)[::-1]


def alarm(reader: Reader, alarm_id: int) -> AlarmRecord | None:
    """That alarm, or None where the reader sees none of that number."""
    return next(iter(_alarms(reader, None, None, Alarm.id == alarm_id)), None)


def last_step_id(reader: Reader) -> int:
    """A number that rises with each step of any alarm, in sight or not; 0 while there is none."""
    return int(reader.rows(select(func.max(AlarmEvent.id).label("newest")))[0]["newest"] or 0)


def newest_step_id(reader: Reader, after: int = 0) -> int:
    """A number that rises with each step of any alarm in sight; 0 while there is none after that number."""
    query = (  # from the newest step backwards: the largest of all would be looked for among all
        select(AlarmEvent.id.label("newest"))
        .join(Alarm, Alarm.id == AlarmEvent.alarm_id)
        .where(_in_sight(reader), AlarmEvent.id > after)
        .order_by(AlarmEvent.id.desc())
        .limit(1)
    )
    return next((int(row["newest"]) for row in reader.rows(query)), 0)


def steps(reader: Reader, alarm_id: int) -> list[AlarmStep]:
    """The life of an alarm, in order."""
    query = (
        select(*columns(AlarmStep, AlarmEvent))
        .join(Alarm, Alarm.id == AlarmEvent.alarm_id)
        .where(_in_sight(reader), AlarmEvent.alarm_id == alarm_id)
        .order_by(AlarmEvent.id)
    )
    return [AlarmStep(**row) for row in reader.rows(query)]


def messages(reader: Reader, limit: int, alarm_id: int | None = None, inbox: Locale | None = None) -> list[Message]:
    """The newest notifications, of one alarm or to the inbox of one language or all."""
    query = (
        select(*columns(Message, Delivery, Delivery.payload.label("message")))
        .join(Alarm, Alarm.id == Delivery.alarm_id)
        .where(_in_sight(reader))
        .order_by(Delivery.id.desc())
        .limit(limit)
    )
    if alarm_id is not None:
        query = query.where(Delivery.alarm_id == alarm_id)
    if inbox is not None:
        query = query.where(Delivery.channel == Medium.INBOX, Delivery.locale == inbox)
    return [_message(**row) for row in reader.rows(query)]


def rejections(reader: Reader, part: Part = WHOLE) -> list[Refused]:
    """What was not admitted, newest first. Whoever sees part of the city sees that of their homes."""
    query = (
        select(*columns(Refused, Rejection))
        .where(reader.scope.admits(Rejection.home))
        .order_by(Rejection.last_at_ms.desc(), Rejection.id)
        .limit(part.count)
        .offset(part.skipped)
    )
    return [Refused(**row) for row in reader.rows(query)]


def count_rejections(reader: Reader) -> int:
    """Of how many origins and reasons something was not admitted."""
    query = select(func.count().label("count")).select_from(Rejection).where(reader.scope.admits(Rejection.home))
    return int(reader.rows(query)[0]["count"])


def _alarms(
    reader: Reader, home_id: str | None, furnace_id: int | None, condition: ColumnElement[bool], part: Part = WHOLE
) -> list[AlarmRecord]:
    query = (
        select(*columns(AlarmRecord, Alarm, Furnace.name.label("furnace")))
        .outerjoin(Furnace, Furnace.id == Alarm.furnace_id)
        .where(_in_sight(reader), condition)
        .order_by(Alarm.raised_at_ms.desc(), Alarm.id.desc())
        .limit(part.count)
        .offset(part.skipped)
    )
    return [_record(**row) for row in reader.rows(_of(query, home_id, furnace_id))]


def _of(query: Select[*tuple[Any, ...]], home_id: str | None, furnace_id: int | None) -> Select[*tuple[Any, ...]]:
    """A query for alarms, of one home or furnace alone where these are given."""
    if home_id is not None:
        query = query.where(Alarm.home_id == home_id)
    return query if furnace_id is None else query.where(Alarm.furnace_id == furnace_id)


def _in_sight(reader: Reader) -> ColumnElement[bool]:
    """The alarms of homes and nodes that the reader may see."""
    return or_(reader.scope.admits(Alarm.home_id), reader.scope.admits_node(Alarm.node_id))


def _record(furnace: str | None, facts: str, **row: Any) -> AlarmRecord:
    row |= {name: row[name] or "" for name in ("home_id", "node_id")}
    return AlarmRecord(**row, furnace=furnace or "", facts=facts_from_json(facts))


def _message(message: str, state: str, **row: Any) -> Message:
    return Message(**row, message=msgspec.json.decode(message, type=AlarmMessage), state=DeliveryState(state))
