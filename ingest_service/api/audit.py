"""JSON: who did what. Whoever may audit a part of the tree sees what concerns its homes, at the root everything."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from ingest_service.api.access import Act, needs
from ingest_service.api.context import Context, Here
from ingest_service.api.schemas import ErrorOut, Out
from ingest_service.audit.chain import Record
from ingest_service.audit.entry import Action, Entry
from ingest_service.audit.listing import written
from ingest_service.people.decision import may_at, reach
from ingest_service.people.nodes import ROOT_ID
from ingest_service.people.roles import Right
from ingest_service.store.audit import AuditFilter

router = APIRouter(tags=["operations"], responses={422: {"model": ErrorOut}})
Auditing = Annotated[Act, needs(Right.AUDIT)]
Word = Annotated[str | None, Query(max_length=200)]
Moment = Annotated[int | None, Query(ge=0, le=10**14, description="ms since 1970 UTC")]


class Form(StrEnum):
    """Formats of the export."""

    CSV = "csv"
    JSON = "json"


MEDIA = {Form.CSV: "text/csv; charset=utf-8", Form.JSON: "application/json"}


class RecordOut(Out):
    """One record; `before` and `after` are JSON of what changed, "" where there is nothing."""

    number: int
    at_ms: int
    who: str
    address: str
    action: str
    subject: str
    home: str
    before: str
    after: str
    why: str
    previous: str
    digest: str


@router.get("/audit", summary="Who did what, newest first")
def list_records(
    here: Here,
    act: Auditing,
    who: Word = None,
    action: Word = None,
    text: Word = None,
    from_ms: Annotated[Moment, Query(alias="from")] = None,
    to_ms: Annotated[Moment, Query(alias="to")] = None,
    before: Annotated[int | None, Query(ge=1, le=10**15, description="records with a lower number than that")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[RecordOut]:
    """The records that match all of it; `text` is part of a name, an address, a subject or a reason."""
    wanted = AuditFilter(
        homes=audited_homes(here, act),
        who=who,
        action=action,
        text=text,
        from_ms=from_ms,
        to_ms=to_ms,
        before_number=before,
    )
    return [record_out(record) for record in here.audit.newest(wanted, limit)]


@router.get("/audit/export", summary="The records in order, as a file", response_class=StreamingResponse)
def export_records(
    here: Here,
    act: Auditing,
    form: Annotated[Form, Query(alias="format")] = Form.CSV,
    who: Word = None,
    action: Word = None,
    text: Word = None,
    from_ms: Annotated[Moment, Query(alias="from")] = None,
    to_ms: Annotated[Moment, Query(alias="to")] = None,
) -> StreamingResponse:
    """With their hashes: without a filter, at the root, the file proves itself. That it was made is recorded."""
    homes = audited_homes(here, act)
    wanted = AuditFilter(homes=homes, who=who, action=action, text=text, from_ms=from_ms, to_ms=to_ms)
    here.audit.record(act.doing().entry(Action.TRAIL_EXPORTED, "audit trail", after={"format": form}))
    headers = {"Content-Disposition": f'attachment; filename="audit-trail.{form}"'}
    return StreamingResponse(_encoded(here, wanted, form), media_type=MEDIA[form], headers=headers)


def audited_homes(here: Context, act: Act) -> frozenset[str] | None:
    """The homes whose records the caller may see; None is everything, what concerns no home too."""
    tree = act.tree
    if may_at(act.caller, Right.AUDIT, ROOT_ID, tree):
        return None
    return reach(act.caller, Right.AUDIT, tree, here.people.directory.admission)


def record_out(record: Record) -> RecordOut:
    """A record in one level."""
    fields = {field: getattr(record.entry, field) for field in Entry.__struct_fields__}
    return RecordOut(number=record.number, previous=record.previous, digest=record.digest, **fields)


def _encoded(here: Context, wanted: AuditFilter, form: Form) -> Iterator[bytes]:
    for text in written(here.audit.records(wanted), form):
        yield text.encode()
