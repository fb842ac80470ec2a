"""What a store across a network needs beside the samples, in the relational database: one transaction a write.

It is committed after the samples are in the store: whatever happens between the two makes a block come again, which
writes the same values to the same places.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import msgspec
import numpy as np
from sqlalchemy import Engine, delete, func, insert, select, update
from sqlalchemy.orm import Session

from ingest_service.store.batch import DirtyMinutes, SampleBatch
from ingest_service.store.held import HeldRange
from ingest_service.store.remote.tables import DirtyMark, ExternalStore, HeldRangeRow, NewestSample, QuarantinedSample
from ingest_service.store.transaction import transaction


class Quarantined(msgspec.Struct, frozen=True):
    """Samples that the store refused, with their row ids in the table and what was said of each."""

    ids: tuple[int, ...]
    batch: SampleBatch
    problems: tuple[str, ...]


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What one write leaves behind: blocks that are durable, minutes that are dirty, samples that were refused."""

    held: Sequence[HeldRange] = ()
    marks: DirtyMinutes | None = None
    round_number: int = 0
    refused: SampleBatch | None = None
    problems: Sequence[str] = ()
    oldest_ms: int | None = None


class Ledger:
    """The rows of one store, which is known by its address. Every method raises StoreError when the database fails."""

    def __init__(self, engine: Engine, address: str) -> None:
        self._engine = engine
        with self._transaction() as session:
            known = session.scalar(select(ExternalStore.id).where(ExternalStore.address == address))
            if known is None:
                known = session.scalar(
                    insert(ExternalStore).values(address=address, oldest_ms=None).returning(ExternalStore.id)
                )
            self._store_id = int(known or 0)

    def note(self, note: Note) -> None:
        """Keep what a write left behind, in one transaction."""
        with self._transaction() as session:
            self._insert(session, HeldRangeRow, [_held_row(one) for one in note.held])
            self._insert(session, DirtyMark, _mark_rows(note.marks, note.round_number))
            if note.refused is not None:
                rows = _sample_rows(note.refused)
                problems = [{"problem": problem} for problem in note.problems]
                self._insert(session, QuarantinedSample, [row | said for row, said in zip(rows, problems, strict=True)])
            if note.oldest_ms is not None:
                self._set(session, oldest_ms=note.oldest_ms)

    def held(self) -> list[HeldRange]:
        """Every range of held blocks, as it was appended."""
        with self._transaction() as session:
            found = session.execute(
                select(HeldRangeRow.edge_id, HeldRangeRow.epoch, HeldRangeRow.first, HeldRangeRow.last)
                .where(HeldRangeRow.store_id == self._store_id)
                .order_by(HeldRangeRow.edge_id, HeldRangeRow.epoch, HeldRangeRow.first)
            )
            return [HeldRange(edge_id, int(epoch), first, last) for edge_id, epoch, first, last in found]

    def replace_held(self, ranges: Iterable[HeldRange]) -> None:
        """Write all ranges of held blocks anew."""
        with self._transaction() as session:
            session.execute(delete(HeldRangeRow).where(HeldRangeRow.store_id == self._store_id))
            self._insert(session, HeldRangeRow, [_held_row(one) for one in ranges])

    def dirty(self) -> tuple[DirtyMinutes, int]:
        """Every mark once, and the next round."""
        with self._transaction() as session:
            mine = DirtyMark.store_id == self._store_id
            found = session.execute(select(DirtyMark.source, DirtyMark.minute).where(mine).distinct()).all()
            newest = session.scalar(select(func.max(DirtyMark.round)).where(mine)) or 0
        source = np.array([one for one, _ in found], np.int32)
        return DirtyMinutes(source, np.array([minute for _, minute in found], np.int64)), newest + 1

    def clear_dirty(self, done: DirtyMinutes, last_round: int) -> None:
        """Delete these marks as far as they were made in `last_round` or before."""
        with self._transaction() as session:
            for minute in np.unique(done.minute).tolist():
                sources = done.source[done.minute == minute].tolist()
                for start in range(0, len(sources), 500):
                    session.execute(
                        delete(DirtyMark).where(
                            DirtyMark.store_id == self._store_id,
                            DirtyMark.minute == minute,
                            DirtyMark.source.in_(sources[start : start + 500]),
                            DirtyMark.round <= last_round,
                        )
                    )

    def newest(self) -> SampleBatch:
        """The newest samples as they were last noted."""
        with self._transaction() as session:
            found = session.execute(
                select(NewestSample.series, NewestSample.measured_at_ms, NewestSample.value, NewestSample.reason).where(
                    NewestSample.store_id == self._store_id
                )
            )
            return as_batch(found.all())

    def note_newest(self, newest: SampleBatch) -> None:
        """Note the newest sample of these series."""
        if not len(newest):
            return
        with self._transaction() as session:
            for start in range(0, len(newest), 500):
                gone = newest.series[start : start + 500].tolist()
                mine = NewestSample.store_id == self._store_id
                session.execute(delete(NewestSample).where(mine, NewestSample.series.in_(gone)))
            self._insert(session, NewestSample, _sample_rows(newest))

    def quarantined(self, limit: int) -> Quarantined:
        """At most `limit` refused samples, oldest first."""
        table = QuarantinedSample
        columns = (table.series, table.measured_at_ms, table.value, table.reason, table.id, table.problem)
        query = select(*columns).where(table.store_id == self._store_id).order_by(table.id).limit(limit)
        with self._transaction() as session:
            found = session.execute(query).all()
        batch = as_batch([row[:4] for row in found])
        return Quarantined(tuple(row[4] for row in found), batch, tuple(row[5] for row in found))

    def count_quarantined(self) -> int:
        """How many samples the store refused that are kept here."""
        with self._transaction() as session:
            mine = QuarantinedSample.store_id == self._store_id
            return session.scalar(select(func.count()).select_from(QuarantinedSample).where(mine)) or 0

    def release(self, ids: Sequence[int]) -> None:
        """These were taken by the store after all."""
        with self._transaction() as session:
            for start in range(0, len(ids), 500):
                session.execute(delete(QuarantinedSample).where(QuarantinedSample.id.in_(ids[start : start + 500])))

    def oldest_ms(self) -> int | None:
        """The time of the oldest sample that was ever written."""
        with self._transaction() as session:
            return session.scalar(select(ExternalStore.oldest_ms).where(ExternalStore.id == self._store_id))

    def _set(self, session: Session, oldest_ms: int) -> None:
        session.execute(update(ExternalStore).where(ExternalStore.id == self._store_id).values(oldest_ms=oldest_ms))

    def _insert(self, session: Session, table: Any, rows: list[dict[str, Any]]) -> None:
        if rows:
            session.execute(insert(table), [row | {"store_id": self._store_id} for row in rows])

    def _transaction(self) -> AbstractContextManager[Session]:
        return transaction(self._engine)


