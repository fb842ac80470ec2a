"""What furnaces used by the hour, in the relational database: computed anew whenever data or cremations change."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Engine, Select, delete, select

from ingest_service.cycles.energy import HourUse
from ingest_service.store.cycle_tables import EnergyHour
from ingest_service.store.overview import Reader, columns
from ingest_service.store.tables import Furnace
from ingest_service.store.transaction import transaction


class KnownHour(msgspec.Struct, frozen=True):
    """An hour of a furnace that is reckoned."""

    furnace_id: int
    start_ms: int


class EnergyStore:
    """Writes hours; an hour that is there is replaced. Raises StoreError."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def put(self, hours: Sequence[HourUse]) -> None:
        """Make these what is known of their hours."""
        if not hours:
            return
        with transaction(self._engine) as session:
            for furnace_id in {hour.furnace_id for hour in hours}:
                starts = [hour.start_ms for hour in hours if hour.furnace_id == furnace_id]
                known = EnergyHour.furnace_id == furnace_id, EnergyHour.start_ms.in_(starts)
                session.execute(delete(EnergyHour).where(*known))
            session.add_all([EnergyHour(**msgspec.structs.asdict(hour)) for hour in hours])

    def known(self, from_ms: int) -> frozenset[KnownHour]:
        """The hours that are reckoned from a time on."""
        query = select(EnergyHour.furnace_id, EnergyHour.start_ms).where(EnergyHour.start_ms >= from_ms)
        with transaction(self._engine) as session:
            return frozenset(KnownHour(furnace, start) for furnace, start in session.execute(query))


def energy_hours(reader: Reader, from_ms: int, to_ms: int, furnace_ids: Sequence[int] | None = None) -> list[HourUse]:
    """The hours in sight that start in `[from_ms, to_ms)`, of these furnaces or of all, by furnace and start."""
    query: Select[*tuple[Any, ...]] = (
        select(*columns(HourUse, EnergyHour))
        .join(Furnace, Furnace.id == EnergyHour.furnace_id)
        .where(reader.scope.admits(Furnace.home_id), EnergyHour.start_ms >= from_ms, EnergyHour.start_ms < to_ms)
    )
    if furnace_ids is not None:
        query = query.where(EnergyHour.furnace_id.in_(furnace_ids))
    return [HourUse(**row) for row in reader.rows(query.order_by(EnergyHour.furnace_id, EnergyHour.start_ms))]
