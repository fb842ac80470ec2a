"""Who asks, and what they may: the one place that decides it, for page, API, live stream, exports and figures alike.

A route states what it needs: `Sight` (or `Charts`) to read, `Annotated[Act, needs(Right.X)]` to do something,
`SIGNED_IN` or `PUBLIC` among its dependencies where it shows nothing of any home, `ARRIVING` where also a newcomer may
come, whose password someone else set: to choose their own.
"""

from base64 import b64decode
from typing import Annotated, Any

import msgspec
from fastapi import Depends, Request

from ingest_service.api.context import Context, Here, context_of
from ingest_service.api.errors import Forbidden, NotFound, NotSignedIn, PasswordDue
from ingest_service.api.origin import origin_of
from ingest_service.errors import StoreError
from ingest_service.people.decision import (
    Caller,
    CallerKind,
    Grant,
    has,
    key_grant,
    may_at,
    may_at_home,
    nodes_in_reach,
    reach,
)
from ingest_service.people.hashing import hash_token
from ingest_service.people.nodes import ROOT_ID
from ingest_service.people.roles import Right, Role
from ingest_service.people.settings import SignIn, is_loopback
from ingest_service.people.tree import Tree
from ingest_service.store.doing import Doing
from ingest_service.store.overview import Reader, Scope
from ingest_service.store.sessions import How

COOKIE = "session"
SECURE_COOKIE = "__Host-session"  # the browser itself refuses to take or send it without TLS
TOUCH_MS = 60_000
NOTHING = Scope(frozenset())
LOCAL = Caller(kind=CallerKind.LOCAL, id=0, name="local", grants=(Grant(ROOT_ID, Role.ADMIN.rights),))


def caller_of(request: Request, here: Here) -> Caller:
    """Who asks, if they may ask for anything. Raises NotSignedIn or PasswordDue."""
    caller = arriving(request, here)
    if caller.kind is CallerKind.NEWCOMER:
        raise PasswordDue("someone else set your password: sign in on the page and choose your own first")
    return caller


def arriving(request: Request, here: Here) -> Caller:
    """Who asks: a machine by its key, a person by their session, or whoever sits here. Raises NotSignedIn."""
    given = request.headers.get("authorization", "")
    if given.partition(" ")[2].strip():  # a program whose key was left empty sends the scheme alone
        return _by_key(request, here, key_in(given))
    token = session_token(request)
    person = _by_session(here, hash_token(token)) if token else None
    if person is not None:
        return person
    if here.config.people.sign_in is SignIn.OFF and _is_here(request):
        return LOCAL
    raise NotSignedIn("sign in first")


def key_in(given: str) -> str:
    """The key in an Authorization header: as a bearer, as InfluxDB's token, or as the password of any user."""
    scheme, _, rest = given.partition(" ")
    if scheme.casefold() in ("bearer", "token"):
        return rest.strip()
    try:
        return b64decode(rest, validate=True).decode().partition(":")[2] if scheme.casefold() == "basic" else ""
    except ValueError:  # no base64, no text
        return ""


def session_token(request: Request) -> str:
    """The session's secret that the browser holds, "" where it holds none."""
    return request.cookies.get(SECURE_COOKIE if request.url.scheme == "https" else COOKIE, "")


Asking = Annotated[Caller, Depends(caller_of)]
Arriving = Annotated[Caller, Depends(arriving)]


class Act:
    """What a caller may do by one right; made anew for each request."""

    def __init__(self, request: Request, here: Context, caller: Caller, right: Right) -> None:
        self._request, self._here, self._right = request, here, right
        self.caller = caller

    @property
    def tree(self) -> Tree:
        """The tree that decides."""
        return self._here.people.directory.tree()

    @property
    def sight(self) -> Reader:
        """What the caller may see of the relational database."""
        return self._here.reader(scope_of(self._here, self.caller, self._right))

    @property
    def node_id(self) -> str:
        """The node at which the caller has the right: a key's own."""
        return next(grant.node_id for grant in self.caller.grants if self._right in grant.rights)

    def at_home(self, home_id: str) -> None:
        """Raises Forbidden where the right does not hold at a home that the caller sees."""
        if not may_at_home(self.caller, self._right, home_id, self.tree):
            raise Forbidden(f"your role does not let you do this at home {home_id!r}")

    def at_place(self, node_id: str) -> None:
        """The same at a node, of which the caller sees something."""
        if not may_at(self.caller, self._right, node_id, self.tree):
            raise Forbidden(f"your role does not let you do this at {node_id!r}")

    def at_node(self, node_id: str) -> None:
        """Raises NotFound where the right does not hold at a node, or there is none such."""
        if not may_at(self.caller, self._right, node_id, self.tree):
            raise NotFound(f"no node {node_id!r}")

    def doing(self, why: str = "") -> Doing:
        """Who does it, from where and when, for the record."""
        return Doing(self.caller.name, origin_of(self._request), self._here.clock(), why)

    def renewed(self) -> "Act":
        """The same as it stands now: sessions end and grants change while a stream is open. Raises NotSignedIn."""
        again = Act(self._request, self._here, caller_of(self._request, self._here), self._right)
        if not has(again.caller, self._right):
            raise Forbidden("your role does not let you see this any more")
        return again


