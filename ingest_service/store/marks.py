"""Operators' marks of plant state: only added to, kept apart from machine flags; and what holds of them."""

from collections.abc import Sequence
from enum import StrEnum, unique
from typing import Any

import msgspec
import numpy as np
from sqlalchemy import Engine, Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from ingest_service.audit.entry import Action
from ingest_service.emissions.marks import STATES, Marks, PlantState
from ingest_service.store.audit import AuditTrail
from ingest_service.store.doing import Doing
from ingest_service.store.judged_tables import Mark
from ingest_service.store.overview import Reader, columns
from ingest_service.store.tables import Furnace
from ingest_service.store.transaction import transaction


@unique
class Act(StrEnum):
    """What a record does."""

    ENTERED = "entered"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"


class MarkEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What a person enters: a state in `[start_ms, end_ms)` (ms since 1970 UTC)."""

    furnace_id: int
    state: PlantState
    start_ms: int
    end_ms: int


class MarkedTime(msgspec.Struct, frozen=True):
    """`[start_ms, end_ms)` of a furnace (ms since 1970 UTC)."""

    furnace_id: int
    start_ms: int
    end_ms: int


class MarkRow(msgspec.Struct, frozen=True, kw_only=True):
    """One record. `replaces` is the record in whose place it stands; `replaced_by` the one that stands in its own."""

    id: int
    home_id: str
    furnace_id: int
    furnace: str
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
    """Writes marks, and gives those that hold to whoever judges. Raises StoreError.

    The reason for a mark is that of the doing; each is told to the audit trail in the same transaction.
    """

    def __init__(self, engine: Engine, trail: AuditTrail) -> None:
        self._engine, self._trail = engine, trail

    def enter(self, entry: MarkEntry, doing: Doing) -> int:
        """A new mark; its number."""
        with transaction(self._engine) as session:
            return self._added(session, entry, Act.ENTERED, None, doing)

    def replace(self, mark: int, entry: MarkEntry, act: Act, doing: Doing) -> int | None:
        """A correction or withdrawal of a mark of the same furnace; None where that does not hold (any more)."""
        with transaction(self._engine) as session:
            known = session.get(Mark, mark)
            replaced = session.scalar(select(Mark.id).where(Mark.replaces == mark))
            if known is None or known.furnace_id != entry.furnace_id or known.act == Act.WITHDRAWN or replaced:
                return None
            try:
                with session.begin_nested():
                    return self._added(session, entry, act, known, doing)
            except IntegrityError:  # another writer was first
                return None

    def standing(self, from_ms: int, to_ms: int) -> Marks:
        """The marks that hold and touch `[from_ms, to_ms)`, of every furnace, by furnace and start."""
        found = (Mark.furnace_id, Mark.start_ms, Mark.end_ms, Mark.state)
        query = _holding(select(*found)).where(Mark.start_ms < to_ms, Mark.end_ms > from_ms)
        with transaction(self._engine) as session:
            rows = session.execute(query.order_by(Mark.furnace_id, Mark.start_ms, Mark.id)).all()
        return _columns([(furnace, start, end, int(STATES[state])) for furnace, start, end, state in rows])

    def entered_since(self, at_ms: int) -> tuple[MarkedTime, ...]:
        """The times of every record made from that moment on, of corrections and withdrawals too."""
        query = select(Mark.furnace_id, Mark.start_ms, Mark.end_ms).where(Mark.recorded_at_ms >= at_ms)
        replaced = query.add_columns(Mark.replaces).subquery()
        before = select(Mark.furnace_id, Mark.start_ms, Mark.end_ms).join(replaced, replaced.c.replaces == Mark.id)
        with transaction(self._engine) as session:
            return tuple(MarkedTime(*row) for one in (query, before) for row in session.execute(one))

    def _added(self, session: Session, entry: MarkEntry, act: Act, replaces: Mark | None, doing: Doing) -> int:
        row = Mark(
            furnace_id=entry.furnace_id,
            act=act.value,
            replaces=None if replaces is None else replaces.id,
            state=entry.state.label,
            start_ms=entry.start_ms,
            end_ms=entry.end_ms,
            reason=doing.why,
            who=doing.who,
            recorded_at_ms=doing.at_ms,
        )
        session.add(row)
        session.flush()
        action = Action.MARK_WITHDRAWN if act is Act.WITHDRAWN else Action.MARK_SET
        home = session.get_one(Furnace, entry.furnace_id).home_id
        before = None if replaces is None else _state(replaces)
        self._trail.append(session, doing.entry(action, f"mark {row.id}", before, _state(row), home))
        return row.id


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
    named = columns(MarkRow, Mark, later.id.label("replaced_by"), Furnace.home_id, Furnace.name.label("furnace"))
    return select(*named).outerjoin(later, later.replaces == Mark.id).join(Furnace, Furnace.id == Mark.furnace_id)


def _in_sight(query: Select[*tuple[Any, ...]], reader: Reader) -> Select[*tuple[Any, ...]]:
    return query.where(reader.scope.admits(Furnace.home_id))


def _holding(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    later = aliased(Mark)
    return query.outerjoin(later, later.replaces == Mark.id).where(later.id.is_(None), Mark.act != Act.WITHDRAWN.value)


def _state(row: Mark) -> dict[str, object]:
    """What the audit trail keeps of a mark."""
    return {name: getattr(row, name) for name in ("furnace_id", "state", "start_ms", "end_ms", "reason")}


def _columns(rows: Sequence[tuple[int, int, int, int]]) -> Marks:
    table = np.array(rows, np.int64).reshape(-1, 4)
    return Marks(*(np.ascontiguousarray(table[:, at]) for at in range(4)))
