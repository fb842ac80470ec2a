"""The page of keys for machines."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from edge_agent.wire.durations import DAY_MS
from ingest_service.api.access import Act
from ingest_service.api.context import Context, Here
from ingest_service.api.errors import InvalidRequest, NotFound
from ingest_service.api.page.people import Managing, check_grantable, choices
from ingest_service.api.page.places import way_to
from ingest_service.api.page.rendering import OpenPage, Page
from ingest_service.people.decision import covers
from ingest_service.people.roles import KeyUse, Right
from ingest_service.store.keys import KeyRow, KeyShown

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
MOST_DAYS = 3_650


class ShownKey(msgspec.Struct, frozen=True):
    """One key; its secret is known to nobody."""

    prefix: str
    name: str
    where: str
    uses: tuple[KeyUse, ...]
    created_by: str
    created_ms: int
    until_ms: int | None
    used_ms: int | None
    is_open: bool


@router.get("/keys")
def show_keys(here: Here, page: OpenPage, act: Managing) -> HTMLResponse:
    """The keys at the reader's nodes."""
    return keys_page(here, page, act)


@router.post("/keys/add")
def add_key(
    here: Here,
    page: OpenPage,
    act: Managing,
    name: Annotated[str, Form(min_length=1, max_length=60, pattern=r"\S")],
    node: Annotated[str, Form(max_length=200)],
    use: Annotated[list[KeyUse], Form()],
    days: Annotated[int, Form(ge=1, le=MOST_DAYS)] = 365,
) -> Response:
    """A new key, shown once."""
    act.at_node(node)
    check_grantable(act, node)
    if not use:
        raise InvalidRequest("a key needs a use")
    doing = act.doing()
    wanted = KeyShown(name.strip(), node, tuple(dict.fromkeys(use)), doing.at_ms + days * DAY_MS)
    made = here.people.keys.add(wanted, doing)
    return keys_page(here, page, act, made.text)


@router.post("/keys/{prefix}/revoke")
def revoke_key(prefix: str, here: Here, act: Managing) -> Response:
    """Let a key open nothing any more."""
    if all(key.prefix != prefix for key in managed_keys(here, act)) or not here.people.keys.revoke(prefix, act.doing()):
        raise NotFound(f"no key {prefix!r}")
    here.people.directory.forget()
    return RedirectResponse("/keys", status_code=303)


def keys_page(here: Context, page: Page, act: Act, new_key: str = "") -> HTMLResponse:
    """The page, with a new key where one was made."""
    here.people.directory.forget()
    keys = [
        ShownKey(
            prefix=key.prefix,
            name=key.name,
            where=way_to(act.tree, key.node_id, page.t),
            uses=key.uses,
            created_by=key.created_by,
            created_ms=key.created_ms,
            until_ms=key.until_ms,
            used_ms=key.used_ms,
            is_open=key.is_open(page.now_ms),
        )
        for key in managed_keys(here, act)
    ]
    return page.render("keys.html", "people", keys=keys, uses=list(KeyUse), nodes=choices(act, page.t), new_key=new_key)


def managed_keys(here: Context, act: Act) -> list[KeyRow]:
    """The keys at nodes that the reader manages."""
    return [key for key in here.people.keys.listed() if covers(act.caller, Right.PEOPLE, (key.node_id,), act.tree)]
