"""JSON: alarms, their life, who was told, and the acknowledgement."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from ingest_service.alarms.texts import describe
from ingest_service.alarms.vocabulary import Kind, Locale, Severity, State
from ingest_service.api.access import Act, Sight, needs
from ingest_service.api.context import Context, Here
from ingest_service.api.errors import NotFound
from ingest_service.api.listing import Offset, tell_total
from ingest_service.api.numbers import Number
from ingest_service.api.page.formats import zone_of
from ingest_service.api.schemas import DeliveryOut, ErrorOut, Out
from ingest_service.people.roles import Right
from ingest_service.store import journal
from ingest_service.store.alarms import Answer
from ingest_service.store.journal import AlarmRecord, Message
from ingest_service.store.overview import Part, Reader

router = APIRouter(tags=["alarms"], responses={404: {"model": ErrorOut}})
Acknowledging = Annotated[Act, needs(Right.ACKNOWLEDGE)]
Limit = Annotated[int, Query(ge=1, le=1000)]


class AlarmOut(Out):
    """An alarm; `what` in both languages says what is wrong. `raised_at_ms` is event time."""

    id: int
    kind: Kind
    severity: Severity
    state: State
    home_id: str
    furnace: str
    series_id: int | None
    what_zh: str
    what_en: str
    raised_at_ms: int
    noticed_at_ms: int
    acknowledged_at_ms: int | None
    acknowledged_by: str
    cleared_at_ms: int | None


class StepOut(Out):
    """One step in an alarm's life."""

    step: str
    at_ms: int
    recorded_at_ms: int
    who: str
    note: str


class AlarmDetailOut(AlarmOut):
    """An alarm with its life and who was told."""

    steps: list[StepOut]
    deliveries: list[DeliveryOut]


class AcknowledgeIn(BaseModel):
    """What whoever signed in says of the alarm."""

    model_config = ConfigDict(extra="forbid")
    note: Annotated[str, Field(max_length=400)] = ""


class AcknowledgedOut(Out):
    """What became of it: acknowledged, or already_acknowledged."""

    answer: str
    alarm: AlarmOut


class Wanted(StrEnum):
    """Which alarms: those that still need someone, or the finished ones too."""

    OPEN = "open"
    ALL = "all"


@router.get("/alarms", summary="Alarms, open ones first")
def list_alarms(
    response: Response,
    here: Here,
    sight: Sight,
    state: Wanted = Wanted.OPEN,
    home: str | None = None,
    furnace: Number | None = None,
    limit: Limit = 200,
    offset: Offset = 0,
) -> list[AlarmOut]:
    """Open alarms, and with state=all the finished ones after them, the newest first; `furnace` is a furnace's id."""
    opened = journal.open_alarms(sight, home, furnace)
    found, total = opened[offset : offset + limit], len(opened)
    if state is Wanted.ALL:
        total += journal.count_finished(sight, home, furnace)
        rest = Part(limit - len(found), max(0, offset - len(opened)))
        found += journal.finished_alarms(sight, rest, home, furnace)
    tell_total(response, total)
    return [alarm_out(here, alarm) for alarm in found]


@router.get("/alarms/{alarm}", summary="One alarm with its life and who was told")
def show_alarm(alarm: Number, here: Here, sight: Sight) -> AlarmDetailOut:
    """That alarm; 404 where there is none."""
    record = found_alarm(sight, alarm)
    return AlarmDetailOut(
        **alarm_out(here, record).model_dump(),
        steps=[StepOut.model_validate(step) for step in journal.steps(sight, alarm)],
        deliveries=[delivery_out(message) for message in journal.messages(sight, 200, alarm)],
    )


@router.post("/alarms/{alarm}/acknowledge", summary="Say who has seen an alarm")
def acknowledge(alarm: Number, body: AcknowledgeIn, here: Here, act: Acknowledging) -> AcknowledgedOut:
    """Stops the calling, not the alarm. A second acknowledgement changes nothing and says so."""
    answer = acknowledged(here, act, alarm, body.note)
    return AcknowledgedOut(answer=answer, alarm=alarm_out(here, found_alarm(act.sight, alarm)))


def acknowledged(here: Context, act: Act, alarm: int, note: str) -> Answer:
    """Acknowledge an alarm in sight under the caller's name, at the centre's time. Raises NotFound or Forbidden."""
    act.at_place(found_alarm(act.sight, alarm).node)
    doing = act.doing(note.strip())
    return here.alarms.acknowledge(alarm, doing.who, doing.why, doing.at_ms, doing.address).answer


def found_alarm(sight: Reader, alarm: int) -> AlarmRecord:
    """That alarm. Raises NotFound."""
    record = journal.alarm(sight, alarm)
    if record is None:
        raise NotFound(f"no alarm {alarm}")
    return record


def alarm_out(here: Context, record: AlarmRecord) -> AlarmOut:
    """An alarm with its sentence in both languages."""
    zone = zone_of(here.config)
    fields = {field: getattr(record, field) for field in AlarmOut.model_fields if not field.startswith("what_")}
    return AlarmOut(
        **fields,
        what_zh=describe(record.facts, Locale.ZH, zone).what,
        what_en=describe(record.facts, Locale.EN, zone).what,
    )


def delivery_out(message: Message) -> DeliveryOut:
    """A notification with the sentence that it carried."""
    fields = {field: getattr(message, field) for field in DeliveryOut.model_fields if field != "what"}
    return DeliveryOut(**fields, what=message.message.text.what)
