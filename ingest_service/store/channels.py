"""Which series there are, of which furnace and quantity, as rows and as columns that workers compute with."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Engine, Label, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import InstrumentedAttribute

from ingest_service.errors import StoreError
from ingest_service.store.tables import Edge, Furnace, Home, Series, Source

NO_ID = -1  # in a column, where there is no such thing


class ChannelRow(msgspec.Struct, frozen=True):
    """One channel and where it belongs; `furnace_id` is None for what an edge says of itself."""

    series_id: int
    source_id: int
    furnace_id: int | None
    home_id: str
    edge: str
    device: str
    channel: str
    quantity: str
    unit: str
    basis: str
    period_s: float | None
    name_zh: str
    name_en: str
    furnace_zh: str
    furnace_en: str
    home_zh: str
    home_en: str


class Channels:
    """Every channel, sorted by series id. `series`, `source` and `furnace` are parallel columns (NO_ID for none)."""

    def __init__(self, rows: Sequence[ChannelRow]) -> None:
        self.rows = tuple(sorted(rows, key=lambda row: row.series_id))
        self.series = np.array([row.series_id for row in self.rows], np.int32)
        self.source = np.array([row.source_id for row in self.rows], np.int32)
        furnaces = [NO_ID if row.furnace_id is None else row.furnace_id for row in self.rows]
        self.furnace = np.array(furnaces, np.int64)
        self.quantity = np.array([row.quantity for row in self.rows], np.str_)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def furnaces(self) -> NDArray[np.int64]:
        """The ids of every furnace that has a channel, sorted."""
        return np.unique(self.furnace[self.furnace != NO_ID])

    def row(self, series_id: int) -> ChannelRow:
        """The channel of that series; KeyError when there is none."""
        at = int(np.searchsorted(self.series, series_id))
        if at == len(self.rows) or self.rows[at].series_id != series_id:
            raise KeyError(series_id)
        return self.rows[at]

    def of_furnace(self, furnace_id: int) -> ChannelRow:
        """Any channel of that furnace: it knows the names; KeyError when there is none."""
        found = np.flatnonzero(self.furnace == furnace_id)
        if not len(found):
            raise KeyError(furnace_id)
        return self.rows[int(found[0])]

    def series_of(self, quantity: str, furnaces: NDArray[np.int64]) -> NDArray[np.int64]:
        """Per furnace the series of that quantity (of several the oldest), NO_ID where it has none."""
        own = np.flatnonzero((self.quantity == quantity) & (self.furnace != NO_ID))
        known, first = np.unique(self.furnace[own], return_index=True)
        if not len(known):
            return np.full(len(furnaces), NO_ID, np.int64)
        at = np.minimum(np.searchsorted(known, furnaces), len(known) - 1)
        return np.where(known[at] == furnaces, self.series[own[first[at]]].astype(np.int64), NO_ID)


def read_channels(engine: Engine) -> Channels:
    """Every channel as the database has it now. Raises StoreError."""
    query = (
        select(*_COLUMNS)
        .select_from(Series)
        .join(Source, Series.source_id == Source.id)
        .join(Edge, Source.edge_id == Edge.id)
        .join(Home, Edge.home_id == Home.id)
        .outerjoin(Furnace, Source.furnace_id == Furnace.id)
    )
    try:
        with engine.connect() as connection:
            return Channels(
                [msgspec.convert(dict(found), ChannelRow) for found in connection.execute(query).mappings()]
            )
    except SQLAlchemyError as error:
        raise StoreError(f"relational database: {error}") from error


def _named(name: InstrumentedAttribute[str], otherwise: InstrumentedAttribute[str], label: str) -> Label[str]:
    """A name, or what it goes by where it has none."""
    return func.coalesce(func.nullif(name, ""), otherwise, "").label(label)


_COLUMNS: tuple[ColumnElement[Any], ...] = (
    Series.id.label("series_id"),
    Source.id.label("source_id"),
    Source.furnace_id.label("furnace_id"),
    Home.id.label("home_id"),
    Edge.name.label("edge"),
    Source.device.label("device"),
    Series.channel.label("channel"),
    Series.quantity.label("quantity"),
    Series.unit.label("unit"),
    Series.basis.label("basis"),
    Series.period_s.label("period_s"),
    _named(Series.name_zh, Series.channel, "name_zh"),
    _named(Series.name_en, Series.channel, "name_en"),
    _named(Furnace.name_zh, Furnace.name, "furnace_zh"),
    _named(Furnace.name_en, Furnace.name, "furnace_en"),
    _named(Home.name_zh, Home.id, "home_zh"),
    _named(Home.name_en, Home.id, "home_en"),
)


class ChannelsCache:
    """The channels, read again only when the registry's `version` has changed."""

    def __init__(self, engine: Engine, version: Callable[[], int]) -> None:
        self._engine, self._version = engine, version
        self._read = -1
        self._channels = Channels(())

    def current(self) -> Channels:
        """Every channel as it is now. Raises StoreError."""
        version = self._version()
        if version != self._read:
            self._channels, self._read = read_channels(self._engine), version
        return self._channels
