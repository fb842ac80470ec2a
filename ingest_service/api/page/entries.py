"""The forms by which people enter marks, and cause and action of exceedances."""

from datetime import datetime
from typing import Annotated, TypeVar

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, ValidationError

from ingest_service.api.context import Context, Here
from ingest_service.api.errors import InvalidRequest
from ingest_service.api.marks import (
    MarkIn,
    Marking,
    RemarkIn,
    WithdrawIn,
    corrected,
    entered,
    found_exceedance,
    found_mark,
    remarked,
    withdrawn,
)
from ingest_service.api.numbers import Number
from ingest_service.api.page.alarm_view import furnace_href
from ingest_service.api.page.formats import Clock, zone_of
from ingest_service.api.snapshot import found_furnace

router = APIRouter(include_in_schema=False)

Body = TypeVar("Body", bound=BaseModel)
State = Annotated[str, Form(max_length=20)]
Words = Annotated[str, Form(max_length=300)]
Local = Annotated[str, Form(max_length=25, description="local time, as 2026-11-23T08:00")]


@router.post("/homes/{home}/furnaces/{furnace}/marks")
def enter_mark(
    home: str,
    furnace: str,
    here: Here,
    act: Marking,
    state: State,
    start: Local,
    end: Local,
    reason: Words,
) -> Response:
    """A new mark, then the page again."""
    row = found_furnace(act.sight, home, furnace)
    mark = entered(here, act, row, _mark_in(here, state, start, end, reason))
    return _back(here, home, furnace, mark.start_ms, "marks")


@router.post("/marks/{mark}/correct")
def correct_mark(
    mark: Number,
    here: Here,
    act: Marking,
    state: State,
    start: Local,
    end: Local,
    reason: Words,
) -> Response:
    """A record in the place of a mark, then the page again."""
    known = found_mark(act.sight, mark)
    corrected(here, act, known, _mark_in(here, state, start, end, reason))
    return _back(here, known.home_id, known.furnace, known.start_ms, "marks")


@router.post("/marks/{mark}/withdraw")
def withdraw_mark(mark: Number, here: Here, act: Marking, reason: Words) -> Response:
    """A record that takes a mark back, then the page again."""
    known = found_mark(act.sight, mark)
    withdrawn(here, act, known, _checked(WithdrawIn, reason=reason).reason)
    return _back(here, known.home_id, known.furnace, known.start_ms, "marks")


@router.post("/exceedances/{exceedance}/remarks")
def add_remark(
    exceedance: Number,
    here: Here,
    act: Marking,
    cause: Annotated[str, Form(max_length=40)],
    action: Words,
    detail: Words = "",
) -> Response:
    """Cause and action, then the page again."""
    found = found_exceedance(act.sight, exceedance)
    remarked(here, act, found, _checked(RemarkIn, cause=cause, detail=detail, action=action))
    return _back(here, found.home_id, found.furnace, found.start_ms, "exceedances")


def _mark_in(here: Context, state: str, start: str, end: str, reason: str) -> MarkIn:
    times = {"start_ms": _local_ms(here, start), "end_ms": _local_ms(here, end)}
    return _checked(MarkIn, state=state, reason=reason, **times)


def _local_ms(here: Context, text: str) -> int:
    """A local time of a form. Raises InvalidRequest."""
    try:
        return round(datetime.fromisoformat(text).replace(tzinfo=zone_of(here.config)).timestamp() * 1000)
    except ValueError:
        raise InvalidRequest(f"{text!r} is no time: write it as 2026-11-23T08:00") from None


def _checked(shape: type[Body], **values: object) -> Body:
    """What a form holds, in the shape that the API takes. Raises InvalidRequest."""
    try:
        return shape.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidRequest(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def _back(here: Context, home: str, furnace: str, at_ms: int, part: str) -> Response:
    """To the month of what was entered."""
    month = Clock(zone_of(here.config)).at(at_ms).strftime("%Y-%m")
    return RedirectResponse(f"{furnace_href(home, furnace)}/compliance?month={month}#{part}", status_code=303)
