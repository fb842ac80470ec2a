"""JSON: who asks, and what they may."""

from fastapi import APIRouter

from ingest_service.api.access import SIGNED_IN, Asking
from ingest_service.api.schemas import ErrorOut, Out
from ingest_service.people.decision import CallerKind
from ingest_service.people.roles import Right

router = APIRouter(tags=["people"], responses={401: {"model": ErrorOut}})


class GrantOut(Out):
    """Rights at a node of the tree and at everything below it."""

    node: str
    rights: list[Right]


class SessionOut(Out):
    """Who asks: a person, a key, or whoever sits at this machine while nobody needs to sign in."""

    kind: CallerKind
    name: str
    grants: list[GrantOut]


@router.get("/session", summary="Who asks, and what they may", dependencies=[SIGNED_IN])
def show_session(caller: Asking) -> SessionOut:
    """401 where nobody is signed in."""
    grants = [GrantOut(node=grant.node_id, rights=sorted(grant.rights)) for grant in caller.grants]
    return SessionOut(kind=caller.kind, name=caller.name, grants=grants)
