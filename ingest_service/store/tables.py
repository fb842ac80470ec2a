"""The root of the relational tables, and those of who is watched, and what of it never came or was refused.

Times are ms since 1970 UTC (`_ms`). Enumerations are stored as short text. One migration chain serves SQLite and
PostgreSQL, so only their common subset is used.
"""

from sqlalchemy import BigInteger, Float, ForeignKey, Integer, MetaData, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Table(DeclarativeBase):
    """The declarative root of every table."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {int: Integer, float: Float, str: String(200)}  # noqa: RUF012 - SQLAlchemy's own form


class Home(Table):
    """A funeral home: a Sparkplug group. Names come with the birth of its edges."""

    __tablename__ = "home"
    id: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str] = mapped_column(default="")
    name_en: Mapped[str] = mapped_column(default="")
    district_zh: Mapped[str] = mapped_column(default="")
    district_en: Mapped[str] = mapped_column(default="")
    city_zh: Mapped[str] = mapped_column(default="")
    city_en: Mapped[str] = mapped_column(default="")


class Edge(Table):
    """An edge node of a home. `last_seen_ms` is when its last message came (centre's clock)."""

    __tablename__ = "edge"
    __table_args__ = (UniqueConstraint("home_id", "name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    home_id: Mapped[str] = mapped_column(ForeignKey("home.id"))
    name: Mapped[str]
    software: Mapped[str] = mapped_column(default="")
    first_seen_ms: Mapped[int] = mapped_column(BigInteger)
    last_seen_ms: Mapped[int] = mapped_column(BigInteger)


class Furnace(Table):
    """A furnace of a home, by the name that its devices give it."""

    __tablename__ = "furnace"
    __table_args__ = (UniqueConstraint("home_id", "name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    home_id: Mapped[str] = mapped_column(ForeignKey("home.id"))
    name: Mapped[str]
    name_zh: Mapped[str] = mapped_column(default="")
    name_en: Mapped[str] = mapped_column(default="")


class Source(Table):
    """A Sparkplug device (or the node itself, device "") that sends samples. A node has no furnace."""

    __tablename__ = "source"
    __table_args__ = (UniqueConstraint("edge_id", "device"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    edge_id: Mapped[int] = mapped_column(ForeignKey("edge.id"))
    device: Mapped[str] = mapped_column(default="")
    furnace_id: Mapped[int | None] = mapped_column(ForeignKey("furnace.id"))
    profile: Mapped[str] = mapped_column(default="")


class Series(Table):
    """One channel of one source. `period_s` is the longest silence between two samples while all is well."""

    __tablename__ = "series"
    __table_args__ = (UniqueConstraint("source_id", "channel"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"), index=True)
    channel: Mapped[str]
    quantity: Mapped[str] = mapped_column(default="")
    unit: Mapped[str] = mapped_column(default="")
    name_zh: Mapped[str] = mapped_column(default="")
    name_en: Mapped[str] = mapped_column(default="")
    basis: Mapped[str] = mapped_column(default="")
    datatype: Mapped[int] = mapped_column(default=10)
    low: Mapped[float | None]
    high: Mapped[float | None]
    period_s: Mapped[float | None]
    states: Mapped[str] = mapped_column(Text, default="")  # JSON object: code -> name


class GapRecord(Table):
    """Samples that never reach the centre, from when to when and why; both ends are included.

    `device` is "" where all of the edge is concerned, `from_ms` 0 where the beginning is not known. `epoch` and
    `block` name the record (or, where the centre lost them, the first of the blocks); an epoch may exceed 63 bits.
    """

    __tablename__ = "gap_record"
    __table_args__ = (UniqueConstraint("edge_id", "epoch", "block", "device"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    edge_id: Mapped[int] = mapped_column(ForeignKey("edge.id"))
    epoch: Mapped[str]
    block: Mapped[int] = mapped_column(BigInteger)
    device: Mapped[str] = mapped_column(default="")
    channels: Mapped[str] = mapped_column(Text, default="[]")  # JSON array of names; empty where all are concerned
    from_ms: Mapped[int] = mapped_column(BigInteger)
    to_ms: Mapped[int] = mapped_column(BigInteger, index=True)
    samples: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str]
    received_at_ms: Mapped[int] = mapped_column(BigInteger)


class Rejection(Table):
    """What was not admitted, counted per reason and origin, with the newest example."""

    __tablename__ = "rejection"
    __table_args__ = (UniqueConstraint("reason", "home", "edge", "device"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    reason: Mapped[str]
    home: Mapped[str] = mapped_column(default="")
    edge: Mapped[str] = mapped_column(default="")
    device: Mapped[str] = mapped_column(default="")
    count: Mapped[int] = mapped_column(BigInteger)
    first_at_ms: Mapped[int] = mapped_column(BigInteger)
    last_at_ms: Mapped[int] = mapped_column(BigInteger)
    example: Mapped[str] = mapped_column(Text, default="")
