"""Who is watched, as far as a reader may see: homes, furnaces, their series, their edges."""

import json
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Engine, Select, func, select, text, true
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import InstrumentedAttribute

from ingest_service.errors import StoreError
from ingest_service.store.among import among, packed
from ingest_service.store.rows import EdgeRow, FurnaceRow, HomeRow
from ingest_service.store.tables import Edge, Furnace, Home, Series, Source


class Scope(msgspec.Struct, frozen=True):
    """The homes that a reader may see; None is every home. What is outside does not exist for them.

    `nodes` are those of the organisation, for what belongs to no home.
    """

    homes: frozenset[str] | None = None
    nodes: frozenset[str] = frozenset()

    def admits(self, home_id: InstrumentedAttribute[str] | InstrumentedAttribute[str | None]) -> ColumnElement[bool]:
        """The condition that keeps a query inside the scope."""
        return true() if self.homes is None else among(home_id, _packed(self.homes))

    def admits_node(self, node_id: InstrumentedAttribute[str | None]) -> ColumnElement[bool]:
        """The same for what belongs to a node."""
        return true() if self.homes is None else among(node_id, _packed(self.nodes))


@lru_cache(maxsize=1024)
def _packed(homes: frozenset[str]) -> str:
    return packed(homes)


class Reader:
    """One reader's sight of the relational database: every read query of page and API goes through one of these."""

    def __init__(self, engine: Engine, scope: Scope) -> None:
        self._engine = engine
        self.scope = scope

    def within(self, homes: Collection[str]) -> "Reader":
        """The same sight, cut down to some homes."""
        seen = self.scope.homes
        return Reader(self._engine, Scope(frozenset(homes) if seen is None else seen.intersection(homes)))

    def rows(self, query: Select[*tuple[Any, ...]]) -> list[Mapping[str, Any]]:
        """The rows of a query by column name. Raises StoreError when the database cannot answer."""
        try:
            with self._engine.connect() as connection:
                return [dict(row) for row in connection.execute(query).mappings()]
        except SQLAlchemyError as error:
            raise StoreError(f"relational database: {error}") from error


class Part(msgspec.Struct, frozen=True):
    """Which rows of a list in its order: at most `count` (None: all) after the first `skipped`."""

    count: int | None = None
    skipped: int = 0


WHOLE = Part()


class KnownSeries(msgspec.Struct, frozen=True):
    """A channel that arrives. `low` and `high` are in `unit`; `period_s` is the longest silence while all is well."""

    id: int
    home_id: str
    furnace_id: int | None
    edge: str
    device: str
    channel: str
    quantity: str
    unit: str
    name_zh: str
    name_en: str
    basis: str
    low: float | None
    high: float | None
    period_s: float | None
    datatype: int
    states: dict[int, str]


def ping(engine: Engine) -> None:
    """Raises StoreError when the relational database does not answer."""
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        raise StoreError(f"relational database: {error}") from error


def homes(reader: Reader, home_id: str | None = None, part: Part = WHOLE) -> list[HomeRow]:
    """Every home in sight, by id; or the one of that id, if it is in sight."""
    query = select(*columns(HomeRow, Home)).where(reader.scope.admits(Home.id)).order_by(Home.id)
    if home_id is not None:
        query = query.where(Home.id == home_id)
    return [HomeRow(**row) for row in reader.rows(query.limit(part.count).offset(part.skipped))]


def furnaces(reader: Reader, home_id: str | None = None, part: Part = WHOLE) -> list[FurnaceRow]:
    """The furnaces in sight, of one home or of all, by home and name."""
    query = select(*columns(FurnaceRow, Furnace)).where(reader.scope.admits(Furnace.home_id))
    if home_id is not None:
        query = query.where(Furnace.home_id == home_id)
    query = query.order_by(Furnace.home_id, Furnace.name).limit(part.count).offset(part.skipped)
    return [FurnaceRow(**row) for row in reader.rows(query)]


def homes_of_furnaces(reader: Reader) -> dict[int, str]:
    """The home of every furnace in sight, by the furnace's id."""
    query = select(Furnace.id.label("id"), Furnace.home_id.label("home")).where(reader.scope.admits(Furnace.home_id))
    return {row["id"]: row["home"] for row in reader.rows(query)}


def count_homes(reader: Reader) -> int:
    """How many homes are in sight."""
    query = select(func.count().label("count")).select_from(Home).where(reader.scope.admits(Home.id))
    return int(reader.rows(query)[0]["count"])


def count_furnaces(reader: Reader, home_id: str | None = None) -> int:
    """How many furnaces are in sight, of one home or of all."""
    query = select(func.count().label("count")).select_from(Furnace).where(reader.scope.admits(Furnace.home_id))
    if home_id is not None:
        query = query.where(Furnace.home_id == home_id)
    return int(reader.rows(query)[0]["count"])


def series(
    reader: Reader,
    furnace_ids: Sequence[int] | None = None,
    series_ids: Sequence[int] | None = None,
    quantities: Sequence[str] | None = None,
) -> list[KnownSeries]:
    """The series of these furnaces (of all, edges' own included, where None), or those of these ids, by id.

    Of `quantities` alone, where these are given.
    """
    found = columns(KnownSeries, Series, Edge.home_id, Source.furnace_id, Edge.name.label("edge"), Source.device)
    query = (
        select(*found)
        .join(Source, Source.id == Series.source_id)
        .join(Edge, Edge.id == Source.edge_id)
        .where(reader.scope.admits(Edge.home_id))
        .order_by(Series.id)
    )
    if furnace_ids is not None:
        query = query.where(Source.furnace_id.in_(furnace_ids))
    if series_ids is not None:
        query = query.where(Series.id.in_(series_ids))
    if quantities is not None:
        query = query.where(Series.quantity.in_(quantities))
    return [_known_series(**row) for row in reader.rows(query)]


def edges(reader: Reader, home_id: str | None = None) -> list[EdgeRow]:
    """The edges in sight, by home and name."""
    query = select(*columns(EdgeRow, Edge)).where(reader.scope.admits(Edge.home_id))
    if home_id is not None:
        query = query.where(Edge.home_id == home_id)
    return [EdgeRow(**row) for row in reader.rows(query.order_by(Edge.home_id, Edge.name))]


def columns(struct: type[msgspec.Struct], table: Any, *others: Any) -> list[Any]:
    """The columns that fill a struct, named as its fields: `others` by their name, the rest from the table."""
    named = {other.key: other for other in others}
    fields = struct.__struct_fields__
    return [named[field] if field in named else getattr(table, field).label(field) for field in fields]


def _known_series(states: str, **row: Any) -> KnownSeries:
    return KnownSeries(**row, states={int(code): name for code, name in json.loads(states or "{}").items()})
