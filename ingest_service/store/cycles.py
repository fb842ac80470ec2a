"""Cremations in the relational database, every revision of them; what late data change is a new one with its reason."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from sqlalchemy import ColumnElement, Engine, Select, and_, func, select
from sqlalchemy.orm import Session

from ingest_service.cycles.cycle import Cycle
from ingest_service.emissions.marks import CycleSpan
from ingest_service.store.cycle_tables import Cremation
from ingest_service.store.overview import Reader, columns
from ingest_service.store.tables import Furnace
from ingest_service.store.transaction import transaction

LATE_DATA = "late_data"
_MOVES_MS = 86_400_000  # farther than a cremation lasts, or a revision moves it


class CycleRow(Cycle, frozen=True, kw_only=True):
    """The newest revision of a cremation. One that later data made vanish is `withdrawn`, and no longer told of."""

    id: int
    revision: int
    revision_reason: str
    computed_at_ms: int
    withdrawn: bool


class Changed(msgspec.Struct, frozen=True):
    """A stretch of a furnace's time of which something else is known now: `[start_ms, end_ms)`."""

    furnace_id: int
    start_ms: int
    end_ms: int


class CycleStore:
    """Writes cremations, and gives those that hold to whoever judges. Raises StoreError."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def record(self, furnace_id: int, from_ms: int, to_ms: int, found: Sequence[Cycle], now_ms: int) -> list[Changed]:
        """Make `found` what is known of cremations whose charge lies in `[from_ms, to_ms)`; what changed by it."""
        with transaction(self._engine) as session:
            known = {row.case_number: row for row in _newest_within(session, furnace_id, from_ms, to_ms)}
            rows = [_revised(known.get(cycle.case_number), cycle, now_ms) for cycle in found]
            named = {cycle.case_number for cycle in found}
            gone = [row for row in known.values() if row.case_number not in named and not row.withdrawn]
            rows += [_withdrawn(row, now_ms) for row in gone]
            fresh = [row for row in rows if row is not None]
            session.add_all(fresh)
            spans = [_span(row, known.get(row.case_number)) for row in fresh]
        return spans

    def cycles(self, from_ms: int, to_ms: int, furnace_id: int | None = None) -> list[CycleRow]:
        """The cremations that hold and touch `[from_ms, to_ms)`, of one furnace or of all, by furnace and start."""
        query = _holding(from_ms, to_ms)
        if furnace_id is not None:
            query = query.where(Cremation.furnace_id == furnace_id)
        with transaction(self._engine) as session:
            return [_row(found) for found in session.execute(query).mappings()]

    def spans(self, from_ms: int, to_ms: int) -> CycleSpan:
        """When the cremations were that hold and touch `[from_ms, to_ms)`, sorted by (furnace, start)."""
        rows = self.cycles(from_ms, to_ms)
        table = np.array([(row.furnace_id, row.start_ms, row.end_ms) for row in rows], np.int64).reshape(-1, 3)
        return CycleSpan(*(np.ascontiguousarray(table[:, at]) for at in range(3)))


def cycles_of(reader: Reader, furnace_ids: Sequence[int], from_ms: int, to_ms: int) -> list[CycleRow]:
    """The cremations in sight of these furnaces that hold and touch `[from_ms, to_ms)`, by furnace and start."""
    query = _holding(from_ms, to_ms).where(Cremation.furnace_id.in_(furnace_ids))
    return [_row(found) for found in reader.rows(query.where(reader.scope.admits(Furnace.home_id)))]


def cycle_of(reader: Reader, furnace_id: int, case_number: str) -> CycleRow | None:
    """That cremation, or None where the reader sees none of that number that holds."""
    named = Cremation.furnace_id == furnace_id, Cremation.case_number == case_number
    query = _newest(select(*columns(CycleRow, Cremation)), *named).where(Cremation.withdrawn.is_(False))
    rows = reader.rows(query.where(reader.scope.admits(Furnace.home_id)))
    return _row(rows[0]) if rows else None


def _newest(query: Select[*tuple[Any, ...]], *within: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """The query restricted to the newest revision of each cremation `within` these conditions."""
    key = (Cremation.furnace_id, Cremation.case_number)
    newest = select(*key, func.max(Cremation.revision).label("revision")).where(*within).group_by(*key).subquery()
    same = [getattr(Cremation, name) == newest.c[name] for name in ("furnace_id", "case_number", "revision")]
    return query.join(newest, and_(*same)).join(Furnace, Furnace.id == Cremation.furnace_id)


def _holding(from_ms: int, to_ms: int) -> Select[*tuple[Any, ...]]:
    near = Cremation.charge_ms < to_ms + _MOVES_MS, Cremation.charge_ms > from_ms - _MOVES_MS
    query = _newest(select(*columns(CycleRow, Cremation)), *near)
    touching = query.where(Cremation.start_ms < to_ms, Cremation.end_ms > from_ms, Cremation.withdrawn.is_(False))
    return touching.order_by(Cremation.furnace_id, Cremation.start_ms)


def _newest_within(session: Session, furnace_id: int, from_ms: int, to_ms: int) -> list[CycleRow]:
    within = Cremation.furnace_id == furnace_id, Cremation.charge_ms >= from_ms, Cremation.charge_ms < to_ms
    query = _newest(select(*columns(CycleRow, Cremation)), *within)
    return [_row(found) for found in session.execute(query).mappings()]


def _row(found: Any) -> CycleRow:
    return msgspec.convert(dict(found), CycleRow)


def _revised(known: CycleRow | None, cycle: Cycle, now_ms: int) -> Cremation | None:
    """The next revision; None where nothing changed."""
    values = msgspec.structs.asdict(cycle)
    if known is not None and not known.withdrawn and all(getattr(known, key) == one for key, one in values.items()):
        return None
    return _written(values, known, now_ms, withdrawn=False)


def _withdrawn(known: CycleRow, now_ms: int) -> Cremation:
    values = {name: getattr(known, name) for name in Cycle.__struct_fields__}
    return _written(values, known, now_ms, withdrawn=True)


def _written(values: dict[str, Any], known: CycleRow | None, now_ms: int, *, withdrawn: bool) -> Cremation:
    return Cremation(
        **values,
        revision=0 if known is None else known.revision + 1,
        revision_reason="" if known is None else LATE_DATA,
        computed_at_ms=now_ms,
        withdrawn=withdrawn,
    )


def _span(row: Cremation, known: CycleRow | None) -> Changed:
    """What a revision is about: its own time and that of the revision before it."""
    start_ms = row.start_ms if known is None else min(row.start_ms, known.start_ms)
    end_ms = row.end_ms if known is None else max(row.end_ms, known.end_ms)
    return Changed(row.furnace_id, start_ms, end_ms)
