"""The pages for signing in and out."""

import re
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from ingest_service.api.access import COOKIE, PUBLIC, SECURE_COOKIE, session_token
from ingest_service.api.context import Context, Here
from ingest_service.api.errors import CodesUnreadable, SignInRefused, TooManyAttempts
from ingest_service.api.origin import Origin
from ingest_service.api.page.rendering import OpenPage, Page
from ingest_service.api.signing_in import Proof, sign_in
from ingest_service.people.hashing import hash_token
from ingest_service.store.doing import Doing

_LOCAL_PATH = re.compile(r"/(?![/\\])[^\x00-\x1f\\]*")

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, dependencies=[PUBLIC])
Next = Annotated[str, Query(alias="next", max_length=2_000)]


@router.get("/sign-in")
def show_sign_in(page: OpenPage, next_path: Next = "/", wrong: str = "") -> Response:
    """The form; who is signed in already goes on to what they wanted."""
    if page.reader is not None:
        return RedirectResponse(local_path(next_path), status_code=303)
    return sign_in_form(page, next_path, "provider" if wrong == "provider" else "")


@router.post("/sign-in")
def enter(
    request: Request,
    here: Here,
    page: OpenPage,
    origin: Origin,
    account: Annotated[str, Form(max_length=60)],
    password: Annotated[str, Form(max_length=128)],
    code: Annotated[str, Form(max_length=10)] = "",
    next_path: Annotated[str, Form(alias="next", max_length=2_000)] = "/",
) -> Response:
    """Sign in and go on to what was wanted."""
    proof = Proof(account, password, code, origin, request.headers.get("user-agent", ""))
    try:
        token = sign_in(here, proof)
    except SignInRefused:
        return sign_in_form(page, next_path, "refused", account, status=401)
    except TooManyAttempts as error:
        return sign_in_form(page, next_path, "wait", account, error.wait_s, 429)
    except CodesUnreadable:
        return sign_in_form(page, next_path, "codes", account, status=503)
    return let_in(request, here, token, next_path)


@router.post("/sign-out")
def leave(request: Request, here: Here, page: OpenPage, origin: Origin) -> Response:
    """End this session."""
    token = session_token(request)
    if token and page.reader is not None:
        here.people.sessions.end(hash_token(token), Doing(page.reader.name, origin, here.clock()))
        here.people.directory.forget()
    response = RedirectResponse("/sign-in", status_code=303)
    for name in (COOKIE, SECURE_COOKIE):
        response.delete_cookie(name, path="/", secure=name == SECURE_COOKIE, httponly=True, samesite="lax")
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def sign_in_form(
    page: Page, next_path: str, wrong: str = "", account: str = "", wait_s: int = 0, status: int = 200
) -> HTMLResponse:
    """The form, with what was wrong with the last attempt."""
    provider = page.here.config.people.provider
    return page.render(
        "sign_in.html",
        "sign_in",
        status=status,
        next=local_path(next_path),
        wrong=wrong,
        wait_s=wait_s,
        account=account,
        provider=provider.name if provider else "",
    )


def let_in(request: Request, here: Context, token: str, next_path: str) -> Response:
    """Give the browser its session, and go on."""
    response = RedirectResponse(local_path(next_path), status_code=303)
    secure = request.url.scheme == "https"
    response.set_cookie(
        SECURE_COOKIE if secure else COOKIE,
        token,
        max_age=here.config.people.longest_ms // 1000,
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )
    return response


def local_path(wanted: str) -> str:
    """A path of this service; anything that leads elsewhere becomes the overview."""
    return wanted if _LOCAL_PATH.fullmatch(wanted) else "/"
