"""Gives homes, edges, furnaces, sources and series their ids when they are born, and keeps them for ever."""

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from itertools import chain
from typing import TypeVar

import msgspec
from sqlalchemy import Engine, bindparam, update
from sqlalchemy.exc import SQLAlchemyError

from edge_agent.wire.birth import Birth
from ingest_service.errors import RejectedMessage, StoreError
from ingest_service.store import birth_rows
from ingest_service.store.kept_rows import KeptRows, insert_series, keep, load_rows
from ingest_service.store.rows import EdgeRow, FurnaceRow, HomeRow, SeriesRow, SourceRow
from ingest_service.store.tables import Edge, Furnace, Home, Series, Source
from ingest_service.store.transaction import LateTransaction

Result = TypeVar("Result")
_Work = Callable[[LateTransaction, KeptRows], Result]


class NodeBirth(msgspec.Struct, frozen=True):
    """The birth of a node of that home, which came at `at_ms` (ms since 1970 UTC)."""

    home: str
    edge: str
    birth: Birth
    at_ms: int


class DeviceBirth(msgspec.Struct, frozen=True):
    """The birth of a device of that edge."""

    home: str
    edge: str
    device: str
    birth: Birth


class _Born(msgspec.Struct, frozen=True):
    """A source that is kept, and its series that are not yet."""

    source: SourceRow
    series: list[SeriesRow]


