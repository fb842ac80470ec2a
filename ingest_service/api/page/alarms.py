"""The pages of alarms: the list, one alarm, its acknowledgement, and the inbox."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from edge_agent.wire.durations import MINUTE_MS
from edge_agent.wire.quantity import quantities
from ingest_service.alarms.facts import ExceedanceFacts
from ingest_service.alarms.vocabulary import Severity
from ingest_service.api.alarms import Acknowledging, acknowledged, found_alarm
from ingest_service.api.context import Here
from ingest_service.api.numbers import Number
from ingest_service.api.page.addresses import PageNumber, Word
from ingest_service.api.page.alarm_view import alarm_view, urgency
from ingest_service.api.page.areas import Level, is_in
from ingest_service.api.page.asked_alarms import AskedAlarms, choices
from ingest_service.api.page.furnace import limits_in_force
from ingest_service.api.page.paging import Paging
from ingest_service.api.page.rendering import AnyPage, Page
from ingest_service.api.page.texts import REASON_MARK
from ingest_service.api.page.trend_view import Plot, TrendView, plots_of, trends_url
from ingest_service.people.roles import Right
from ingest_service.store import journal, overview
from ingest_service.store.alarms import Answer
from ingest_service.store.journal import AlarmRecord, Message
from ingest_service.store.overview import Part, Reader

OPEN_A_PAGE, FINISHED_A_PAGE = 50, 50
LETTERS_SHOWN = 100
ROUND_ONSET_MS = 15 * MINUTE_MS
NOTICES = {Answer.ACKNOWLEDGED: "acknowledged", Answer.ALREADY_ACKNOWLEDGED: "already"}

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


class Letter(msgspec.Struct, frozen=True):
    """One notification as it was worded when it was sent; `over_since_ms` where it told of something past."""

    alarm_id: int
    severity: str
    what: str
    step: str
    who: str
    note: str
    receiver: str
    state: str
    at_ms: int
    over_since_ms: int | None


@router.get("/alarms")
def show_alarms(
    page: AnyPage,
    city: Word = "",
    district: Word = "",
    severity: Severity | None = None,
    number: Annotated[PageNumber, Query(alias="page")] = 1,
    finished: PageNumber = 1,
) -> HTMLResponse:
    """What needs someone first, then what is finished."""
    asked = AskedAlarms(city=city, district=district, severity=severity, page=number, finished=finished)
    sight, place = place_of(page, asked)
    every = sorted(journal.open_alarms(sight), key=urgency)
    wanted = asked.among(every)
    opened = Paging.of(len(wanted), OPEN_A_PAGE, asked.page)
    past = Paging.of(journal.count_finished(sight), FINISHED_A_PAGE, asked.finished)
    shown = opened.part(wanted)
    done = journal.finished_alarms(sight, Part(past.size, past.skipped))
    return page.render(
        "alarms.html",
        "alarms",
        asked=asked,
        place=place,
        choices=choices(asked, every),
        opened=opened,
        past=past,
        open=[alarm_view(alarm, page.now_ms, page.clock, page.t) for alarm in shown],
        finished=[alarm_view(alarm, page.now_ms, page.clock, page.t) for alarm in done],
        mine={alarm.id for alarm in shown if page.may_at_node(Right.ACKNOWLEDGE, alarm.node)},
    )


def place_of(page: Page, asked: AskedAlarms) -> tuple[Reader, str]:
    """The reader's sight cut down to the place that was asked for, and what that place is called."""
    if not (asked.city or asked.district):
        return page.sight, ""
    homes = [home for home in overview.homes(page.sight) if is_in(home, asked.city, asked.district)]
    level = Level.DISTRICT if asked.district else Level.CITY
    name = level.name_of(homes[0], page.t) if homes else asked.district or asked.city
    return page.sight.within([home.id for home in homes]), name


@router.get("/alarms/{alarm}")
def show_alarm(alarm: Number, page: AnyPage, notice: str = "") -> HTMLResponse:
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
        may_acknowledge=page.may_at_node(Right.ACKNOWLEDGE, record.node),
    )


@router.post("/alarms/{alarm}/acknowledge")
def acknowledge(
    alarm: Number,
    here: Here,
    act: Acknowledging,
    reason: Annotated[str, Form(max_length=60)] = "",
    note: Annotated[str, Form(max_length=300)] = "",
) -> Response:
    """Record who has seen it, then show the alarm."""
    why = REASON_MARK.join(filter(None, (reason, note.strip())))
    answer = acknowledged(here, act, alarm, why)
    return RedirectResponse(f"/alarms/{alarm}?notice={NOTICES[answer]}", status_code=303)


@router.get("/inbox")
def show_inbox(page: AnyPage) -> HTMLResponse:
    """What was told to the inbox, newest first."""
    messages = journal.messages(page.sight, LETTERS_SHOWN, inbox=page.locale)
    return page.render("inbox.html", "inbox", letters=[_letter(message) for message in messages])


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
        over_since_ms=sent.ended_at_ms,
    )
