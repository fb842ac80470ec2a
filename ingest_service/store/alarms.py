"""Alarms in the relational database: a step, its event row and its deliveries are one transaction."""

import threading
from collections.abc import Sequence
from datetime import tzinfo
from enum import StrEnum, unique

import msgspec
from sqlalchemy import ColumnElement, Engine, Select, and_, or_, select
from sqlalchemy.orm import Session

from ingest_service.alarms import lifecycle
from ingest_service.alarms.facts import Facts, facts_from_json, facts_to_json
from ingest_service.alarms.lifecycle import RETROSPECTIVE, Change, Condition, Observation, Place
from ingest_service.alarms.messages import Receiver
from ingest_service.alarms.vocabulary import Kind, Severity, State, Step
from ingest_service.audit.entry import Action, Entry, state_text
from ingest_service.store import deliveries
from ingest_service.store.alarm_tables import Alarm, AlarmEvent
from ingest_service.store.audit import AuditTrail
from ingest_service.store.transaction import transaction

IS_OPEN: ColumnElement[bool] = or_(Alarm.cleared_at_ms.is_(None), Alarm.acknowledged_at_ms.is_(None))


class AlarmRow(msgspec.Struct, frozen=True):
    """A stored alarm and its number."""

    id: int
    alarm: lifecycle.Alarm

    @property
    def state(self) -> State:
        """Where it stands."""
        return self.alarm.state

    @property
    def facts(self) -> Facts:
        """What its texts are made of."""
        return self.alarm.facts


class EventRow(msgspec.Struct, frozen=True):
    """One step in an alarm's life; `at_ms` is event time, `recorded_at_ms` processing time."""

    id: int
    alarm_id: int
    step: Step
    at_ms: int
    recorded_at_ms: int
    who: str
    note: str


@unique
class Answer(StrEnum):
    """What became of an acknowledgement."""

    ACKNOWLEDGED = "acknowledged"
    ALREADY_ACKNOWLEDGED = "already_acknowledged"
    UNKNOWN_ALARM = "unknown_alarm"


class Acknowledged(msgspec.Struct, frozen=True):
    """The answer, and the alarm as it stands now (None when there is no such alarm)."""

    answer: Answer
    row: AlarmRow | None


class AlarmFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which alarms are wanted; None means any."""

    home_id: str | None = None
    furnace_id: int | None = None
    kind: Kind | None = None
    since_ms: int | None = None
    limit: int = 200


ANY = AlarmFilter()


class AlarmStore:
    """Every alarm of the service. One writer at a time, so that a key never has two open alarms.

    `receivers` are told of steps; `zone` is the one in which their messages write times; `trail` keeps what people do.
    """

    def __init__(
        self, engine: Engine, receivers: Sequence[Receiver], zone: tzinfo, trail: AuditTrail | None = None
    ) -> None:
        self._engine = engine
        self._trail = trail or AuditTrail(engine)
        self._receivers = tuple(receivers)
        self._zone = zone
        self._writing = threading.Lock()

    def settle(self, observations: Sequence[Observation], now_ms: int) -> tuple[AlarmRow, ...]:
        """Apply what was seen; return the alarms that changed, in order of the observations."""
        with self._writing, transaction(self._engine) as session:
            open_keys = set(session.scalars(select(Alarm.key).where(IS_OPEN)))
            of_interest = [seen for seen in observations if isinstance(seen, Condition) or seen.key in open_keys]
            touched = [self._observe(session, seen, now_ms) for seen in of_interest]
            return tuple(_row(row) for row in dict.fromkeys(touched) if row is not None)

    def acknowledge(self, alarm_id: int, who: str, note: str, at_ms: int, address: str = "") -> Acknowledged:
        """Record that `who` at `address` has seen the alarm (processing time `at_ms`, ms since 1970 UTC)."""
        with self._writing, transaction(self._engine) as session:
            row = session.get(Alarm, alarm_id, with_for_update=True)
            if row is None:
                return Acknowledged(Answer.UNKNOWN_ALARM, None)
            before = _alarm(row)
            changes = lifecycle.acknowledge(before, who, note, at_ms)
            for change in changes:
                self._apply(session, row, change)
            if changes:
                self._trail.append(session, _said(row, before, changes[-1], address))
            return Acknowledged(Answer.ACKNOWLEDGED if changes else Answer.ALREADY_ACKNOWLEDGED, _row(row))

    def get(self, alarm_id: int) -> AlarmRow | None:
        """The alarm of that number."""
        with transaction(self._engine) as session:
            row = session.get(Alarm, alarm_id)
            return None if row is None else _row(row)

    def open(self, wanted: AlarmFilter = ANY) -> tuple[AlarmRow, ...]:
        """The open alarms, newest event first."""
        return self._select(select(Alarm).where(IS_OPEN), wanted)

    def closed(self, wanted: AlarmFilter = ANY) -> tuple[AlarmRow, ...]:
        """The finished alarms, newest event first."""
        return self._select(select(Alarm).where(~IS_OPEN), wanted)

    def open_keys(self) -> frozenset[str]:
        """The keys of the open alarms: of what is normal, only these need be told."""
        with transaction(self._engine) as session:
            return frozenset(session.scalars(select(Alarm.key).where(IS_OPEN)))

    def events(self, alarm_id: int) -> tuple[EventRow, ...]:
        """The steps of an alarm, oldest first."""
        with transaction(self._engine) as session:
            found = session.scalars(select(AlarmEvent).where(AlarmEvent.alarm_id == alarm_id).order_by(AlarmEvent.id))
            return tuple(_event(row) for row in found)

    def _select(self, query: Select[Alarm], wanted: AlarmFilter) -> tuple[AlarmRow, ...]:
        with transaction(self._engine) as session:
            ordered = query.where(*_conditions(wanted)).order_by(Alarm.raised_at_ms.desc(), Alarm.id.desc())
            return tuple(_row(row) for row in session.scalars(ordered.limit(wanted.limit)))

    def _observe(self, session: Session, seen: Observation, now_ms: int) -> Alarm | None:
        """The row that changed, if any: all changes of one observation concern one alarm."""
        known = session.scalars(_related(seen)).all()
        changes = lifecycle.observe([_alarm(row) for row in known], seen, now_ms)
        if not changes:
            return None
        by_key = {row.key: row for row in known}
        row = Alarm() if changes[0].step is Step.RAISED else by_key[changes[0].alarm.key]
        for change in changes:
            self._apply(session, row, change)
        return row

    def _apply(self, session: Session, row: Alarm, change: Change) -> None:
        _write(row, change.alarm)
        session.add(row)
        session.flush()
        event = AlarmEvent(
            alarm_id=row.id,
            step=change.step,
            at_ms=change.at_ms,
            recorded_at_ms=change.now_ms,
            who=change.who,
            note=change.note,
        )
        session.add(event)
        session.flush()
        session.add_all(deliveries.rows_for(change, row.id, event.id, self._receivers, self._zone))


def _said(row: Alarm, before: lifecycle.Alarm, change: Change, address: str) -> Entry:
    """The audit trail's entry of an acknowledgement."""
    return Entry(
        at_ms=change.now_ms,
        who=change.who,
        address=address,
        action=Action.ALARM_ACKNOWLEDGED,
        subject=f"alarm {row.id}",
        home=row.home_id or "",
        before=state_text({"state": before.state}),
        after=state_text({"state": change.alarm.state}),
        why=change.note,
    )


