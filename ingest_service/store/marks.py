"""Operators' marks of plant state: only added to, kept apart from machine flags; and what holds of them."""

from collections.abc import Sequence
from enum import StrEnum, unique
from typing import Any

import msgspec
import numpy as np
from sqlalchemy import Engine, Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from ingest_service.emissions.marks import STATES, Marks, PlantState
from ingest_service.store.overview import Reader, columns
from ingest_service.store.tables import Furnace, Mark
from ingest_service.store.transaction import transaction


@unique
class Act(StrEnum):
    """What a record does."""

    ENTERED = "entered"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"


class MarkEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What a person enters: a state in `[start_ms, end_ms)` (ms since 1970 UTC), and why they say so."""

    furnace_id: int
    state: PlantState
    start_ms: int
    end_ms: int
    reason: str
    who: str


class MarkRow(msgspec.Struct, frozen=True, kw_only=True):
    """One record. `replaces` is the record in whose place it stands; `replaced_by` the one that stands in its own."""

    id: int
    furnace_id: int
    act: str
    replaces: int | None
    replaced_by: int | None
    state: str
    start_ms: int
    end_ms: int
    reason: str
    who: str
    recorded_at_ms: int

    @property
    def holds(self) -> bool:
        """True for what is so, as far as is known: neither replaced nor a withdrawal."""
        return self.replaced_by is None and self.act != Act.WITHDRAWN


class MarkStore:
    """Writes marks, and gives those that hold to whoever judges. Raises StoreError."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def enter(self, entry: MarkEntry, now_ms: int) -> int:
        """A new mark; its number."""
        with transaction(self._engine) as session:
            return _added(session, entry, Act.ENTERED, None, now_ms)

    def replace(self, mark: int, entry: MarkEntry, act: Act, now_ms: int) -> int | None:
        """A correction or withdrawal of a mark of the same furnace; None where that does not hold (any more)."""
        with transaction(self._engine) as session:
            known = session.get(Mark, mark)
            if known is None or known.furnace_id != entry.furnace_id or known.act == Act.WITHDRAWN:
                return None
            try:
                with session.begin_nested():
                    return _added(session, entry, act, mark, now_ms)
            except IntegrityError:  # another record stands in its place already
                return None

    def standing(self, from_ms: int, to_ms: int) -> Marks:
        """The marks that hold and touch `[from_ms, to_ms)`, of every furnace, by furnace and start."""
        found = (Mark.furnace_id, Mark.start_ms, Mark.end_ms, Mark.state)
        query = _holding(select(*found)).where(Mark.start_ms < to_ms, Mark.end_ms > from_ms)
        with transaction(self._engine) as session:
            rows = session.execute(query.order_by(Mark.furnace_id, Mark.start_ms, Mark.id)).all()
        return _columns([(furnace, start, end, int(STATES[state])) for furnace, start, end, state in rows])


def marks_of(reader: Reader, furnace_ids: Sequence[int], from_ms: int, to_ms: int) -> list[MarkRow]:
    """Every record in sight that touches `[from_ms, to_ms)`, replaced ones too, by start and number."""
    query = _all().where(Mark.furnace_id.in_(furnace_ids), Mark.start_ms < to_ms, Mark.end_ms > from_ms)
    return [MarkRow(**row) for row in reader.rows(_in_sight(query, reader).order_by(Mark.start_ms, Mark.id))]


def mark_of(reader: Reader, mark: int) -> MarkRow | None:
    """That record, or None where the reader sees none of that number."""
    rows = reader.rows(_in_sight(_all().where(Mark.id == mark), reader))
    return MarkRow(**rows[0]) if rows else None


def _all() -> Select[*tuple[Any, ...]]:
    later = aliased(Mark)
    named = columns(MarkRow, Mark, later.id.label("replaced_by"))
    return select(*named).outerjoin(later, later.replaces == Mark.id).join(Furnace, Furnace.id == Mark.furnace_id)


def _in_sight(query: Select[*tuple[Any, ...]], reader: Reader) -> Select[*tuple[Any, ...]]:
    return query.where(reader.scope.admits(Furnace.home_id))


def _holding(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    later = aliased(Mark)
    return query.outerjoin(later, later.replaces == Mark.id).where(later.id.is_(None), Mark.act != Act.WITHDRAWN.value)


def _added(session: Session, entry: MarkEntry, act: Act, replaces: int | None, now_ms: int) -> int:
    row = Mark(
        furnace_id=entry.furnace_id,
        act=act.value,
        replaces=replaces,
        state=entry.state.label,
        start_ms=entry.start_ms,
        end_ms=entry.end_ms,
        reason=entry.reason,
        who=entry.who,
        recorded_at_ms=now_ms,
    )
    session.add(row)
    session.flush()
    return row.id


def _columns(rows: Sequence[tuple[int, int, int, int]]) -> Marks:
    table = np.array(rows, np.int64).reshape(-1, 4)
    return Marks(*(np.ascontiguousarray(table[:, at]) for at in range(4)))
