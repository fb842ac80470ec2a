"""The audit trail in the relational database: records are added in order, one writer at a time, and never changed."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import structlog
from sqlalchemy import Engine, Select, event, or_, select, update
from sqlalchemy.orm import Session

from ingest_service.audit.chain import START, Head, Record, sealed
from ingest_service.audit.entry import Entry, fit_to_keep
from ingest_service.errors import StoreError
from ingest_service.store.audit_head import HeadFile
from ingest_service.store.audit_tables import AuditHead, AuditRecord
from ingest_service.store.transaction import transaction

_log = structlog.get_logger(__name__)
HEAD_FILE = "audit-head"  # in the store's folder
PORTION = 1_000


class AuditFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which records are wanted, None means any: `homes` whose, `text` part of who, where from, subject or reason."""

    homes: frozenset[str] | None = None
    who: str | None = None
    action: str | None = None
    text: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    before_number: int | None = None


ANY = AuditFilter()


class AuditTrail:
    """Adds entries and reads them. `head_file` is where the chain's end is noted outside the database (None: nowhere).

    Writers of several threads, processes and machines are safe: the row of the head is locked until the commit.
    """

    def __init__(self, engine: Engine, head_file: Path | None = None) -> None:
        self._engine = engine
        self._head_file = None if head_file is None else HeadFile(head_file)

    def record(self, entry: Entry) -> Head:
        """Add one entry in a transaction of its own; return the chain's new end. Raises StoreError."""
        with transaction(self._engine) as session:
            return self.append(session, entry)

    def append(self, session: Session, entry: Entry) -> Head:
        """Add one entry as the last step of the caller's transaction, so that it stands exactly if the change does.

        Until the commit every other writer waits.
        """
        session.execute(update(AuditHead).where(AuditHead.id == 1).values(id=1))  # locks it, in SQLite all
        row = session.get_one(AuditHead, 1, populate_existing=True)
        record = sealed(fit_to_keep(entry), Head(row.number, row.digest))
        session.add(_row(record))
        row.number, row.digest = record.number, record.digest
        session.flush()
        self._note_after_commit(session, record.head)
        return record.head

    def head(self) -> Head:
        """The chain's end as the database has it."""
        with transaction(self._engine) as session:
            row = session.get_one(AuditHead, 1)
            return Head(row.number, row.digest)

    def compare_end(self) -> bool:
        """Whether the database reaches the end that is noted beside it; where it does not, the log says so."""
        noted = None if self._head_file is None else self._head_file.read()
        head = self.head()
        if noted is not None and noted.number > head.number:
            _log.error("audit_trail_cut_off", noted=str(noted), found=str(head))
            return False
        return True

    def newest(self, wanted: AuditFilter = ANY, limit: int = 100) -> tuple[Record, ...]:
        """The newest records of that kind, newest first."""
        with transaction(self._engine) as session:
            query = _filtered(select(AuditRecord), wanted).order_by(AuditRecord.number.desc()).limit(limit)
            return tuple(_record(row) for row in session.scalars(query))

    def records(self, wanted: AuditFilter = ANY) -> Iterator[Record]:
        """Every record of that kind in the order of their numbers, read in portions."""
        last = START.number
        while True:
            with transaction(self._engine) as session:
                query = _filtered(select(AuditRecord), wanted).where(AuditRecord.number > last)
                rows = [_record(row) for row in session.scalars(query.order_by(AuditRecord.number).limit(PORTION))]
            yield from rows
            if len(rows) < PORTION:
                return
            last = rows[-1].number

    def _note_after_commit(self, session: Session, head: Head) -> None:
        file = self._head_file
        if file is not None:
            event.listen(session, "after_commit", lambda _: _note(file, head), once=True)


def _note(file: HeadFile, head: Head) -> None:
    """The record stands already: that its head could not be noted must not look like a failed change."""
    try:
        file.raise_to(head)
    except StoreError as error:
        _log.error("audit_head_not_noted", head=str(head), problem=str(error))


def _filtered(query: Select[AuditRecord], wanted: AuditFilter) -> Select[AuditRecord]:
    like = [column.icontains(wanted.text or "", autoescape=True) for column in _SEARCHED]
    pairs = [
        (wanted.homes, AuditRecord.home.in_(wanted.homes or ())),
        (wanted.who, AuditRecord.who == wanted.who),
        (wanted.action, AuditRecord.action == wanted.action),
        (wanted.text, or_(*like)),
        (wanted.from_ms, AuditRecord.at_ms >= (wanted.from_ms or 0)),
        (wanted.to_ms, AuditRecord.at_ms < (wanted.to_ms or 0)),
        (wanted.before_number, AuditRecord.number < (wanted.before_number or 0)),
    ]
    return query.where(*(condition for value, condition in pairs if value is not None))


_SEARCHED = (AuditRecord.who, AuditRecord.address, AuditRecord.subject, AuditRecord.why)


def _row(record: Record) -> AuditRecord:
    fields = msgspec.structs.asdict(record.entry)
    return AuditRecord(number=record.number, previous=record.previous, digest=record.digest, **fields)


def _record(row: AuditRecord) -> Record:
    entry = Entry(**{field: getattr(row, field) for field in Entry.__struct_fields__})
    return Record(row.number, entry, row.previous, row.digest)
