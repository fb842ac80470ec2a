"""The page of people: who may sign in, and what they were granted, as far as the reader may manage it."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from ingest_service.api.access import Act, needs
from ingest_service.api.context import Context, Here
from ingest_service.api.errors import InvalidRequest, NotFound
from ingest_service.api.numbers import Number
from ingest_service.api.page.account import ShownGrant, shown_grants
from ingest_service.api.page.places import NodeChoice, grantable
from ingest_service.api.page.rendering import OpenPage, Page
from ingest_service.api.page.texts import Texts
from ingest_service.api.signing_in import TEMPORARY_MS
from ingest_service.people.decision import CallerKind, covers
from ingest_service.people.hashing import hash_password, new_password
from ingest_service.people.nodes import GRANTABLE, ROOT_ID
from ingest_service.people.roles import Right, Role
from ingest_service.store.people import AccountTaken, GrantRow, PersonRow

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
Managing = Annotated[Act, needs(Right.PEOPLE)]
NodeField = Annotated[str, Form(max_length=200)]


class ShownPerson(msgspec.Struct, frozen=True):
    """One person and what they were granted."""

    id: int
    account: str
    name: str
    grants: list[ShownGrant]
    disabled_ms: int | None
    until_ms: int | None
    has_password: bool
    has_code: bool
    is_reader: bool


class Told(msgspec.Struct, frozen=True):
    """A new password, shown once."""

    account: str
    password: str


@router.get("/people")
def show_people(here: Here, page: OpenPage, act: Managing) -> HTMLResponse:
    """Everyone whom the reader may manage."""
    return people_page(here, page, act)


@router.post("/people/add")
def add_person(
    here: Here,
    page: OpenPage,
    act: Managing,
    account: Annotated[str, Form(min_length=1, max_length=60, pattern=r"\S")],
    name: Annotated[str, Form(min_length=1, max_length=60, pattern=r"\S")],
    role: Annotated[Role, Form()],
    node: NodeField,
) -> Response:
    """A new person with a role, and a password that is shown once."""
    act.at_node(node)
    check_grantable(act, node)
    try:
        person = here.people.people.add(account, name.strip(), act.doing())
    except AccountTaken as error:
        raise InvalidRequest(str(error)) from error
    here.people.people.grant(person.id, role, node, act.doing())
    return people_page(here, page, act, new_password_of(here, act, person))


@router.post("/people/{person}/grant")
def grant_role(person: Number, here: Here, act: Managing, role: Annotated[Role, Form()], node: NodeField) -> Response:
    """Grant a role at a node."""
    act.at_node(node)
    check_grantable(act, node)
    here.people.people.grant(managed(here, act, person).id, role, node, act.doing())
    return changed(here)


@router.post("/people/{person}/revoke")
def revoke_role(person: Number, here: Here, act: Managing, grant: Annotated[Number, Form()]) -> Response:
    """Take a grant back."""
    row = not_oneself(act, managed(here, act, person))
    if all(one.id != grant for one in here.people.people.grants(row.id)):
        raise NotFound(f"no grant {grant}")
    here.people.people.revoke(grant, act.doing())
    return changed(here)


@router.post("/people/{person}/reset")
def reset_password(person: Number, here: Here, page: OpenPage, act: Managing) -> Response:
    """A new password that is shown once; every session of the person ends, and no code is asked for any more."""
    row = managed(here, act, person)
    if row.issuer:
        raise InvalidRequest("whoever signs in through an identity provider has no password here")
    if row.totp_secret:
        here.people.people.ask_no_codes(row.id, act.doing())
    return people_page(here, page, act, new_password_of(here, act, row))


@router.post("/people/{person}/disable")
def disable_person(person: Number, here: Here, act: Managing) -> Response:
    """Let someone in no more."""
    here.people.people.disable(not_oneself(act, managed(here, act, person)).id, act.doing())
    return changed(here)


@router.post("/people/{person}/enable")
def enable_person(person: Number, here: Here, act: Managing) -> Response:
    """Let someone in again."""
    here.people.people.enable(managed(here, act, person).id, act.doing())
    return changed(here)


def people_page(here: Context, page: Page, act: Act, told: Told | None = None) -> HTMLResponse:
    """The page, with a new password where one was made."""
    here.people.directory.forget()
    granted = grants_by_person(here)
    people = [
        shown(act, person, granted.get(person.id, []), page.t)
        for person in here.people.people.people()
        if may_manage(act, granted.get(person.id, []))
    ]
    return page.render("people.html", "people", people=people, roles=list(Role), nodes=choices(act, page.t), told=told)


def choices(act: Act, t: Texts) -> list[NodeChoice]:
    """The nodes at which the reader may grant."""
    return grantable(act.tree, t, lambda node_id: covers(act.caller, Right.PEOPLE, (node_id,), act.tree))


def check_grantable(act: Act, node_id: str) -> None:
    """Raises InvalidRequest for a furnace: whoever sees a home sees all of it."""
    node = act.tree.get(node_id)
    if node is None or node.kind not in GRANTABLE:
        raise InvalidRequest("a role is granted at a home, a district, a city or at everything")


def grants_by_person(here: Context) -> dict[int, list[GrantRow]]:
    """Every grant that holds."""
    found: dict[int, list[GrantRow]] = {}
    for grant in here.people.people.grants():
        found.setdefault(grant.person_id, []).append(grant)
    return found


def may_manage(act: Act, grants: Sequence[GrantRow]) -> bool:
    """Whoever was granted something beyond the reader's own nodes, or nothing, is managed by those above."""
    nodes = tuple(grant.node_id for grant in grants) or (ROOT_ID,)
    return covers(act.caller, Right.PEOPLE, nodes, act.tree)


def managed(here: Context, act: Act, person_id: int) -> PersonRow:
    """That person. Raises NotFound where the reader may not manage them."""
    person = here.people.people.person_of(person_id)
    if person is None or not may_manage(act, here.people.people.grants(person.id)):
        raise NotFound(f"no person {person_id}")
    return person


def not_oneself(act: Act, person: PersonRow) -> PersonRow:
    """Raises InvalidRequest where the reader would shut themselves out."""
    if act.caller.kind is CallerKind.PERSON and act.caller.id == person.id:
        raise InvalidRequest("someone else must take your own rights away")
    return person


def new_password_of(here: Context, act: Act, person: PersonRow) -> Told:
    """A new password for someone, which they must change within some days."""
    password, doing = new_password(), act.doing()
    here.people.people.set_password(person.id, hash_password(password), doing.at_ms + TEMPORARY_MS, doing)
    return Told(person.account, password)


def shown(act: Act, person: PersonRow, grants: Sequence[GrantRow], t: Texts) -> ShownPerson:
    """A person for the page."""
    return ShownPerson(
        id=person.id,
        account=person.account,
        name=person.name,
        grants=shown_grants(act.tree, grants, t),
        disabled_ms=person.disabled_ms,
        until_ms=person.password_until_ms,
        has_password=bool(person.password_hash),
        has_code=bool(person.totp_secret),
        is_reader=act.caller.kind is CallerKind.PERSON and act.caller.id == person.id,
    )


def changed(here: Context) -> Response:
    """Back to the page; what was changed holds at once."""
    here.people.directory.forget()
    return RedirectResponse("/people", status_code=303)
