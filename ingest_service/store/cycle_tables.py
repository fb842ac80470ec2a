"""Cremations, the energy that furnaces used, and what was learnt of their usual course."""

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ingest_service.store.tables import Table


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
