"""People and machines who visit a test city, each with an account or a key of their own."""

from collections.abc import Sequence
from itertools import count

from sqlalchemy.orm import Session
from starlette.types import ASGIApp, Receive, Scope, Send

from ingest_service.people.hashing import hash_token, new_token
from ingest_service.people.nodes import home_node_id
from ingest_service.people.roles import KeyUse, Role
from ingest_service.store.doing import Doing
from ingest_service.store.keys import KeyShown
from ingest_service.store.people_tables import Person
from ingest_service.store.sessions import How, SessionRow
from tests.support.city import City

DAY_MS = 86_400_000
_numbers = count(1)


def visitor(city: City, role: Role, *nodes: str) -> str:
    """The session of a new person with that role at these nodes."""
    doing = Doing("the test", "127.0.0.1", city.now_ms)
    person = city.people.people.add(f"visitor{next(_numbers)}", "Visitor", doing)
    for node in nodes:
        city.people.people.grant(person.id, role, node, doing)
    token = new_token()
    row = SessionRow(
        id=hash_token(token),
        person_id=person.id,
        how=How.PASSWORD,
        address="127.0.0.1",
        agent="test",
        created_ms=city.now_ms,
        seen_ms=city.now_ms,
        until_ms=city.now_ms + DAY_MS,
        ended_ms=None,
    )
    city.people.sessions.begin(row, doing)
    city.people.directory.forget()
    return token


def newcomer(city: City, role: Role, *nodes: str) -> str:
    """The same of someone who has yet to choose a password."""
    token = visitor(city, role, *nodes)
    session = city.people.sessions.find(hash_token(token))
    assert session is not None
    with Session(city.engine) as changing, changing.begin():
        changing.get_one(Person, session.person_id).password_until_ms = city.now_ms + DAY_MS
    city.people.directory.forget()
    return token


def engineer_of(city: City, homes: Sequence[str]) -> str:
    """The session of someone who works at these homes and sees no other."""
    return visitor(city, Role.ENGINEER, *(home_node_id(home) for home in homes))


def machine(city: City, node: str, *uses: KeyUse) -> str:
    """A new key for these uses at a node."""
    doing = Doing("the test", "127.0.0.1", city.now_ms)
    made = city.people.keys.add(KeyShown("machine", node, uses, None), doing)
    city.people.directory.forget()
    return made.text


class Visiting:
    """Every request of the application comes from that session, as if a browser held it."""

    def __init__(self, app: ASGIApp, session: str) -> None:
        self._app = app
        self._cookie = (b"cookie", f"session={session}".encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "headers": [*scope["headers"], self._cookie]}
        await self._app(scope, receive, send)
