"""Deliveries in the relational database: the outbox of notifications and the record of every attempt."""

import hashlib
from collections.abc import Sequence
from datetime import tzinfo
from enum import StrEnum, unique

import msgspec
from sqlalchemy import Engine, and_, or_, select

from ingest_service.alarms.lifecycle import Change
from ingest_service.alarms.messages import AlarmMessage, Medium, Receiver, audience_of, compose
from ingest_service.alarms.vocabulary import Locale, Step
from ingest_service.store.alarm_tables import Delivery
from ingest_service.store.transaction import transaction


@unique
class DeliveryState(StrEnum):
    """How far a message has come. Accepted means that the next system took it, not that a person has read it."""

    PENDING = "pending"
    SENDING = "sending"
    ACCEPTED = "accepted"
    DEAD = "dead"


class DeliveryRow(msgspec.Struct, frozen=True):
    """One message to one receiver. `record` holds a line per attempt, newest first; times are ms since 1970 UTC."""

    id: int
    alarm_id: int
    step: Step
    receiver: Receiver
    message: AlarmMessage
    state: DeliveryState
    attempts: int
    due_at_ms: int
    sent_at_ms: int | None
    record: str


class DeliveryStore:
    """The deliveries of every alarm. Rows come in with the alarm's own transaction (`rows_for`)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def lease(self, now_ms: int, lease_ms: int, limit: int) -> tuple[DeliveryRow, ...]:
        """Take at most `limit` due rows for `lease_ms`; a row whose lease ran out is due again."""
        due = or_(
            and_(Delivery.state == DeliveryState.PENDING, Delivery.due_at_ms <= now_ms),
            and_(Delivery.state == DeliveryState.SENDING, Delivery.lease_until_ms <= now_ms),
        )
        query = select(Delivery).where(due).order_by(Delivery.due_at_ms, Delivery.id).limit(limit)
        with transaction(self._engine) as session:
            rows = session.scalars(query.with_for_update(skip_locked=True)).all()
            for row in rows:
                row.state, row.lease_until_ms, row.attempts = DeliveryState.SENDING, now_ms + lease_ms, row.attempts + 1
            return tuple(delivery_row(row) for row in rows)

    def accepted(self, delivery_id: int, now_ms: int, line: str) -> None:
        """The next system took it."""
        self._finish(delivery_id, DeliveryState.ACCEPTED, now_ms, line)

    def dead(self, delivery_id: int, now_ms: int, line: str) -> None:
        """It will not be tried again."""
        self._finish(delivery_id, DeliveryState.DEAD, now_ms, line)

    def again(self, delivery_id: int, due_at_ms: int, line: str) -> None:
        """It did not arrive; try again at `due_at_ms`."""
        self._finish(delivery_id, DeliveryState.PENDING, due_at_ms, line)

    def inbox(self, locale: Locale, limit: int = 100) -> tuple[DeliveryRow, ...]:
        """The newest messages of the inbox in one language, newest first."""
        query = select(Delivery).where(Delivery.channel == Medium.INBOX, Delivery.locale == locale)
        with transaction(self._engine) as session:
            return tuple(delivery_row(row) for row in session.scalars(query.order_by(Delivery.id.desc()).limit(limit)))

    def _finish(self, delivery_id: int, state: DeliveryState, at_ms: int, line: str) -> None:
        with transaction(self._engine) as session:
            row = session.get_one(Delivery, delivery_id)
            row.state, row.lease_until_ms = state, 0
            row.last_error = f"{line}\n{row.last_error}".strip()
            if state is DeliveryState.PENDING:
                row.due_at_ms = at_ms
            if state is DeliveryState.ACCEPTED:
                row.sent_at_ms = at_ms


def rows_for(
    change: Change, alarm_id: int, event_id: int, receivers: Sequence[Receiver], zone: tzinfo
) -> list[Delivery]:
    """The rows that tell the right receivers of a change; the caller adds them to its own transaction."""
    rows = []
    for receiver in audience_of(change, tuple(receivers)):
        message = compose(change, alarm_id, event_id, receiver, zone)
        rows.append(
            Delivery(
                idempotency_key=_idempotency_key(message, receiver),
                alarm_id=alarm_id,
                step=change.step,
                channel=receiver.medium,
                receiver=receiver.address,
                locale=receiver.locale,
                payload=msgspec.json.encode(message).decode(),
                state=DeliveryState.PENDING,
                due_at_ms=change.now_ms,
            )
        )
    return rows


def _idempotency_key(message: AlarmMessage, receiver: Receiver) -> str:
    """One message a step, receiver and language; an address may be longer than a key."""
    address = hashlib.sha256(receiver.address.encode()).hexdigest()[:16]
    return f"{message.event_id}-{receiver.medium}-{receiver.locale}-{address}"


def delivery_row(row: Delivery) -> DeliveryRow:
    """A row of the table as it is handed out."""
    return DeliveryRow(
        id=row.id,
        alarm_id=row.alarm_id,
        step=Step(row.step),
        receiver=Receiver(Medium(row.channel), row.receiver, Locale(row.locale)),
        message=msgspec.json.decode(row.payload, type=AlarmMessage),
        state=DeliveryState(row.state),
        attempts=row.attempts,
        due_at_ms=row.due_at_ms,
        sent_at_ms=row.sent_at_ms,
        record=row.last_error or "",
    )
