"""The names of all series, read from the relational database as they are needed."""

import threading
from collections.abc import Iterable

from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from ingest_service.errors import StoreError
from ingest_service.store.remote.names import Key, SeriesName, series_name
from ingest_service.store.tables import Edge, Furnace, Series, Source


class Catalogue:
    """Series ids to names and back. A series never changes its name; new ones are read when they are first met."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._of_id: dict[int, SeriesName] = {}
        self._id_of: dict[Key, int] = {}
        self._highest = 0

    def names(self, series: Iterable[int]) -> dict[int, SeriesName]:
        """The names of those that are registered. Raises StoreError when the database fails."""
        wanted = set(series)
        if not wanted <= self._of_id.keys():
            self._read_new()
        return {one: self._of_id[one] for one in wanted if one in self._of_id}

    def all_names(self, series: Iterable[int]) -> dict[int, SeriesName]:
        """The names of all of them. Raises StoreError where one is not registered."""
        wanted = set(series)
        found = self.names(wanted)
        if missing := wanted - found.keys():
            raise StoreError(f"series {min(missing)} is not registered")
        return found

    def everything(self) -> list[SeriesName]:
        """Every registered series."""
        self._read_new()
        return list(self._of_id.values())

    def id_of(self, key: Key) -> int | None:
        """The series of that name, or None where the database holds a stranger."""
        return self._id_of.get(key)

    def _read_new(self) -> None:
        query = (
            select(Series.id, Series.source_id, Edge.home_id, Edge.name, Source.device, Series.channel, Furnace.name)
            .join(Source, Source.id == Series.source_id)
            .join(Edge, Edge.id == Source.edge_id)
            .outerjoin(Furnace, Furnace.id == Source.furnace_id)
            .where(Series.id > self._highest)
            .order_by(Series.id)
        )
        try:
            with self._lock, self._engine.connect() as connection:
                for row in connection.execute(query):
                    self._enter(series_name(*row))
        except SQLAlchemyError as error:
            raise StoreError(f"relational database: {error}") from error

    def _enter(self, name: SeriesName) -> None:
        self._of_id[name.series_id] = name
        self._id_of[name.key] = name.series_id
        self._highest = max(self._highest, name.series_id)