def _related(seen: Observation) -> Select[Alarm]:
    """The alarms that an observation may concern: the newest last, so that it stands for its key."""
    own = Alarm.key == seen.key
    if isinstance(seen, Condition):
        own = or_(own, Alarm.key.startswith(f"{seen.key}{RETROSPECTIVE}", autoescape=True))
    recent = IS_OPEN if not isinstance(seen, Condition) else or_(IS_OPEN, Alarm.cleared_at_ms > seen.begins_ms)
    return select(Alarm).where(and_(own, recent)).order_by(Alarm.id)


def _conditions(wanted: AlarmFilter) -> list[ColumnElement[bool]]:
    """The filter as SQL."""
    pairs = [
        (wanted.home_id, Alarm.home_id == wanted.home_id),
        (wanted.furnace_id, Alarm.furnace_id == wanted.furnace_id),
        (wanted.kind, Alarm.kind == wanted.kind),
        (wanted.since_ms, Alarm.raised_at_ms >= (wanted.since_ms or 0)),
    ]
    return [condition for value, condition in pairs if value is not None]


def _alarm(row: Alarm) -> lifecycle.Alarm:
    return lifecycle.Alarm(
        key=row.key,
        kind=Kind(row.kind),
        severity=Severity(row.severity),
        place=Place(row.home_id or "", row.furnace_id, row.series_id, row.node_id or ""),
        facts=facts_from_json(row.facts),
        raised_at_ms=row.raised_at_ms,
        noticed_at_ms=row.noticed_at_ms,
        acknowledged_at_ms=row.acknowledged_at_ms,
        acknowledged_by=row.acknowledged_by or "",
        cleared_at_ms=row.cleared_at_ms,
    )


def _write(row: Alarm, alarm: lifecycle.Alarm) -> None:
    row.key, row.kind, row.severity = alarm.key, alarm.kind, alarm.severity
    place = alarm.place
    row.home_id, row.node_id = place.home_id or None, place.node_id or None
    row.furnace_id, row.series_id = place.furnace_id, place.series_id
    row.facts = facts_to_json(alarm.facts)
    row.raised_at_ms, row.noticed_at_ms = alarm.raised_at_ms, alarm.noticed_at_ms
    row.acknowledged_at_ms, row.acknowledged_by = alarm.acknowledged_at_ms, alarm.acknowledged_by
    row.cleared_at_ms = alarm.cleared_at_ms


def _row(row: Alarm) -> AlarmRow:
    return AlarmRow(row.id, _alarm(row))


def _event(row: AlarmEvent) -> EventRow:
    return EventRow(row.id, row.alarm_id, Step(row.step), row.at_ms, row.recorded_at_ms, row.who, row.note)