class Needs:
    """A route's rule: the right without which nothing is answered. Raises Forbidden, or NotSignedIn."""

    def __init__(self, right: Right) -> None:
        self.right = right

    def __call__(self, request: Request, here: Here, caller: Asking) -> Act:
        """What the caller may do by that right."""
        if not has(caller, self.right):
            raise Forbidden("your role does not let you do this")
        return Act(request, here, caller, self.right)


_RULES = {right: Needs(right) for right in Right}  # one each, so that a request asks each but once


def needs(right: Right) -> Any:
    """The dependency that states and asks for a right."""
    return Depends(_RULES[right])


def scope_of(here: Context, caller: Caller, right: Right) -> Scope:
    """What a caller may see where a route needs that right. Everything that is shown is cut to this."""
    directory = here.people.directory
    tree, admission = directory.tree(), directory.admission
    seen = [reach(caller, one, tree, admission) for one in {right, Right.VIEW}]
    if any(homes is None for homes in seen):
        return Scope()
    nodes = (nodes_in_reach(caller, one, tree) for one in {right, Right.VIEW})
    return Scope(frozenset().union(*(homes for homes in seen if homes is not None)), frozenset().union(*nodes))


def reader_of(act: Annotated[Act, needs(Right.VIEW)]) -> Reader:
    """The reader's sight of the relational database."""
    return act.sight


def charts_reader_of(act: Annotated[Act, needs(Right.CHARTS)]) -> Reader:
    """The same for what a curve is drawn from, which a key for Grafana may read too."""
    return act.sight


def signed_in(_caller: Asking) -> None:
    """The rule of a route that shows nothing of any home, to whoever is known."""


def arrived(_caller: Arriving) -> None:
    """The rule of the page on which one chooses one's password: to newcomers too."""


def anyone() -> None:
    """The rule of a route that is open to all."""


Seeing = Annotated[Act, needs(Right.VIEW)]
Sight = Annotated[Reader, Depends(reader_of)]
Charts = Annotated[Reader, Depends(charts_reader_of)]
SIGNED_IN = Depends(signed_in)
ARRIVING = Depends(arrived)
PUBLIC = Depends(anyone)


def known_caller(request: Request) -> Caller | None:
    """Who asks, as far as that can be said: for pages that are shown to strangers too."""
    try:
        return arriving(request, context_of(request))
    except (NotSignedIn, StoreError):
        return None


def _by_key(request: Request, here: Context, text: str) -> Caller:
    key, now_ms = here.people.directory.key(text), here.clock()
    if key is None or not key.is_open(now_ms):
        raise NotSignedIn("the key is not known, was revoked or has run out")
    if key.used_ms is None or now_ms - key.used_ms >= TOUCH_MS:
        here.people.keys.used(key, Doing(f"key {key.name}", origin_of(request), now_ms))
        here.people.directory.forget()
    return Caller(kind=CallerKind.KEY, id=key.id, name=f"key {key.name}", grants=(key_grant(key.uses, key.node_id),))


def _by_session(here: Context, session_id: str) -> Caller | None:
    directory, now_ms = here.people.directory, here.clock()
    session = directory.session(session_id)
    if session is None or not session.is_open(now_ms, here.config.people.idle_ms):
        return None
    person = directory.entitled(session.person_id)
    if person is None:
        return None
    if now_ms - session.seen_ms >= TOUCH_MS:
        here.people.sessions.touch(session_id, now_ms)
        directory.forget()
    known = Caller(kind=CallerKind.PERSON, id=person.id, name=person.name, grants=person.grants, session_id=session_id)
    return known if session.how is How.PROVIDER else _by_password(known, person.password_until_ms, now_ms)


def _by_password(person: Caller, until_ms: int | None, now_ms: int) -> Caller | None:
    """A password that someone else set opens nothing but the choice of one's own, and in the end not even that."""
    if until_ms is None:
        return person
    newcomer = msgspec.structs.replace(person, kind=CallerKind.NEWCOMER, grants=())
    return newcomer if now_ms < until_ms else None


def _is_here(request: Request) -> bool:
    """Whether a request comes from this very machine, and was not led here by a foreign name or a proxy."""
    forwarded = any(name in request.headers for name in ("forwarded", "x-forwarded-for", "x-real-ip"))
    return not forwarded and is_loopback(origin_of(request)) and is_loopback(request.headers.get("host", ""))
