"""JSON: operators' marks of plant state, and cause and action of exceedances. Both are only added to."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from ingest_service.api.access import Sight
from ingest_service.api.context import Context, Here
from ingest_service.api.errors import InvalidRequest, NotFound
from ingest_service.api.schemas import ErrorOut, Out
from ingest_service.api.series import From, To
from ingest_service.api.snapshot import found_furnace
from ingest_service.config import DAY_MS, FOR_EVER
from ingest_service.emissions.marks import STATES
from ingest_service.store import trends
from ingest_service.store.marks import Act, MarkEntry, MarkRow, mark_of, marks_of
from ingest_service.store.overview import Reader
from ingest_service.store.remarks import ExceedanceCause, Remark, remarks_on
from ingest_service.store.trends import OverLimit

LONGEST_DAYS = 31
AHEAD_DAYS = 31
BACK_DAYS = 400

router = APIRouter(tags=["compliance"], responses={404: {"model": ErrorOut}, 422: {"model": ErrorOut}})

Who = Annotated[str, Field(min_length=1, max_length=60, pattern=r"\S")]
Words = Annotated[str, Field(min_length=1, max_length=300, pattern=r"\S")]
State = Annotated[str, Field(description="one of start_up, calibration, maintenance, fault, stopped")]


class MarkIn(BaseModel):
    """A state in [start, end), why, and who says so."""

    model_config = ConfigDict(extra="forbid")
    state: State
    start_ms: Annotated[int, Field(ge=0, le=10**14)]
    end_ms: Annotated[int, Field(ge=0, le=10**14)]
    reason: Words
    who: Who


class WithdrawIn(BaseModel):
    """Why a mark is taken back, and who takes it back."""

    model_config = ConfigDict(extra="forbid")
    reason: Words
    who: Who


class MarkOut(Out):
    """One record; `holds` for what is so: neither replaced by another record nor a withdrawal."""

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
    holds: bool


class RemarkIn(BaseModel):
    """Cause of an exceedance and the action taken."""

    model_config = ConfigDict(extra="forbid")
    cause: ExceedanceCause
    detail: Annotated[str, Field(max_length=300)] = ""
    action: Words
    who: Who


class RemarkOut(Out):
    """What a person said of an exceedance; of several the newest holds."""

    cause: str
    detail: str
    action: str
    who: str
    recorded_at_ms: int


@router.get("/homes/{home}/furnaces/{furnace}/marks", summary="What operators marked, replaced records too")
def list_marks(home: str, furnace: str, from_ms: From, to_ms: To, sight: Sight) -> list[MarkOut]:
    """The records that touch [from, to)."""
    row = found_furnace(sight, home, furnace)
    return [MarkOut.model_validate(mark) for mark in marks_of(sight, [row.id], from_ms, to_ms)]


@router.post("/homes/{home}/furnaces/{furnace}/marks", status_code=201, summary="Mark a furnace's state")
def enter_mark(home: str, furnace: str, body: MarkIn, here: Here, sight: Sight) -> MarkOut:
    """The hours that it touches are judged again."""
    row = found_furnace(sight, home, furnace)
    return MarkOut.model_validate(entered(here, sight, entry_of(row.id, body)))


@router.post("/marks/{mark}/correct", status_code=201, summary="Correct a mark by a new record")
def correct_mark(mark: int, body: MarkIn, here: Here, sight: Sight) -> MarkOut:
    """What was entered first stays on record."""
    known = found_mark(sight, mark)
    return MarkOut.model_validate(replaced(here, sight, known, entry_of(known.furnace_id, body), Act.CORRECTED))


@router.post("/marks/{mark}/withdraw", status_code=201, summary="Take a mark back by a new record")
def withdraw_mark(mark: int, body: WithdrawIn, here: Here, sight: Sight) -> MarkOut:
    """What was entered first stays on record."""
    known = found_mark(sight, mark)
    return MarkOut.model_validate(withdrawn(here, sight, known, body.reason, body.who))


@router.get("/exceedances/{exceedance}/remarks", summary="What people said of an exceedance, oldest first")
def list_remarks(exceedance: int, sight: Sight) -> list[RemarkOut]:
    """The last one holds."""
    return [RemarkOut.model_validate(one) for one in said_of(sight, found_exceedance(sight, exceedance))]


@router.post("/exceedances/{exceedance}/remarks", status_code=201, summary="Fill in cause and action")
def add_remark(exceedance: int, body: RemarkIn, here: Here, sight: Sight) -> list[RemarkOut]:
    """All that was said of it, the new remark last."""
    found = found_exceedance(sight, exceedance)
    remarked(here, found, body)
    return [RemarkOut.model_validate(one) for one in said_of(sight, found)]


def entry_of(furnace_id: int, body: MarkIn) -> MarkEntry:
    """The record to be made. Raises InvalidRequest for a state that is not known."""
    if body.state not in STATES:
        raise InvalidRequest(f"state must be one of {', '.join(STATES)}")
    return MarkEntry(
        furnace_id=furnace_id,
        state=STATES[body.state],
        start_ms=body.start_ms,
        end_ms=body.end_ms,
        reason=body.reason.strip(),
        who=body.who.strip(),
    )


def entered(here: Context, sight: Reader, entry: MarkEntry) -> MarkRow:
    """A new mark, at the centre's time. Raises InvalidRequest."""
    _check_span(here, entry)
    mark = here.marks.enter(entry, here.clock())
    here.marked(entry.furnace_id, entry.start_ms, entry.end_ms)
    return found_mark(sight, mark)


