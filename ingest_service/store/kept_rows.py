"""The rows of who is watched in memory, how they are read from the tables and how one of them is kept."""

import json
from functools import cache
from sys import intern
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Executable, RowMapping, bindparam, insert, select, update

from ingest_service.store.rows import EdgeRow, FurnaceRow, HomeRow, SeriesRow, SourceRow
from ingest_service.store.tables import Edge, Furnace, Home, Series, Source, Table
from ingest_service.store.transaction import LateTransaction

Row = TypeVar("Row", HomeRow, EdgeRow, FurnaceRow, SourceRow, SeriesRow)


# Statements are built once: to build one takes longer than to execute it.
_SERIES_INSERTION = insert(Series)
_SERIES_OF_SOURCES = select(Series.source_id, Series.channel, Series.id).where(
    Series.source_id.in_(bindparam("sources", expanding=True))
)
_SOURCES_AT_ONCE = 500


class KeptRows(msgspec.Struct):
    """Every row by what names it: home; home and edge; home and furnace; edge id and device; series id.

    `namers` tells which source (edge id and device) gave a furnace its names: the first that was born.
    """

    homes: dict[str, HomeRow] = {}
    edges: dict[tuple[str, str], EdgeRow] = {}
    furnaces: dict[tuple[str, str], FurnaceRow] = {}
    sources: dict[tuple[int, str], SourceRow] = {}
    series: dict[int, SeriesRow] = {}
    namers: dict[int, tuple[int, str]] = {}


def keep(connection: LateTransaction, table: type[Table], known: Row | None, wanted: Row) -> Row:
    """Insert `wanted`, or change what differs from `known`; return it with its id."""
    if known is not None and known == (wanted := msgspec.structs.replace(wanted, id=known.id)):
        return known
    values = _columns(table, wanted)
    target: Any = table
    if known is None:
        row_id = connection.execute(_insertion(table), values).scalar_one()
        return msgspec.structs.replace(wanted, id=row_id)
    held = _columns(table, known)
    changed = {name: value for name, value in values.items() if value != held[name] and name != "id"}
    if changed:
        connection.execute(update(target).where(target.id == known.id).values(changed))
    return msgspec.structs.replace(wanted, id=known.id)


def insert_series(connection: LateTransaction, wanted: list[SeriesRow]) -> list[SeriesRow]:
    """Insert many new series at once; return them with their ids.

    The ids are asked for afterwards: to have each row's id returned makes SQLite insert row by row.
    """
    connection.execute(_SERIES_INSERTION, [_columns(Series, row) for row in wanted])
    sources = sorted({row.source_id for row in wanted})
    ids: dict[tuple[int, str], int] = {}
    for at in range(0, len(sources), _SOURCES_AT_ONCE):
        found = connection.execute(_SERIES_OF_SOURCES, {"sources": sources[at : at + _SOURCES_AT_ONCE]})
        ids.update({(row["source_id"], row["channel"]): row["id"] for row in found.mappings()})
    return [msgspec.structs.replace(row, id=ids[row.source_id, row.channel]) for row in wanted]


def load_rows(connection: LateTransaction) -> KeptRows:
    """Read every row."""
    rows = KeptRows()
    for found in _all(connection, Home):
        rows.homes[found["id"]] = HomeRow(**found)
    for found in _all(connection, Edge):
        rows.edges[found["home_id"], found["name"]] = EdgeRow(**found)
    for found in _all(connection, Furnace):
        rows.furnaces[found["home_id"], found["name"]] = FurnaceRow(**found)
    names = {row.id: row for row in rows.edges.values()}
    sources = {found["id"]: dict(found) for found in _all(connection, Source)}
    series: dict[int, dict[str, int]] = {source_id: {} for source_id in sources}
    for found in _all(connection, Series):
        row = _series(found)
        rows.series[row.id] = row
        series[row.source_id][row.channel] = row.id
    for source_id, found in sources.items():
        edge = names[found["edge_id"]]
        source = SourceRow(**found, home=edge.home_id, edge=edge.name, series=series[source_id])
        rows.sources[source.edge_id, source.device] = source
        if source.furnace_id is not None:
            rows.namers.setdefault(source.furnace_id, (source.edge_id, source.device))
    return rows


def _all(connection: LateTransaction, table: type[Table]) -> Any:
    target: Any = table
    return connection.execute(select(target.__table__).order_by(target.id)).mappings()


def _series(found: RowMapping) -> SeriesRow:
    """Texts repeat in every furnace, so one copy of each is kept."""
    values: dict[str, Any] = {key: intern(value) if isinstance(value, str) else value for key, value in found.items()}
    values["states"] = {int(code): name for code, name in json.loads(found["states"] or "{}").items()}
    return SeriesRow(**values)


@cache
def _insertion(table: type[Table]) -> Executable:
    target: Any = table
    return insert(target).returning(target.id)


@cache
def _column_names(table: type[Table]) -> tuple[str, ...]:
    return tuple(table.__table__.columns.keys())


def _columns(table: type[Table], row: Row) -> dict[str, Any]:
    """The row's fields that are columns; an id of 0 is left to the database."""
    found = {name: getattr(row, name) for name in _column_names(table)}
    if isinstance(row, SeriesRow):
        found["states"] = json.dumps(dict(row.states), ensure_ascii=False) if row.states else ""
    if found["id"] == 0:
        del found["id"]
    return found
