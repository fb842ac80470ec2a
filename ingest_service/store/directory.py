"""What decides on every request, kept in memory for a moment: the tree, people with their grants, sessions, keys."""

import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

import msgspec
from sqlalchemy import Engine, select

from ingest_service.people.decision import Admission, Grant, role_grant
from ingest_service.people.nodes import Node
from ingest_service.people.roles import Role
from ingest_service.people.tree import Tree
from ingest_service.store.keys import KeyRow, KeyStore
from ingest_service.store.people_tables import Person, RoleGrant
from ingest_service.store.sessions import SessionRow, SessionStore
from ingest_service.store.transaction import transaction
from ingest_service.store.tree import known_homes, stored_nodes

FRESH_S = 2.0  # what another process changes shows after so long at the latest
MOST_KEPT = 10_000

Asked = TypeVar("Asked", bound=Hashable)
Answer = TypeVar("Answer")


class Kept(Generic[Asked, Answer]):
    """Answers that are asked for anew once they are older than FRESH_S. Any thread may call."""

    def __init__(self, ask: Callable[[Asked], Answer]) -> None:
        self._ask = ask
        self._answers: dict[Asked, tuple[float, Answer]] = {}
        self._version = 0

    def get(self, asked: Asked) -> Answer:
        """The answer, FRESH_S old at most."""
        now_s, version = time.monotonic(), self._version
        kept = self._answers.get(asked)
        if kept is not None and now_s - kept[0] < FRESH_S:
            return kept[1]
        answer = self._ask(asked)
        if len(self._answers) >= MOST_KEPT:
            self._answers = {}
        if version == self._version:  # what was forgotten meanwhile is not remembered from before
            self._answers[asked] = (now_s, answer)
        return answer

    def forget(self) -> None:
        """Ask anew from now on."""
        self._version += 1
        self._answers = {}


class Entitled(msgspec.Struct, frozen=True):
    """Someone who may sign in, and what they were granted."""

    id: int
    account: str
    name: str
    password_until_ms: int | None
    grants: tuple[Grant, ...]


class Organisation(msgspec.Struct, frozen=True):
    """The tree with the homes that stand at its root because every home is taken; `unplaced` nobody put there."""

    tree: Tree
    unplaced: tuple[Node, ...]
    entitled: dict[int, Entitled]


class Directory:
    """The present state, FRESH_S old at most. Raises StoreError when the database cannot answer."""

    def __init__(self, engine: Engine, admission: Admission, sessions: SessionStore, keys: KeyStore) -> None:
        self._engine, self.admission = engine, admission
        self._reading = threading.Lock()
        self._organisation: Kept[str, Organisation] = Kept(lambda _: self._read())
        self._sessions: Kept[str, SessionRow | None] = Kept(sessions.find)
        self._keys: Kept[str, KeyRow | None] = Kept(keys.find)

    def tree(self) -> Tree:
        """The tree that decides."""
        return self._now().tree

    def waiting(self) -> tuple[Node, ...]:
        """Homes that announced themselves and are seen by nobody until someone admits them."""
        return self._now().unplaced if self.admission is Admission.LISTED else ()

    def unplaced(self) -> tuple[Node, ...]:
        """Homes that announced themselves and that nobody has put on the tree."""
        return self._now().unplaced

    def entitled(self, person_id: int) -> Entitled | None:
        """That person, unless they were disabled."""
        return self._now().entitled.get(person_id)

    def session(self, session_id: str) -> SessionRow | None:
        """That session, open or not."""
        return self._sessions.get(session_id)

    def key(self, text: str) -> KeyRow | None:
        """The key of that text, open or not."""
        return self._keys.get(text)

    def forget(self) -> None:
        """Something was changed here: it shows from the next request on."""
        for kept in (self._organisation, self._sessions, self._keys):
            kept.forget()

    def _now(self) -> Organisation:
        with self._reading:
            return self._organisation.get("")

    def _read(self) -> Organisation:
        with transaction(self._engine) as session:
            nodes = stored_nodes(session)
            placed = {node.id for node in nodes}
            others = tuple(node for node in known_homes(session) if node.id not in placed)
            granted: dict[int, list[Grant]] = {}
            query = select(RoleGrant.person_id, RoleGrant.role, RoleGrant.node_id)
            for person_id, role, node_id in session.execute(query.where(RoleGrant.revoked_ms.is_(None))):
                granted.setdefault(person_id, []).append(role_grant(Role(role), node_id))
            people = session.execute(
                select(Person.id, Person.account, Person.name, Person.password_until_ms).where(
                    Person.disabled_ms.is_(None)
                )
            ).all()
        entitled = {row.id: Entitled(*row, tuple(granted.get(row.id, ()))) for row in people}
        taken = others if self.admission is Admission.ALL else ()
        return Organisation(Tree([*nodes, *taken]), others, entitled)
