"""Which series there are, of which furnace and quantity, as rows and as columns that workers compute with."""

from collections.abc import Collection, Sequence
from functools import cached_property
from itertools import chain
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
_COLUMN_NAMES = ("series", "source", "furnace", "quantity", "period_s")


class ChannelRow(msgspec.Struct, frozen=True, gc=False):
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
    furnace: str = ""  # the name that its devices give it; "" for what an edge says of itself


class Channels:
    """Every channel, sorted by series id. `series`, `source` and `furnace` are parallel columns (NO_ID for none).

    So are `quantity`, and `period_s` (NaN for none).
    """

    def __init__(self, rows: Sequence[ChannelRow]) -> None:
        self.rows = tuple(sorted(rows, key=lambda row: row.series_id))
        self.series = np.array([row.series_id for row in self.rows], np.int32)
        self.source = np.array([row.source_id for row in self.rows], np.int32)
        furnaces = [NO_ID if row.furnace_id is None else row.furnace_id for row in self.rows]
        self.furnace = np.array(furnaces, np.int64)
        self.quantity = np.array([row.quantity for row in self.rows], np.str_)
        periods = [np.nan if row.period_s is None else row.period_s for row in self.rows]
        self.period_s = np.array(periods, np.float64)

    @classmethod
    def joined(cls, parts: Sequence["Channels"]) -> "Channels":
        """All channels of the parts."""
        whole = cls(())
        if not parts:
            return whole
        rows = list(chain.from_iterable(part.rows for part in parts))
        order = np.argsort(np.concatenate([part.series for part in parts]), kind="stable")
        whole.rows = tuple([rows[at] for at in order.tolist()])
        for name in _COLUMN_NAMES:
            setattr(whole, name, np.concatenate([getattr(part, name) for part in parts])[order])
        return whole

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
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
        return self._of_furnaces[furnace_id]

    def of_source(self, source_id: int) -> ChannelRow:
        """Any channel of that source; KeyError when there is none."""
        return self._of_sources[source_id]

    def of_home(self, home_id: str) -> ChannelRow | None:
        """Any channel of that home: it knows the names; None when there is none."""
        return self._of_homes.get(home_id)

    def sources_of(self, edges: Collection[tuple[str, str]]) -> NDArray[np.int32]:
        """The sources of these edges (home, edge)."""
        places = self._of_sources.items() if edges else ()
        return np.array([source for source, row in places if (row.home_id, row.edge) in edges], np.int32)

    def series_of(self, quantity: str, furnaces: NDArray[np.int64]) -> NDArray[np.int64]:
        """Per furnace the series of that quantity (of several the oldest), NO_ID where it has none."""
        known, series = self._of_quantity(quantity)
        if not len(known):
            return np.full(len(furnaces), NO_ID, np.int64)
        at = np.minimum(np.searchsorted(known, furnaces), len(known) - 1)
        return np.where(known[at] == furnaces, series[at], NO_ID)

    @cached_property
    def _of_furnaces(self) -> dict[int, ChannelRow]:
        known, first = np.unique(self.furnace, return_index=True)
        pairs = zip(known.tolist(), first.tolist(), strict=True)
        return {furnace: self.rows[at] for furnace, at in pairs if furnace != NO_ID}

    @cached_property
    def _of_sources(self) -> dict[int, ChannelRow]:
        known, first = np.unique(self.source, return_index=True)
        return {source: self.rows[at] for source, at in zip(known.tolist(), first.tolist(), strict=True)}

    @cached_property
    def _of_homes(self) -> dict[str, ChannelRow]:
        return {row.home_id: row for row in self._of_sources.values()}

    def _of_quantity(self, quantity: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The furnaces (sorted) that have that quantity, and their series; found once."""
        if quantity not in self._by_quantity:
            own = np.flatnonzero((self.quantity == quantity) & (self.furnace != NO_ID))
            known, first = np.unique(self.furnace[own], return_index=True)
            self._by_quantity[quantity] = known, self.series[own[first]].astype(np.int64)
        return self._by_quantity[quantity]

    @cached_property
    def _by_quantity(self) -> dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]]:
        return {}


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
            return Channels([ChannelRow(*found) for found in connection.execute(query)])
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
    func.coalesce(Furnace.name, "").label("furnace"),
)