class Registry:
    """Every row in memory, written through. Any thread may call; raises StoreError when the database fails."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.RLock()
        self._rows: KeptRows | None = None
        self._version = 0
        self._write(lambda _connection, _rows: None)

    @property
    def version(self) -> int:
        """Rises with every birth that brought something new."""
        return self._version

    def register_node(self, home: str, edge: str, birth: Birth, at_ms: int) -> EdgeRow:
        """The edge (and home) of a node's birth, made or brought up to date; `at_ms` is its time of arrival.

        Raises RejectedMessage for a name that cannot be kept.
        """
        return self._write(self._node(NodeBirth(home, edge, birth, at_ms)))

    def register_device(self, home: str, edge: str, device: str, birth: Birth) -> SourceRow:
        """The source of a birth with its furnace and series, made or brought up to date; the edge must be registered.

        Device "" is the node itself, which has no furnace. Raises RejectedMessage for a name that cannot be kept.
        """
        work = self._device(DeviceBirth(home, edge, device, birth))

        def write(connection: LateTransaction, rows: KeptRows) -> SourceRow:
            born = work(connection, rows)
            self._enter(connection, rows, born.series)
            return rows.sources[born.source.edge_id, born.source.device]

        return self._write(write)

    def register_all(self, births: Iterable[NodeBirth | DeviceBirth]) -> None:
        """Many births in one transaction, in that order; those that cannot be kept, or have no edge, are left out."""
        works: list[_Work[EdgeRow] | _Work[_Born]] = []
        for one in births:
            with suppress(RejectedMessage):
                works.append(self._node(one) if isinstance(one, NodeBirth) else self._device(one))

        def write(connection: LateTransaction, rows: KeptRows) -> None:
            waiting: dict[int, list[SeriesRow]] = {}
            for work in works:
                with suppress(RejectedMessage):
                    done = work(connection, rows)
                    if isinstance(done, _Born):
                        self._enter(connection, rows, waiting.pop(done.source.id, []))
                        waiting[done.source.id] = done.series
            self._enter(connection, rows, list(chain.from_iterable(waiting.values())))

        self._write(write)

    def seen(self, last_seen_ms: Mapping[int, int]) -> None:
        """Record when the last message of edges came (edge id -> ms since 1970 UTC)."""
        values = [{"edge": edge_id, "at_ms": at_ms} for edge_id, at_ms in last_seen_ms.items()]
        statement = update(Edge).where(Edge.id == bindparam("edge")).values(last_seen_ms=bindparam("at_ms"))
        if values:
            self._write(lambda connection, _rows: connection.execute(statement, values))

    def describe(self, series: Iterable[int]) -> tuple[SeriesRow, ...]:
        """What is known of these series, in that order; unknown ids are left out."""
        known = self._read().series
        return tuple(known[int(one)] for one in series if int(one) in known)

    def homes(self) -> tuple[HomeRow, ...]:
        """Every home."""
        return tuple(self._read().homes.values())

    def edges(self) -> tuple[EdgeRow, ...]:
        """Every edge; `last_seen_ms` is as of its birth (the intake knows better while it runs)."""
        return tuple(self._read().edges.values())

    def furnaces(self) -> tuple[FurnaceRow, ...]:
        """Every furnace."""
        return tuple(self._read().furnaces.values())

    def sources(self) -> tuple[SourceRow, ...]:
        """Every source, with its series ids."""
        return tuple(self._read().sources.values())

    def series(self) -> tuple[SeriesRow, ...]:
        """Every series."""
        return tuple(self._read().series.values())

    def _node(self, born: NodeBirth) -> _Work[EdgeRow]:
        """What registers a node's birth."""
        wanted_home = birth_rows.home_row(born.home, born.birth)
        wanted = birth_rows.edge_row(born.home, born.edge, born.birth, born.at_ms)

        def write(connection: LateTransaction, rows: KeptRows) -> EdgeRow:
            known_home, known = rows.homes.get(born.home), rows.edges.get((born.home, born.edge))
            rows.homes[born.home] = keep(connection, Home, known_home, wanted_home)
            row = msgspec.structs.replace(wanted, first_seen_ms=known.first_seen_ms) if known else wanted
            rows.edges[born.home, born.edge] = self._keep_edge(connection, known, row)
            self._version += known is None or known.software != row.software or known_home != wanted_home
            return rows.edges[born.home, born.edge]

        return write

    def _device(self, born: DeviceBirth) -> _Work[_Born]:
        """What registers a device's birth but for its new series. Raises RejectedMessage when there is no such edge."""
        furnace = birth_rows.furnace_row(born.home, born.device, born.birth) if born.device else None
        series = [birth_rows.series_row(channel) for channel in born.birth.channels]

        def write(connection: LateTransaction, rows: KeptRows) -> _Born:
            edge = rows.edges.get((born.home, born.edge))
            if edge is None:
                raise RejectedMessage(f"the device {born.device!r} belongs to no known edge")
            wanted = birth_rows.source_row(edge, born.device, born.birth)
            if furnace is not None:
                furnace_id = self._keep_furnace(connection, rows, wanted, furnace)
                wanted = msgspec.structs.replace(wanted, furnace_id=furnace_id)
            source = self._keep_source(connection, rows, wanted)
            return _Born(source, self._keep_series(connection, rows, source, series))

        return write

    def _keep_edge(self, connection: LateTransaction, known: EdgeRow | None, wanted: EdgeRow) -> EdgeRow:
        """When it was last seen alone is no reason to write: `seen` does that now and then."""
        if known is not None and msgspec.structs.replace(known, last_seen_ms=wanted.last_seen_ms, id=0) == wanted:
            return msgspec.structs.replace(wanted, id=known.id)
        return keep(connection, Edge, known, wanted)

    def _read(self) -> KeptRows:
        rows = self._rows
        return rows if rows is not None else self._write(lambda _connection, loaded: loaded)

    def _write(self, work: _Work[Result]) -> Result:
        """Run `work` in one transaction. After a failure the tables are read anew, so memory never runs ahead."""
        with self._lock:
            rows, self._rows = self._rows, None
            try:
                with LateTransaction(self._engine) as connection:
                    rows = rows or load_rows(connection)
                    result = work(connection, rows)
            except SQLAlchemyError as error:
                raise StoreError(f"relational database: {error}") from error
            self._rows = rows
            return result

    def _keep_furnace(self, connection: LateTransaction, rows: KeptRows, source: SourceRow, wanted: FurnaceRow) -> int:
        """The id of the furnace. Where several devices measure one furnace, the first that was born names it."""
        known = rows.furnaces.get((wanted.home_id, wanted.name))
        namer = rows.namers.get(known.id) if known else None
        if known is not None and namer not in (None, (source.edge_id, source.device)):
            return known.id
        row = keep(connection, Furnace, known, wanted)
        rows.furnaces[row.home_id, row.name] = row
        rows.namers[row.id] = (source.edge_id, source.device)
        self._version += known != row
        return row.id

    def _keep_source(self, connection: LateTransaction, rows: KeptRows, wanted: SourceRow) -> SourceRow:
        known = rows.sources.get((wanted.edge_id, wanted.device))
        row = keep(connection, Source, known, msgspec.structs.replace(wanted, series=known.series if known else {}))
        rows.sources[row.edge_id, row.device] = row
        self._version += known != row
        return row

    def _keep_series(
        self, connection: LateTransaction, rows: KeptRows, source: SourceRow, wanted: list[SeriesRow]
    ) -> list[SeriesRow]:
        """Bring series up to date; return the new ones. Channels that a later birth leaves out keep their series."""
        named = {row.channel: row for row in wanted}
        for channel, series_id in source.series.items():
            known, row = rows.series[series_id], named.pop(channel, None)
            if row is None or (row := msgspec.structs.replace(row, source_id=source.id, id=series_id)) == known:
                continue
            rows.series[series_id] = keep(connection, Series, known, row)
            rows.sources[source.edge_id, source.device] = msgspec.structs.replace(source)  # so that readers notice
            self._version += 1
        return [msgspec.structs.replace(row, source_id=source.id) for row in named.values()]

    def _enter(self, connection: LateTransaction, rows: KeptRows, born: list[SeriesRow]) -> None:
        """Insert new series of sources that are kept."""
        if not born:
            return
        names: dict[int, dict[str, int]] = {}
        for row in insert_series(connection, born):
            rows.series[row.id] = row
            names.setdefault(row.source_id, {})[row.channel] = row.id
        places = {source.id: place for place, source in rows.sources.items() if source.id in names}
        for source_id, added in names.items():
            source = rows.sources[places[source_id]]
            series = {**source.series, **added}
            rows.sources[places[source_id]] = msgspec.structs.replace(source, series=series)
        self._version += 1
