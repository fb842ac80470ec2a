"""The pages of alarms: the list, one alarm, its acknowledgement, and the inbox."""

from typing import Annotated
from urllib.parse import quote, unquote

import msgspec
from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from edge_agent.wire.quantity import quantities
from ingest_service.alarms.facts import ExceedanceFacts
from ingest_service.api.alarms import acknowledged, found_alarm
from ingest_service.api.errors import InvalidRequest
from ingest_service.api.origin import Origin
from ingest_service.api.page.alarm_view import alarm_view, urgency
from ingest_service.api.page.formats import MINUTE_MS
from ingest_service.api.page.furnace import limits_in_force
from ingest_service.api.page.rendering import WHO_COOKIE, YEAR_S, AnyPage, Page
from ingest_service.api.page.texts import REASON_MARK
from ingest_service.api.page.trend_view import Plot, TrendView, plots_of, trends_url
from ingest_service.store import journal, overview
from ingest_service.store.alarms import Answer
from ingest_service.store.journal import AlarmRecord, Message

FINISHED_SHOWN = 50
LETTERS_SHOWN = 100
ROUND_ONSET_MS = 15 * MINUTE_MS
NOTICES = {Answer.ACKNOWLEDGED: "acknowledged", Answer.ALREADY_ACKNOWLEDGED: "already"}

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


class Letter(msgspec.Struct, frozen=True):
    """One notification as it was worded when it was sent."""

    alarm_id: int
    severity: str
    what: str
    step: str
    who: str
    note: str
    receiver: str
    state: str
    at_ms: int


@router.get("/alarms")
def show_alarms(page: AnyPage) -> HTMLResponse:
    """What needs someone first, then what is finished."""
    unfinished = sorted(journal.open_alarms(page.sight), key=urgency)
    finished = journal.finished_alarms(page.sight, FINISHED_SHOWN)
    return page.render(
        "alarms.html",
        "alarms",
        open=[alarm_view(alarm, page.now_ms, page.clock, page.t) for alarm in unfinished],
        finished=[alarm_view(alarm, page.now_ms, page.clock, page.t) for alarm in finished],
        who=known_name(page),
    )


@router.get("/alarms/{alarm}")
def show_alarm(alarm: int, page: AnyPage, notice: str = "") -> HTMLResponse:
    """What is wrong, since when, what to do, who was told."""
    record = found_alarm(page.sight, alarm)
    return page.render(
        "alarm.html",
        "alarm",
        alarm=alarm_view(record, page.now_ms, page.clock, page.t),
        steps=journal.steps(page.sight, alarm),
        messages=journal.messages(page.sight, LETTERS_SHOWN, alarm)[::-1],
        notice=notice if notice in NOTICES.values() else "",
        trend=onset_trend(page, record),
        who=known_name(page),
    )


@router.post("/alarms/{alarm}/acknowledge")
def acknowledge(
    alarm: int,
    page: AnyPage,
    origin: Origin,
    who: Annotated[str, Form(max_length=60)],
    reason: Annotated[str, Form(max_length=60)] = "",
    note: Annotated[str, Form(max_length=300)] = "",
) -> Response:
    """Record who has seen it, then show the alarm; the name is kept for the next time."""
    name = who.strip()
    if not name:
        raise InvalidRequest("an acknowledgement needs a name")
    why = REASON_MARK.join(filter(None, (reason, note.strip())))
    answer = acknowledged(page.here, page.sight, alarm, name, why, origin)
    response = RedirectResponse(f"/alarms/{alarm}?notice={NOTICES[answer]}", status_code=303)
    response.set_cookie(WHO_COOKIE, quote(name), max_age=YEAR_S, samesite="lax", httponly=True)
    return response


@router.get("/inbox")
def show_inbox(page: AnyPage) -> HTMLResponse:
    """What was told to the inbox, newest first."""
    messages = journal.messages(page.sight, LETTERS_SHOWN, inbox=page.locale)
    return page.render("inbox.html", "inbox", letters=[_letter(message) for message in messages])


def known_name(page: Page) -> str:
    """The name under which this reader acknowledged last."""
    return unquote(page.request.cookies.get(WHO_COOKIE, ""))[:60]


def onset_trend(page: Page, record: AlarmRecord) -> TrendView | None:
    """The curves round the onset of an alarm; None where it concerns no furnace."""
    if record.furnace_id is None:
        return None
    series = overview.series(page.sight, [record.furnace_id])
    plots = plots_of(series, limits_in_force(page.here.packs), page.t)
    onset_ms = record.raised_at_ms
    return TrendView(
        url=trends_url(record.home_id, record.furnace),
        from_ms=onset_ms - ROUND_ONSET_MS,
        to_ms=min(page.now_ms, max(onset_ms + ROUND_ONSET_MS, onset_ms + _lasted_ms(record))),
        follows=False,
        range="",
        ranges=[],
        plots=concerned(record, plots),
        onset_ms=onset_ms,
    )


def concerned(record: AlarmRecord, plots: list[Plot]) -> list[Plot]:
    """The plots that bear on an alarm: combustion always, of the limits only that which was exceeded."""
    return [plot for plot in plots if not plot.pollutant or plot.pollutant == _pollutant(record)]


def _pollutant(record: AlarmRecord) -> str:
    """The pollutant of an exceedance, found by its name; "" for any other alarm."""
    if not isinstance(record.facts, ExceedanceFacts):
        return ""
    names = record.facts.pollutant
    return next((key for key, known in quantities().items() if known.en == names.en or known.zh == names.zh), "")


def _lasted_ms(record: AlarmRecord) -> int:
    """An exceedance is raised at the beginning of its hour, which belongs in the picture."""
    return 60 * MINUTE_MS if isinstance(record.facts, ExceedanceFacts) else 0


def _letter(message: Message) -> Letter:
    sent = message.message
    return Letter(
        alarm_id=message.alarm_id,
        severity=sent.severity,
        what=sent.text.what,
        step=message.step,
        who=sent.who,
        note=sent.note,
        receiver=message.receiver,
        state=message.state,
        at_ms=sent.recorded_at_ms,
    )