def as_batch(rows: Sequence[Sequence[Any]]) -> SampleBatch:
    """Rows of series, time, value and reason as columns; no value is NaN."""
    series, at_ms, value, reason = zip(*rows, strict=True) if rows else ((), (), (), ())
    return SampleBatch(
        np.array(series, np.int32),
        np.array(at_ms, np.int64),
        np.array([np.nan if one is None else one for one in value], np.float64),
        np.array(reason, np.uint8),
    )


def _held_row(one: HeldRange) -> dict[str, Any]:
    return {"edge_id": one.edge_id, "epoch": str(one.epoch), "first": one.first, "last": one.last}


def _mark_rows(marks: DirtyMinutes | None, round_number: int) -> list[dict[str, Any]]:
    if marks is None:
        return []
    pairs = zip(marks.source.tolist(), marks.minute.tolist(), strict=True)
    return [{"source": source, "minute": minute, "round": round_number} for source, minute in pairs]


def _sample_rows(batch: SampleBatch) -> list[dict[str, Any]]:
    columns = (batch.series.tolist(), batch.measured_at_ms.tolist(), batch.value.tolist(), batch.reason.tolist())
    return [
        {"series": series, "measured_at_ms": at_ms, "value": value if value == value else None, "reason": reason}
        for series, at_ms, value, reason in zip(*columns, strict=True)
    ]
