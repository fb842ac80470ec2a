"""What was judged, alarmed, marked and cremated since a row that was seen last, with the names that dashboards use."""

from typing import Any, TypeVar

import msgspec
from sqlalchemy import Select, func, select

from ingest_service.store.alarm_tables import AlarmEvent, Delivery
from ingest_service.store.cycle_tables import Cremation, EnergyHour
from ingest_service.store.judged_tables import Exceedance, Judgement, Mark
from ingest_service.store.overview import Reader, columns
from ingest_service.store.tables import Furnace

Row = TypeVar("Row", bound=msgspec.Struct)


class Period(msgspec.Struct, frozen=True):
    """One revision of a judged period; `mean` and `limit` are in `unit`."""

    id: int
    home_id: str
    furnace: str
    furnace_id: int
    rule: str
    pollutant: str
    averaging: str
    start_ms: int
    end_ms: int
    mean: float | None
    limit: float
    valid_minutes: int
    verdict: str


class Burned(msgspec.Struct, frozen=True):
    """One revision of a cremation; fields as in `Cycle`."""

    id: int
    home_id: str
    furnace: str
    furnace_id: int
    case_number: str
    revision: int
    withdrawn: bool
    start_ms: int
    charge_ms: int
    end_ms: int
    start_kind: str
    covered_share: float
    chamber2_least_c: float | None
    chamber2_below_s: float | None
    co_peak: float | None
    co_mean: float | None
    gas_m3: float | None
    electricity_kwh: float | None
    co2_kg: float | None


class Used(msgspec.Struct, frozen=True):
    """What a furnace used in an hour; fields as in the table."""

    home_id: str
    furnace: str
    start_ms: int
    gas_m3: float | None
    gas_in_cycles_m3: float | None
    electricity_kwh: float | None
    electricity_in_cycles_kwh: float | None
    burning_s: float
    hot_idle_s: float


class Stepped(msgspec.Struct, frozen=True):
    """A step in an alarm's life."""

    id: int
    alarm_id: int


class Marked(msgspec.Struct, frozen=True):
    """A record of a mark; `replaces` is the number of the record in whose place it stands."""

    id: int
    home_id: str
    furnace: str
    act: str
    replaces: int | None
    state: str
    start_ms: int
    end_ms: int
    reason: str


class Exceeded(msgspec.Struct, frozen=True):
    """A run of periods beyond a limit, as it stands. `mean` is the worst period's, `peak` the worst minute."""

    home_id: str
    furnace: str
    rule: str
    clause: str
    pollutant: str
    averaging: str
    bound: str
    start_ms: int
    end_ms: int
    mean: float
    peak: float
    limit: float
    unit: str


def exceedances_touching(reader: Reader, from_ms: int, to_ms: int) -> list[Exceeded]:
    """Those of which any part, or an end, lies within the span."""
    query = _named(Exceeded, Exceedance).where(Exceedance.start_ms <= to_ms, Exceedance.end_ms >= from_ms)
    return [Exceeded(**row) for row in reader.rows(query.order_by(Exceedance.id))]


def periods_since(reader: Reader, seen: int, limit: int) -> list[Period]:
    """At most `limit` judged periods recorded after row `seen`, in the order of recording."""
    return _since(reader, Period, Judgement, seen, limit)


def cremations_since(reader: Reader, seen: int, limit: int) -> list[Burned]:
    """At most `limit` revisions of cremations recorded after row `seen`."""
    return _since(reader, Burned, Cremation, seen, limit)


def marks_since(reader: Reader, seen: int, limit: int) -> list[Marked]:
    """At most `limit` marks recorded after row `seen`."""
    return _since(reader, Marked, Mark, seen, limit)


def mark(reader: Reader, mark_id: int) -> list[Marked]:
    """That record, if it is there."""
    query = _named(Marked, Mark).where(Mark.id == mark_id)
    return [Marked(**row) for row in reader.rows(query)]


def earlier_charges(reader: Reader, burned: Burned) -> list[int]:
    """The times of charging (ms) that earlier revisions of a cremation told."""
    query = select(Cremation.charge_ms).where(
        Cremation.furnace_id == burned.furnace_id,
        Cremation.case_number == burned.case_number,
        Cremation.revision < burned.revision,
        Cremation.charge_ms != burned.charge_ms,
    )
    return [row["charge_ms"] for row in reader.rows(query.distinct())]


def steps_since(reader: Reader, seen: int, limit: int) -> list[Stepped]:
    """At most `limit` steps of alarms recorded after row `seen`."""
    query = select(*columns(Stepped, AlarmEvent)).where(AlarmEvent.id > seen).order_by(AlarmEvent.id).limit(limit)
    return [Stepped(**row) for row in reader.rows(query)]


def used_within(reader: Reader, from_ms: int, to_ms: int) -> list[Used]:
    """The hours that begin in `[from_ms, to_ms)`."""
    query = _named(Used, EnergyHour).where(EnergyHour.start_ms >= from_ms, EnergyHour.start_ms < to_ms)
    return [Used(**row) for row in reader.rows(query)]


def deliveries_by_state(reader: Reader) -> dict[str, int]:
    """How many messages stand in each state."""
    query = select(Delivery.state, func.count().label("count")).group_by(Delivery.state)
    return {row["state"]: row["count"] for row in reader.rows(query)}


def _since(reader: Reader, kind: type[Row], table: Any, seen: int, limit: int) -> list[Row]:
    query = _named(kind, table).where(table.id > seen).order_by(table.id).limit(limit)
    return [kind(**row) for row in reader.rows(query)]


def _named(kind: type[msgspec.Struct], table: Any) -> Select[*tuple[Any, ...]]:
    found = columns(kind, table, Furnace.home_id, Furnace.name.label("furnace"))
    return select(*found).join(Furnace, Furnace.id == table.furnace_id)
