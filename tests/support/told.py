"""Who was told of an alarm, read from the table of deliveries."""

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from ingest_service.store.alarm_tables import Delivery
from ingest_service.store.deliveries import DeliveryRow, delivery_row


def told_of(engine: Engine, alarm_id: int) -> list[DeliveryRow]:
    """The deliveries of an alarm, oldest first."""
    with Session(engine) as session:
        return [
            delivery_row(row)
            for row in session.scalars(select(Delivery).filter_by(alarm_id=alarm_id).order_by(Delivery.id))
        ]
