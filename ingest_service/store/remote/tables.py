"""Relational tables of what an external store cannot keep itself: held blocks, dirty minutes, the newest samples.

Each row belongs to one store (`store_id`), so that two of them can stand side by side while history is copied.
"""

from sqlalchemy import BigInteger, ForeignKey, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ingest_service.store.tables import Table


class ExternalStore(Table):
    """A store by its address. `oldest_ms` is the time of the oldest sample that was written to it."""

    __tablename__ = "external_store"
    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(String(500), unique=True)
    oldest_ms: Mapped[int | None] = mapped_column(BigInteger)


class HeldRangeRow(Table):
    """Blocks `first` to `last` of one outbox are durable in the store. An epoch may exceed 63 bits."""

    __tablename__ = "held_range"
    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("external_store.id"), index=True)
    edge_id: Mapped[int]
    epoch: Mapped[str] = mapped_column(String(20))
    first: Mapped[int] = mapped_column("first_block", BigInteger)
    last: Mapped[int] = mapped_column("last_block", BigInteger)


class DirtyMark(Table):
    """A minute of a source whose means must be computed (again); `round` counts hand-outs before it was made."""

    __tablename__ = "dirty_mark"
    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("external_store.id"), index=True)
    source: Mapped[int]
    minute: Mapped[int] = mapped_column(BigInteger, index=True)
    round: Mapped[int] = mapped_column(BigInteger)


class NewestSample(Table):
    """The newest sample of a series as of the last time that this was noted."""

    __tablename__ = "newest_sample"
    store_id: Mapped[int] = mapped_column(ForeignKey("external_store.id"), primary_key=True)
    series: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    measured_at_ms: Mapped[int] = mapped_column(BigInteger)
    value: Mapped[float | None]
    reason: Mapped[int] = mapped_column(SmallInteger)


class QuarantinedSample(Table):
    """A sample that the store refuses, kept here until it takes it; `problem` is what it said."""

    __tablename__ = "quarantined_sample"
    id: Mapped[int] = mapped_column(primary_key=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("external_store.id"), index=True)
    series: Mapped[int]
    measured_at_ms: Mapped[int] = mapped_column(BigInteger)
    value: Mapped[float | None]
    reason: Mapped[int] = mapped_column(SmallInteger)
    problem: Mapped[str] = mapped_column(Text)
