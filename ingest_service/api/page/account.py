"""The page of one's own account: roles, one-time codes, sessions; the password has a page of its own."""

import secrets
from collections.abc import Sequence
from typing import Annotated

import msgspec
from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from ingest_service.api.access import SIGNED_IN, Asking
from ingest_service.api.context import Context, Here
from ingest_service.api.errors import InvalidRequest
from ingest_service.api.origin import Origin
from ingest_service.api.page.password import SITE, WRONG_OLD
from ingest_service.api.page.places import way_to
from ingest_service.api.page.rendering import OpenPage, Page
from ingest_service.api.page.texts import Texts
from ingest_service.api.signing_in import is_password_of
from ingest_service.audit.entry import Action
from ingest_service.people import totp
from ingest_service.people.decision import Caller, CallerKind
from ingest_service.people.passwords import LEAST_LENGTH
from ingest_service.people.roles import Role
from ingest_service.people.tree import Tree
from ingest_service.store.doing import Doing
from ingest_service.store.people import GrantRow, PersonRow

NOTICES = ("code_on", "code_off", "ended")
WRONG_CODE = "code"

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, dependencies=[SIGNED_IN])
Old = Annotated[str, Form(max_length=128)]


class ShownGrant(msgspec.Struct, frozen=True):
    """A role and the node where it holds, by name."""

    id: int
    role: Role
    where: str


class ShownSession(msgspec.Struct, frozen=True):
    """One session; `handle` names it in the form that ends it."""

    handle: str
    created_ms: int
    address: str
    how: str
    agent: str
    is_mine: bool


@router.get("/account")
def show_account(here: Here, page: OpenPage, caller: Asking, notice: str = "") -> HTMLResponse:
    """What the reader is and may change about it."""
    return account_page(here, page, caller, notice=notice if notice in NOTICES else "")


@router.post("/account/code")
def start_codes(
    here: Here,
    page: OpenPage,
    caller: Asking,
    origin: Origin,
    old: Old,
    secret: Annotated[str, Form(pattern="^[A-Z2-7]{32}$")],
    code: Annotated[str, Form(max_length=10)],
) -> Response:
    """Ask for one-time codes from now on, once the app shows the right one."""
    person, now_ms = person_of(here, caller), here.clock()
    if not is_password_of(person, old):
        return account_page(here, page, caller, WRONG_OLD)
    raw = totp.secret_of(secret)
    step = totp.matching_step(raw, code.strip(), now_ms, 0)
    if step is None:
        return account_page(here, page, caller, WRONG_CODE)
    here.people.people.ask_codes(person.id, raw, step, Doing(caller.name, origin, now_ms))
    return RedirectResponse("/account?notice=code_on", status_code=303)


@router.post("/account/code/off")
def stop_codes(here: Here, page: OpenPage, caller: Asking, origin: Origin, old: Old) -> Response:
    """Ask for one-time codes no more."""
    person = person_of(here, caller)
    if not is_password_of(person, old):
        return account_page(here, page, caller, WRONG_OLD)
    here.people.people.ask_no_codes(person.id, Doing(caller.name, origin, here.clock()))
    return RedirectResponse("/account?notice=code_off", status_code=303)


@router.post("/account/sessions/end")
def end_session(
    here: Here, caller: Asking, origin: Origin, session: Annotated[str, Form(pattern="^[0-9a-f]{64}$")]
) -> Response:
    """End one of one's own sessions, as that of a phone that was lost."""
    person = person_of(here, caller)
    if any(row.id == session for row in here.people.sessions.of(person.id)):
        doing = Doing(caller.name, origin, here.clock())
        here.people.sessions.end(session, doing, Action.SESSION_REVOKED)
        here.people.directory.forget()
    return RedirectResponse("/account?notice=ended", status_code=303)


def account_page(here: Context, page: Page, caller: Caller, wrong: str = "", notice: str = "") -> HTMLResponse:
    """The page, with what was wrong with the last attempt."""
    person = here.people.people.person_of(caller.id) if caller.kind is CallerKind.PERSON else None
    secret = secrets.token_bytes(totp.SECRET_BYTES)
    return page.render(
        "account.html",
        "account",
        status=422 if wrong else 200,
        wrong=wrong,
        notice=notice,
        account=person.account if person else "",
        has_password=person is not None and bool(person.password_hash),
        has_code=person is not None and bool(person.totp_secret),
        least_length=LEAST_LENGTH,
        new_secret=totp.text(secret),
        new_address=totp.address(secret, person.account, SITE) if person else "",
        grants=shown_grants(here.people.directory.tree(), here.people.people.grants(caller.id), page.t)
        if person
        else [],
        sessions=shown_sessions(here, person, caller) if person else [],
    )


def person_of(here: Context, caller: Caller) -> PersonRow:
    """The person who asks. Raises InvalidRequest for a key, and where nobody signed in."""
    person = here.people.people.person_of(caller.id) if caller.kind is CallerKind.PERSON else None
    if person is None:
        raise InvalidRequest("only someone who signed in has an account")
    return person


def shown_grants(tree: Tree, grants: Sequence[GrantRow], t: Texts) -> list[ShownGrant]:
    """The roles of a person, with the names of their nodes."""
    return [ShownGrant(grant.id, grant.role, way_to(tree, grant.node_id, t)) for grant in grants]


def shown_sessions(here: Context, person: PersonRow, caller: Caller) -> Sequence[ShownSession]:
    """The sessions of a person that are open."""
    now_ms, idle_ms = here.clock(), here.config.people.idle_ms
    return [
        ShownSession(row.id, row.created_ms, row.address, row.how, row.agent, row.id == caller.session_id)
        for row in here.people.sessions.of(person.id)
        if row.is_open(now_ms, idle_ms)
    ]
