"""The relational tables: who is watched, what was judged, what was alarmed, what was delivered.

Times are ms since 1970 UTC (`_ms`). Enumerations are stored as short text. One migration chain serves SQLite and
PostgreSQL, so only their common subset is used.
"""

from sqlalchemy import BigInteger, Float, ForeignKey, Integer, LargeBinary, MetaData, String, Text, UniqueConstraint
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


class Judgement(Table):
    """One averaging period of one pollutant at one furnace against one limit. A newer revision replaces an older one.

    `mean` is the converted mean in the limit's unit, None where it is not valid or nothing could be judged.
    `verdict` is one of within, exceeded, invalid, not_judged; `cause` says why it is not within or exceeded.
    """

    __tablename__ = "judgement"
    __table_args__ = (UniqueConstraint("furnace_id", "rule", "pollutant", "averaging", "start_ms", "revision"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    furnace_id: Mapped[int] = mapped_column(ForeignKey("furnace.id"), index=True)
    rule: Mapped[str]  # "<pack id>@<pack version>"
    pollutant: Mapped[str]
    averaging: Mapped[str] = mapped_column(default="clock_hour", server_default="clock_hour")
    start_ms: Mapped[int] = mapped_column(BigInteger, index=True)
    end_ms: Mapped[int] = mapped_column(BigInteger)
    mean: Mapped[float | None]
    peak: Mapped[float | None]
    limit: Mapped[float] = mapped_column("limit_value")
    unit: Mapped[str]
    valid_minutes: Mapped[int]
    verdict: Mapped[str]
    cause: Mapped[str] = mapped_column(default="")
    revision: Mapped[int] = mapped_column(default=0)
    revision_reason: Mapped[str] = mapped_column(default="")
    computed_at_ms: Mapped[int] = mapped_column(BigInteger)


class Exceedance(Table):
    """One or more periods in a row beyond a limit; `bound` says on which side of it they should have stayed."""

    __tablename__ = "exceedance"
    __table_args__ = (UniqueConstraint("furnace_id", "rule", "pollutant", "averaging", "start_ms"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    furnace_id: Mapped[int] = mapped_column(ForeignKey("furnace.id"), index=True)
    rule: Mapped[str]
    clause: Mapped[str]
    pollutant: Mapped[str]
    averaging: Mapped[str] = mapped_column(default="clock_hour", server_default="clock_hour")
    bound: Mapped[str] = mapped_column(default="at_most", server_default="at_most")
    start_ms: Mapped[int] = mapped_column(BigInteger, index=True)
    end_ms: Mapped[int] = mapped_column(BigInteger)
    mean: Mapped[float]  # worst period mean
    peak: Mapped[float]  # worst minute
    limit: Mapped[float] = mapped_column("limit_value")
    unit: Mapped[str]
    revision: Mapped[int] = mapped_column(default=0)


class Mark(Table):
    """What a person says of a furnace's state in `[start_ms, end_ms)`. Only added to: a correction is a new row.

    `act` is entered, corrected or withdrawn; the latter two name the row in whose place they stand.
    """

    __tablename__ = "mark"
    id: Mapped[int] = mapped_column(primary_key=True)
    furnace_id: Mapped[int] = mapped_column(ForeignKey("furnace.id"), index=True)
    act: Mapped[str]
    replaces: Mapped[int | None] = mapped_column(ForeignKey("mark.id"), unique=True)
    state: Mapped[str]  # label of a plant state
    start_ms: Mapped[int] = mapped_column(BigInteger)
    end_ms: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)
    who: Mapped[str]
    recorded_at_ms: Mapped[int] = mapped_column(BigInteger)


class ExceedanceRemark(Table):
    """Cause of an exceedance and the action taken, as a person filled them in. Only added to: the newest holds.

    It names subject and time rather than a row: exceedances are made anew when late data change them.
    """

    __tablename__ = "exceedance_remark"
    id: Mapped[int] = mapped_column(primary_key=True)
    furnace_id: Mapped[int] = mapped_column(ForeignKey("furnace.id"), index=True)
    rule: Mapped[str]
    pollutant: Mapped[str]
    averaging: Mapped[str]
    start_ms: Mapped[int] = mapped_column(BigInteger)
    end_ms: Mapped[int] = mapped_column(BigInteger)
    cause: Mapped[str]
    detail: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    who: Mapped[str]
    recorded_at_ms: Mapped[int] = mapped_column(BigInteger)


class Cremation(Table):
    """One finished cremation of a furnace; fields as in `Cycle`. A newer revision replaces an older one."""

    __tablename__ = "cremation"
    __table_args__ = (UniqueConstraint("furnace_id", "case_number", "revision"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    furnace_id: Mapped[int] = mapped_column(ForeignKey("furnace.id"))
    case_number: Mapped[str]
    found_by: Mapped[str]
    start_ms: Mapped[int] = mapped_column(BigInteger)
    charge_ms: Mapped[int] = mapped_column(BigInteger, index=True)
    ignition_ms: Mapped[int | None] = mapped_column(BigInteger)
    main_ms: Mapped[int | None] = mapped_column(BigInteger)
    burnout_ms: Mapped[int | None] = mapped_column(BigInteger)
    cooling_ms: Mapped[int | None] = mapped_column(BigInteger)
    end_ms: Mapped[int] = mapped_column(BigInteger)
    start_kind: Mapped[str]
    covered_share: Mapped[float]
    chamber2_least_c: Mapped[float | None]
    chamber2_limit_c: Mapped[float]
    chamber2_below_s: Mapped[float | None]
    co_peak: Mapped[float | None]
    co_mean: Mapped[float | None]
    co_first_hour: Mapped[float | None]
    co_half_hour: Mapped[float | None]
    gas_m3: Mapped[float | None]
    electricity_kwh: Mapped[float | None]
    co2_kg: Mapped[float | None]
    co2_kg_per_m3: Mapped[float]
    co_g: Mapped[float | None]
    so2_g: Mapped[float | None]
    nox_g: Mapped[float | None]
    hcl_g: Mapped[float | None]
    dust_g: Mapped[float | None]
    revision: Mapped[int] = mapped_column(default=0)
    revision_reason: Mapped[str] = mapped_column(default="")
    computed_at_ms: Mapped[int] = mapped_column(BigInteger)
    withdrawn: Mapped[bool] = mapped_column(default=False)


class EnergyHour(Table):
    """What a furnace used in one clock hour: in all, and of that in cremations. None where it has no meter.

    `burning_s` of the hour belong to cremations, in `hot_idle_s` the furnace was kept hot without one.
    """

    __tablename__ = "energy_hour"
    __table_args__ = (UniqueConstraint("furnace_id", "start_ms"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    furnace_id: Mapped[int] = mapped_column(ForeignKey("furnace.id"))
    start_ms: Mapped[int] = mapped_column(BigInteger, index=True)
    gas_m3: Mapped[float | None]
    gas_in_cycles_m3: Mapped[float | None]
    electricity_kwh: Mapped[float | None]
    electricity_in_cycles_kwh: Mapped[float | None]
    burning_s: Mapped[float]
    hot_idle_s: Mapped[float]


class Lesson(Table):
    """What one cremation teaches of what its furnace usually shows; fields as in `store.lessons.Lesson`."""

    __tablename__ = "lesson"
    __table_args__ = (UniqueConstraint("furnace_id", "case_number"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    furnace_id: Mapped[int] = mapped_column(ForeignKey("furnace.id"))
    case_number: Mapped[str]
    cremation_id: Mapped[int] = mapped_column(BigInteger, index=True)  # the row of the revision that was looked at
    charge_ms: Mapped[int] = mapped_column(BigInteger)
    end_ms: Mapped[int] = mapped_column(BigInteger)
    held_back: Mapped[str] = mapped_column(default="")
    layout: Mapped[str] = mapped_column(Text)  # which quantities and minutes `minutes` holds; of another one: not read
    minutes: Mapped[bytes] = mapped_column(LargeBinary)  # float16, little-endian


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
