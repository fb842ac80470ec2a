"""Alarms, the steps of their lives, and who was told of them."""

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from ingest_service.store.tables import Table

_OPEN = text("cleared_at_ms IS NULL OR acknowledged_at_ms IS NULL")


class Alarm(Table):
    """What needs a person. At most one alarm of a `key` is open (not cleared, or not acknowledged)."""

    __tablename__ = "alarm"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]  # exceedance, shortfall, stuck_value, edge_silent, device_bad, clock_offset, plumbing, unusual
    severity: Mapped[str]  # critical, high, medium, low
    home_id: Mapped[str | None] = mapped_column(ForeignKey("home.id"), index=True)
    furnace_id: Mapped[int | None] = mapped_column(ForeignKey("furnace.id"))
    series_id: Mapped[int | None] = mapped_column(ForeignKey("series.id"))
    node_id: Mapped[str | None]  # where it belongs to no home: a node of the organisation
    facts: Mapped[str] = mapped_column(Text, default="{}")  # JSON object: what the texts in both languages are made of
    raised_at_ms: Mapped[int] = mapped_column(BigInteger, index=True)  # event time
    noticed_at_ms: Mapped[int] = mapped_column(BigInteger)  # processing time
    acknowledged_at_ms: Mapped[int | None] = mapped_column(BigInteger)
    acknowledged_by: Mapped[str] = mapped_column(default="")
    cleared_at_ms: Mapped[int | None] = mapped_column(BigInteger)
    # Few are open of all that ever were, and every page asks for them.
    __table_args__ = (Index("ix_alarm_open", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),)


class AlarmEvent(Table):
    """One step in an alarm's life, append-only: raised, escalated, acknowledged, cleared."""

    __tablename__ = "alarm_event"
    id: Mapped[int] = mapped_column(primary_key=True)
    alarm_id: Mapped[int] = mapped_column(ForeignKey("alarm.id"), index=True)
    step: Mapped[str]
    at_ms: Mapped[int] = mapped_column(BigInteger)  # event time
    recorded_at_ms: Mapped[int] = mapped_column(BigInteger)
    who: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(Text, default="")


class Delivery(Table):
    """One message to one receiver about one step of an alarm: the outbox of notifications and their record.

    `state` is one of pending, sending, accepted, dead.
    """

    __tablename__ = "delivery"
    id: Mapped[int] = mapped_column(primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    alarm_id: Mapped[int] = mapped_column(ForeignKey("alarm.id"), index=True)
    step: Mapped[str]
    channel: Mapped[str]  # webhook, inbox
    receiver: Mapped[str] = mapped_column(String(500))
    locale: Mapped[str]
    payload: Mapped[str] = mapped_column(Text)  # JSON
    state: Mapped[str] = mapped_column(index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at_ms: Mapped[int] = mapped_column(BigInteger)
    lease_until_ms: Mapped[int] = mapped_column(BigInteger, default=0)
    sent_at_ms: Mapped[int | None] = mapped_column(BigInteger)
    last_error: Mapped[str] = mapped_column(Text, default="")
