"""Who was told of an alarm, read from the table of deliveries."""

import msgspec
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from ingest_service.alarms.messages import AlarmMessage, Medium, Receiver
from ingest_service.alarms.vocabulary import Locale, Step
from ingest_service.store.alarm_tables import Delivery
from ingest_service.store.deliveries import DeliveryRow, DeliveryState


def told_of(engine: Engine, alarm_id: int) -> list[DeliveryRow]:
    """The deliveries of an alarm, oldest first."""
    with Session(engine) as session:
        return [
            _delivery(row)
            for row in session.scalars(select(Delivery).filter_by(alarm_id=alarm_id).order_by(Delivery.id))
        ]


def _delivery(row: Delivery) -> DeliveryRow:
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
        record=row.last_error,
    )
