"""The way through an identity provider and back."""

import hmac
from typing import Annotated

import structlog
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from ingest_service.api.access import PUBLIC
from ingest_service.api.context import Context, Here
from ingest_service.api.errors import NotFound, ProviderRefused
from ingest_service.api.origin import Origin
from ingest_service.api.page.sign_in import Next, let_in, local_path
from ingest_service.api.provider import FLOW_MS, Known, come_back, go_to
from ingest_service.api.signing_in import begin_session
from ingest_service.people.settings import Provider
from ingest_service.store.doing import Doing
from ingest_service.store.people import PersonRow, Placed
from ingest_service.store.sessions import How

STATE_COOKIE = "sign_in_state"
BACK_PATH = "/sign-in/provider/back"
REFUSED = "/sign-in?wrong=provider"

_log = structlog.get_logger(__name__)
router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, dependencies=[PUBLIC])
Word = Annotated[str, Query(max_length=4_000)]


@router.get("/sign-in/provider")
def leave_for_provider(request: Request, here: Here, next_path: Next = "/") -> Response:
    """Send the browser to the provider; what it holds meanwhile proves that it began here."""
    try:
        going = go_to(here, configured(here), local_path(next_path))
    except ProviderRefused as error:
        return refused(error)
    response = RedirectResponse(going.url, status_code=303)
    secure = request.url.scheme == "https"
    response.set_cookie(
        STATE_COOKIE, going.state, max_age=FLOW_MS // 1000, path=BACK_PATH, secure=secure, httponly=True, samesite="lax"
    )
    return response


@router.get(BACK_PATH)
def return_from_provider(
    request: Request, here: Here, origin: Origin, code: Word = "", state: Word = "", error: Word = ""
) -> Response:
    """Let in whoever the provider says they are."""
    provider = configured(here)
    held = request.cookies.get(STATE_COOKIE, "")
    try:
        if error or not held or not hmac.compare_digest(held.encode(), state.encode()):
            raise ProviderRefused(error or "this browser did not begin the sign-in")
        known, next_path = come_back(here, provider, code, state)
        person = person_of(here, provider, known, origin)
    except ProviderRefused as problem:
        return refused(problem)
    agent = request.headers.get("user-agent", "")
    response = let_in(request, here, begin_session(here, person, How.PROVIDER, origin, agent), next_path)
    response.delete_cookie(STATE_COOKIE, path=BACK_PATH)
    return response


def configured(here: Context) -> Provider:
    """The provider. Raises NotFound where there is none."""
    if here.config.people.provider is None:
        raise NotFound("no identity provider is configured")
    return here.config.people.provider


def person_of(here: Context, provider: Provider, known: Known, origin: str) -> PersonRow:
    """The person of that subject, made at their first visit; their groups say what they may. Raises ProviderRefused."""
    people, doing = here.people.people, Doing(known.name, origin, here.clock())
    person = people.person_at(known.issuer, known.subject)
    if person is None:
        account = known.account if people.person(known.account) is None else f"{known.subject} {known.issuer}"[:200]
        person = people.add(account, known.name, doing, known.issuer, known.subject)
    if person.disabled_ms is not None:
        raise ProviderRefused(f"the account {person.account} is disabled")
    wanted = [Placed(grant.role, grant.node) for grant in provider.grant if grant.group in known.groups]
    people.follow_groups(person.id, wanted, doing)
    return person


def refused(problem: ProviderRefused) -> Response:
    """Back to the form; what went wrong is for those who run the service."""
    _log.warning("provider_sign_in_refused", problem=str(problem))
    return RedirectResponse(REFUSED, status_code=303)
