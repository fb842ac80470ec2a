"""The page on which one chooses one's password: the only one that is there for whom someone else set theirs."""

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from ingest_service.api.access import ARRIVING, Arriving
from ingest_service.api.context import Context, Here
from ingest_service.api.errors import InvalidRequest
from ingest_service.api.failures import PASSWORD_PATH
from ingest_service.api.origin import Origin
from ingest_service.api.page.rendering import OpenPage, Page
from ingest_service.api.signing_in import is_password_of
from ingest_service.people.decision import Caller, CallerKind
from ingest_service.people.hashing import hash_password
from ingest_service.people.passwords import LEAST_LENGTH, weakness
from ingest_service.store.doing import Doing
from ingest_service.store.people import PersonRow

SITE = "Clearstack"
WRONG_OLD, WRONG_SAME = "old", "same"

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, dependencies=[ARRIVING])
Typed = Annotated[str, Form(max_length=128)]


@router.get(PASSWORD_PATH)
def show_password(here: Here, page: OpenPage, caller: Arriving) -> HTMLResponse:
    """The form."""
    return password_page(page, changing(here, caller))


@router.post(PASSWORD_PATH)
def change_password(here: Here, page: OpenPage, caller: Arriving, origin: Origin, old: Typed, new: Typed) -> Response:
    """A new password; every session of the person ends, this one too."""
    person = changing(here, caller)
    wrong = WRONG_OLD if not is_password_of(person, old) else refusal_of(person, old, new)
    if wrong:
        return password_page(page, person, wrong)
    here.people.people.set_password(person.id, hash_password(new), None, Doing(caller.name, origin, here.clock()))
    here.people.directory.forget()
    after = "/sign-in" if caller.kind is CallerKind.NEWCOMER else "/sign-in?next=/account"
    return RedirectResponse(after, status_code=303)


def refusal_of(person: PersonRow, old: str, new: str) -> str:
    """Why a new password is refused, "" where it is taken. One that someone else knows is no new one."""
    return WRONG_SAME if new == old else weakness(new, person.account, person.name, SITE) or ""


def changing(here: Context, caller: Caller) -> PersonRow:
    """The person who asks. Raises InvalidRequest for a key, and where nobody signed in or nobody has a password."""
    known = caller.kind in (CallerKind.PERSON, CallerKind.NEWCOMER)
    person = here.people.people.person_of(caller.id) if known else None
    if person is None or not person.password_hash:
        raise InvalidRequest("only someone who signed in with a password can change it")
    return person


def password_page(page: Page, person: PersonRow, wrong: str = "") -> HTMLResponse:
    """The page, with what was wrong with the last attempt."""
    return page.render(
        "password.html",
        "password",
        status=422 if wrong else 200,
        wrong=wrong,
        account=person.account,
        until_ms=person.password_until_ms,
        least_length=LEAST_LENGTH,
    )