def replaced(here: Context, sight: Reader, known: MarkRow, entry: MarkEntry, act: Act) -> MarkRow:
    """A record in the place of one in sight. Raises InvalidRequest where that one holds no more."""
    if act is Act.CORRECTED:
        _check_span(here, entry)
    mark = here.marks.replace(known.id, entry, act, here.clock())
    if mark is None:
        raise InvalidRequest(f"mark {known.id} holds no more: another record stands in its place")
    for start_ms, end_ms in ((known.start_ms, known.end_ms), (entry.start_ms, entry.end_ms)):
        here.marked(entry.furnace_id, start_ms, end_ms)
    return found_mark(sight, mark)


def withdrawn(here: Context, sight: Reader, known: MarkRow, reason: str, who: str) -> MarkRow:
    """A record that takes a mark back."""
    entry = MarkEntry(
        furnace_id=known.furnace_id,
        state=STATES[known.state],
        start_ms=known.start_ms,
        end_ms=known.end_ms,
        reason=reason.strip(),
        who=who.strip(),
    )
    return replaced(here, sight, known, entry, Act.WITHDRAWN)


def remarked(here: Context, found: OverLimit, body: RemarkIn) -> None:
    """Record cause and action of that exceedance, at the centre's time."""
    remark = Remark(
        furnace_id=found.furnace_id,
        rule=found.rule,
        pollutant=found.pollutant,
        averaging=found.averaging,
        start_ms=found.start_ms,
        end_ms=found.end_ms,
        cause=body.cause,
        detail=body.detail.strip(),
        action=body.action.strip(),
        who=body.who.strip(),
        recorded_at_ms=here.clock(),
    )
    here.remarks.add(remark)


def found_mark(sight: Reader, mark: int) -> MarkRow:
    """That record. Raises NotFound."""
    row = mark_of(sight, mark)
    if row is None:
        raise NotFound(f"no mark {mark}")
    return row


def found_exceedance(sight: Reader, exceedance: int) -> OverLimit:
    """That exceedance. Raises NotFound."""
    row = trends.exceedance(sight, exceedance)
    if row is None:
        raise NotFound(f"no exceedance {exceedance}")
    return row


def said_of(sight: Reader, found: OverLimit) -> list[Remark]:
    """The remarks on an exceedance, oldest first."""
    said = remarks_on(sight, [found.furnace_id], found.start_ms, found.end_ms)
    return [one for one in said if one.concerns(found)]


def _check_span(here: Context, entry: MarkEntry) -> None:
    """Raises InvalidRequest for a time that cannot be marked."""
    now_ms, kept_days = here.clock(), here.config.storage.retention.minute_days
    if not 0 < entry.end_ms - entry.start_ms <= LONGEST_DAYS * DAY_MS:
        raise InvalidRequest(f"the end must lie after the start, by no more than {LONGEST_DAYS} days")
    if entry.end_ms > now_ms + AHEAD_DAYS * DAY_MS:
        raise InvalidRequest(f"the end must lie no more than {AHEAD_DAYS} days ahead")
    back_days = BACK_DAYS if kept_days == FOR_EVER else min(BACK_DAYS, kept_days)
    if entry.start_ms < now_ms - back_days * DAY_MS:
        raise InvalidRequest(f"the start must lie no more than {back_days} days back: older hours are not judged again")
