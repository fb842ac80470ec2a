"""What was judged, and what people said of it: periods, exceedances, marks, remarks."""

from sqlalchemy import BigInteger, ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ingest_service.store.tables import Table


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
