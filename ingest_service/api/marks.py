"""JSON: operators' marks of plant state, and cause and action of exceedances. Both are only added to."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from edge_agent.wire.durations import DAY_MS
from ingest_service.api.access import Act, Sight, needs
from ingest_service.api.context import Context, Here
from ingest_service.api.errors import InvalidRequest, NotFound
from ingest_service.api.numbers import Number
from ingest_service.api.schemas import ErrorOut, Out
from ingest_service.api.series import From, To
from ingest_service.api.snapshot import found_furnace
from ingest_service.config import FOR_EVER
from ingest_service.emissions.marks import STATES
from ingest_service.people.roles import Right
from ingest_service.store import trends
from ingest_service.store.marks import Act as MarkAct
from ingest_service.store.marks import MarkEntry, MarkRow, mark_of, marks_of
from ingest_service.store.overview import Reader
from ingest_service.store.remarks import Answer, ExceedanceCause, Remark, remarks_on
from ingest_service.store.rows import FurnaceRow
from ingest_service.store.trends import OverLimit

LONGEST_DAYS = 31
AHEAD_DAYS = 31
BACK_DAYS = 400

router = APIRouter(tags=["compliance"], responses={404: {"model": ErrorOut}, 422: {"model": ErrorOut}})

Marking = Annotated[Act, needs(Right.MARK)]
Words = Annotated[str, Field(min_length=1, max_length=300, pattern=r"\S")]
State = Annotated[str, Field(description="one of start_up, calibration, maintenance, fault, stopped")]


class MarkIn(BaseModel):
    """A state in [start, end), and why."""

    model_config = ConfigDict(extra="forbid")
    state: State
    start_ms: Annotated[int, Field(ge=0, le=10**14)]
    end_ms: Annotated[int, Field(ge=0, le=10**14)]
    reason: Words


class WithdrawIn(BaseModel):
    """Why a mark is taken back."""

    model_config = ConfigDict(extra="forbid")
    reason: Words


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
def enter_mark(home: str, furnace: str, body: MarkIn, here: Here, act: Marking) -> MarkOut:
    """The hours that it touches are judged again."""
    row = found_furnace(act.sight, home, furnace)
    return MarkOut.model_validate(entered(here, act, row, body))


@router.post("/marks/{mark}/correct", status_code=201, summary="Correct a mark by a new record")
def correct_mark(mark: Number, body: MarkIn, here: Here, act: Marking) -> MarkOut:
    """What was entered first stays on record."""
    return MarkOut.model_validate(corrected(here, act, found_mark(act.sight, mark), body))


@router.post("/marks/{mark}/withdraw", status_code=201, summary="Take a mark back by a new record")
def withdraw_mark(mark: Number, body: WithdrawIn, here: Here, act: Marking) -> MarkOut:
    """What was entered first stays on record."""
    return MarkOut.model_validate(withdrawn(here, act, found_mark(act.sight, mark), body.reason))


@router.get("/exceedances/{exceedance}/remarks", summary="What people said of an exceedance, oldest first")
def list_remarks(exceedance: Number, sight: Sight) -> list[RemarkOut]:
    """The last one holds."""
    return [RemarkOut.model_validate(one) for one in said_of(sight, found_exceedance(sight, exceedance))]


@router.post("/exceedances/{exceedance}/remarks", status_code=201, summary="Fill in cause and action")
def add_remark(exceedance: Number, body: RemarkIn, here: Here, act: Marking) -> list[RemarkOut]:
    """All that was said of it, the new remark last."""
    found = found_exceedance(act.sight, exceedance)
    remarked(here, act, found, body)
    return [RemarkOut.model_validate(one) for one in said_of(act.sight, found)]


def entered(here: Context, act: Act, furnace: FurnaceRow, body: MarkIn) -> MarkRow:
    """A new mark in the caller's name, at the centre's time. Raises InvalidRequest or Forbidden."""
    act.at_home(furnace.home_id)
    entry = _entry_of(here, furnace.id, body)
    mark = here.marks.enter(entry, act.doing(body.reason.strip()))
    here.marked(entry.furnace_id, entry.start_ms, entry.end_ms, here.clock())
    return found_mark(act.sight, mark)


def corrected(here: Context, act: Act, known: MarkRow, body: MarkIn) -> MarkRow:
    """A record that stands in the place of a mark."""
    entry = _entry_of(here, known.furnace_id, body)
    return _replaced(here, act, known, entry, MarkAct.CORRECTED, body.reason)


def withdrawn(here: Context, act: Act, known: MarkRow, reason: str) -> MarkRow:
    """A record that takes a mark back."""
    times = {"start_ms": known.start_ms, "end_ms": known.end_ms}
    entry = MarkEntry(furnace_id=known.furnace_id, state=STATES[known.state], **times)
    return _replaced(here, act, known, entry, MarkAct.WITHDRAWN, reason)


def remarked(here: Context, act: Act, found: OverLimit, body: RemarkIn) -> None:
    """Record cause and action of that exceedance. Raises Forbidden."""
    act.at_home(found.home_id)
    here.remarks.add(found, Answer(body.cause, body.detail.strip(), body.action.strip()), act.doing())


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


def _entry_of(here: Context, furnace_id: int, body: MarkIn) -> MarkEntry:
    """The record to be made. Raises InvalidRequest for what cannot be marked."""
    if body.state not in STATES:
        raise InvalidRequest(f"state must be one of {', '.join(STATES)}")
    times = {"start_ms": body.start_ms, "end_ms": body.end_ms}
    entry = MarkEntry(furnace_id=furnace_id, state=STATES[body.state], **times)
    _check_span(here, entry)
    return entry


def _replaced(here: Context, act: Act, known: MarkRow, entry: MarkEntry, how: MarkAct, reason: str) -> MarkRow:
    """A record in the place of one in sight. Raises InvalidRequest where that one holds no more, or Forbidden."""
    act.at_home(known.home_id)
    mark = here.marks.replace(known.id, entry, how, act.doing(reason.strip()))
    if mark is None:
        raise InvalidRequest(f"mark {known.id} holds no more: another record stands in its place")
    for start_ms, end_ms in ((known.start_ms, known.end_ms), (entry.start_ms, entry.end_ms)):
        here.marked(entry.furnace_id, start_ms, end_ms, here.clock())
    return found_mark(act.sight, mark)


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
