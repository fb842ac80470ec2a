"""Gap records: what never reached the centre, from when to when and why. Written once each, however often they come."""

from collections.abc import Iterable, Mapping

import msgspec
from sqlalchemy import ColumnElement, Connection, Engine, and_, exists, insert, or_, select
from sqlalchemy.exc import SQLAlchemyError

from edge_agent.wire.gap import Gap, GapReason
from ingest_service.errors import StoreError
from ingest_service.store.birth_rows import text
from ingest_service.store.overview import Reader, columns
from ingest_service.store.tables import Edge, GapRecord, Source


class GapRow(msgspec.Struct, frozen=True):
    """A gap of one edge as it came in; `epoch` and `block` name it."""

    edge_id: int
    epoch: int
    block: int
    gap: Gap
    received_at_ms: int


class KnownGap(msgspec.Struct, frozen=True, kw_only=True):
    """A gap as a reader sees it; times are ms since 1970 UTC, both ends included.

    `device` is "" where all of the edge is concerned, `channels` is () where all of them are, `from_ms` 0 where the
    beginning is not known. `samples` were read and lost, 0 where none was read or nobody can count them.
    """

    home_id: str
    edge: str
    device: str
    channels: tuple[str, ...]
    from_ms: int
    to_ms: int
    samples: int
    reason: GapReason
    received_at_ms: int


class GapLog:
    """The table of gap records, for writers. Raises StoreError when the database fails."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, rows: Iterable[GapRow]) -> int:
        """Make these durable, in one transaction; returns how many are new. Nothing changes what is there."""
        try:
            with self._engine.begin() as connection:
                return sum(_add(connection, row) for row in rows)
        except SQLAlchemyError as error:
            raise StoreError(f"relational database: {error}") from error


def gaps_between(
    reader: Reader, from_ms: int, to_ms: int, home_id: str | None = None, furnace_id: int | None = None
) -> list[KnownGap]:
    """The gaps in sight that touch `[from_ms, to_ms)`, of one home or furnace or of all, oldest first."""
    query = (
        select(*columns(KnownGap, GapRecord, Edge.home_id, Edge.name.label("edge")))
        .join(Edge, Edge.id == GapRecord.edge_id)
        .where(reader.scope.admits(Edge.home_id), GapRecord.from_ms < to_ms, GapRecord.to_ms >= from_ms)
        .order_by(GapRecord.from_ms, GapRecord.id)
    )
    if home_id is not None:
        query = query.where(Edge.home_id == home_id)
    if furnace_id is not None:
        concerned = or_(GapRecord.device == "", GapRecord.device == Source.device)
        query = query.where(exists().where(Source.furnace_id == furnace_id, Source.edge_id == Edge.id, concerned))
    return [_known_gap(**row) for row in reader.rows(query)]


def newest_gaps(reader: Reader, since_ms: int, limit: int) -> list[KnownGap]:
    """At most `limit` gaps in sight that became known since then, the newest first."""
    query = (
        select(*columns(KnownGap, GapRecord, Edge.home_id, Edge.name.label("edge")))
        .join(Edge, Edge.id == GapRecord.edge_id)
        .where(reader.scope.admits(Edge.home_id), GapRecord.received_at_ms >= since_ms)
        .order_by(GapRecord.id.desc())
        .limit(limit)
    )
    return [_known_gap(**row) for row in reader.rows(query)]


def _add(connection: Connection, row: GapRow) -> int:
    """Insert one unless it is there, under its own name or (after a damaged outbox) under another one."""
    gap = row.gap
    name = {"edge_id": row.edge_id, "device": text(gap.device), "epoch": str(row.epoch), "block": row.block}
    content = {
        "channels": msgspec.json.encode(gap.channels).decode(),
        "from_ms": gap.from_ms,
        "to_ms": gap.to_ms,
        "reason": gap.reason.value,
    }
    mine = {key: name[key] for key in ("edge_id", "device")}
    known = select(GapRecord.id).where(*_equal(mine), or_(and_(*_equal(name)), and_(*_equal(content)))).limit(1)
    if connection.execute(known).first():
        return 0
    rest = {"samples": gap.samples, "received_at_ms": row.received_at_ms}
    connection.execute(insert(GapRecord).values({**name, **content, **rest}))
    return 1


def _equal(values: Mapping[str, object]) -> list[ColumnElement[bool]]:
    return [getattr(GapRecord, name) == value for name, value in values.items()]


def _known_gap(channels: str, reason: str, **row: object) -> KnownGap:
    names = msgspec.json.decode(channels, type=tuple[str, ...])
    return msgspec.convert({**row, "channels": names, "reason": GapReason(reason)}, KnownGap)
