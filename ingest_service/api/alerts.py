"""The contact point of Grafana: what its rules say of the service itself becomes alarms here."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, Field

from ingest_service.alarms.facts import Name
from ingest_service.alarms.lifecycle import Place
from ingest_service.alarms.plumbing import Told, observation
from ingest_service.api.access import Act, needs
from ingest_service.api.context import EVERYTHING, Context, Here
from ingest_service.api.schemas import ErrorOut, Out
from ingest_service.people.nodes import ROOT_ID, NodeKind
from ingest_service.people.roles import Right
from ingest_service.store import overview

MOST_ALERTS = 500
CENTRE = Name("监测中心", "Monitoring centre")

router = APIRouter(tags=["alarms"], responses={422: {"model": ErrorOut}})
Reporting = Annotated[Act, needs(Right.REPORT)]
Word = Annotated[str, Field(max_length=200)]


class Status(StrEnum):
    """Where an alert of Grafana stands."""

    FIRING = "firing"
    RESOLVED = "resolved"


class LabelsIn(BaseModel):
    """Of an alert's labels those that name it; without data Grafana renames an alert, and has its rule beside it."""

    alertname: Annotated[str, Field(min_length=1, max_length=200)]
    rulename: Word = ""


class AnnotationsIn(BaseModel):
    """Of what a rule says the summary."""

    summary: str = ""


class AlertIn(BaseModel):
    """One alert; fields as Grafana's webhook has them, others are not looked at. `endsAt` counts once it resolved."""

    status: Status
    labels: LabelsIn
    annotations: AnnotationsIn = AnnotationsIn()
    startsAt: AwareDatetime
    endsAt: AwareDatetime | None = None
    fingerprint: Annotated[str, Field(min_length=1, max_length=200)]


class AlertsIn(BaseModel):
    """One call of Grafana's webhook."""

    alerts: Annotated[list[AlertIn], Field(max_length=MOST_ALERTS)]


class AlertsOut(Out):
    """How many alerts were told, and how many alarms changed by that."""

    alerts: int
    changed: int


@router.post("/alerts/grafana", summary="Take the alerts of Grafana's webhook contact point")
def take_alerts(body: AlertsIn, here: Here, act: Reporting) -> AlertsOut:
    """Each new one raises an alarm at the node of the key, which clears when it resolved; a repeat does nothing."""
    place, node = place_of(here, act.node_id)
    now_ms = here.clock()
    seen = [observation(told(alert, now_ms), place, node, now_ms) for alert in body.alerts]
    return AlertsOut(alerts=len(seen), changed=len(here.alarms.settle(seen, now_ms)))


def place_of(here: Context, node_id: str) -> tuple[Place, Name]:
    """Where an alarm at that node stands, and what the place is called: a home that announced itself, or the node."""
    if node_id == ROOT_ID:
        return Place("", node_id=node_id), CENTRE
    kind, _, name = node_id.partition(":")
    known = overview.homes(here.reader(EVERYTHING), name) if kind == NodeKind.HOME else []
    if known:
        return Place(name), Name(known[0].name_zh or name, known[0].name_en or name)
    node = here.people.directory.tree().get(node_id)
    names = (node.name_zh, node.name_en) if node else ("", "")
    return Place("", node_id=node_id), Name(*(one or name for one in names))


def told(alert: AlertIn, now_ms: int) -> Told:
    """The alert in our words. One that resolved without a time for it ended now."""
    ended_ms = _ms(alert.endsAt) if alert.endsAt else 0
    return Told(
        fingerprint=alert.fingerprint,
        rule=alert.labels.rulename or alert.labels.alertname,
        summary=alert.annotations.summary,
        begins_ms=_ms(alert.startsAt),
        ends_ms=None if alert.status is Status.FIRING else ended_ms if ended_ms > 0 else now_ms,
    )


def _ms(at: AwareDatetime) -> int:
    return int(at.timestamp() * 1000)
