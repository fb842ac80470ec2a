"""JSON: how the data come in: edges, what was refused, what was told to whom."""

from typing import Annotated

from fastapi import APIRouter, Query

from ingest_service.alarms.vocabulary import Locale
from ingest_service.api.access import Sight
from ingest_service.api.alarms import delivery_out
from ingest_service.api.context import Here
from ingest_service.api.schemas import DeliveryOut, EdgeOut, Out
from ingest_service.api.snapshot import edge_states
from ingest_service.store import journal

router = APIRouter(tags=["operations"])


class RejectionOut(Out):
    """What was not admitted from one origin for one reason."""

    reason: str
    home: str
    edge: str
    device: str
    count: int
    first_at_ms: int
    last_at_ms: int
    example: str


@router.get("/edges", summary="Edges: online or silent, clock offset, losses")
def list_edges(here: Here, sight: Sight, home: str | None = None) -> list[EdgeOut]:
    """The edges in sight."""
    return [EdgeOut.model_validate(edge) for edge in edge_states(here, sight, home)]


@router.get("/rejections", summary="What was not admitted, and why")
def list_rejections(sight: Sight) -> list[RejectionOut]:
    """Counted by reason and origin, newest first."""
    return [RejectionOut.model_validate(refused) for refused in journal.rejections(sight)]


@router.get("/inbox", summary="Notifications of the inbox, newest first")
def list_inbox(
    sight: Sight, lang: Locale = Locale.ZH, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> list[DeliveryOut]:
    """What was told to the inbox in that language."""
    return [delivery_out(message) for message in journal.messages(sight, limit, inbox=lang)]
