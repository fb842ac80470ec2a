"""What HTTP makes of errors: one JSON shape for programs, one page for people. The only place that knows both."""

from http import HTTPStatus
from urllib.parse import quote

import msgspec
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from ingest_service.api.access import NOTHING, known_caller
from ingest_service.api.context import context_of
from ingest_service.api.errors import (
    CrossSiteForm,
    Forbidden,
    InvalidRequest,
    NotFound,
    NotSignedIn,
    PasswordDue,
    TooManyAttempts,
    TooManyStreams,
)
from ingest_service.api.origin import origin_of
from ingest_service.api.page.rendering import Page
from ingest_service.errors import StoreError

PASSWORD_PATH = "/account/password"  # where a newcomer chooses their own

_log = structlog.get_logger(__name__)
PROGRAM_PATHS = ("/api/", "/healthz", "/readyz", "/metrics", "/static/", "/query", "/ping", "/health")


class Failure(msgspec.Struct, frozen=True):
    """The status, and the code that programs see."""

    status: int
    error: str


FAILURES: dict[type[Exception], Failure] = {
    NotFound: Failure(404, "not_found"),
    InvalidRequest: Failure(422, "invalid"),
    CrossSiteForm: Failure(403, "cross_site"),
    Forbidden: Failure(403, "forbidden"),
    PasswordDue: Failure(403, "password_due"),
    NotSignedIn: Failure(401, "not_signed_in"),
    TooManyStreams: Failure(503, "unavailable"),
    TooManyAttempts: Failure(429, "unavailable"),
    StoreError: Failure(503, "unavailable"),
}
_BY_STATUS = {401: "not_signed_in", 403: "forbidden", 404: "not_found", 503: "unavailable"}


def add_failures(app: FastAPI) -> None:
    """Register the answers to every error."""
    for kind in FAILURES:
        app.add_exception_handler(kind, _answer_ours)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)


async def _answer_ours(request: Request, error: Exception) -> Response:
    kind = next(kind for kind in type(error).__mro__ if kind in FAILURES)
    return answer(request, FAILURES[kind], str(error))


async def _answer_invalid(request: Request, error: Exception) -> Response:
    problems = error.errors() if isinstance(error, RequestValidationError) else []
    lines = [f"{'.'.join(str(part) for part in problem['loc'][1:])}: {problem['msg']}" for problem in problems]
    return answer(request, Failure(422, "invalid"), "; ".join(lines))


async def _answer_http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return answer(request, Failure(status, _BY_STATUS.get(status, "invalid")), getattr(error, "detail", ""))


def answer(request: Request, failure: Failure, detail: str) -> Response:
    """The error as JSON for programs, as a page for people. Who is refused is in the log."""
    if failure.status == 403:
        reader = known_caller(request)
        who, where = reader.name if reader else "", origin_of(request)
        _log.warning("access_refused", who=who, address=where, path=request.url.path, why=detail)
    if request.url.path.startswith(PROGRAM_PATHS):
        headers = {"WWW-Authenticate": "Bearer"} if failure.status == 401 else None
        return JSONResponse({"error": failure.error, "detail": detail}, failure.status, headers)
    elsewhere = PASSWORD_PATH if failure == FAILURES[PasswordDue] else sign_in_url(request)
    if failure.status == 401 or elsewhere == PASSWORD_PATH:
        return _led_to(elsewhere, request, failure)
    here = context_of(request)
    page = Page(request, here, here.reader(NOTHING), known_caller(request))
    told = "" if detail == HTTPStatus(failure.status).phrase else detail  # the page says it in the reader's language
    return page.render("error.html", "error", status=failure.status, error=failure.error, detail=told)


def _led_to(elsewhere: str, request: Request, failure: Failure) -> Response:
    """To another page: the whole page also where only a part of it was asked for."""
    if "hx-request" in request.headers:
        return Response(status_code=failure.status, headers={"HX-Redirect": elsewhere})
    return RedirectResponse(elsewhere, status_code=303)


def sign_in_url(request: Request) -> str:
    """Where to sign in, and come back from to what was asked for (where that can be asked for again)."""
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return "/sign-in" if request.method != "GET" or wanted == "/" else f"/sign-in?next={quote(wanted, safe='')}"
