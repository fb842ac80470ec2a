"""Sessions of people who signed in, attempts that failed, and sign-ins under way at an identity provider."""

from enum import StrEnum

import msgspec
from sqlalchemy import Engine, delete, select, update

from ingest_service.audit.entry import Action
from ingest_service.people.throttle import WINDOW_MS
from ingest_service.store.audit import AuditTrail
from ingest_service.store.doing import Doing
from ingest_service.store.people_tables import SignedIn, SignInFailure, SignInFlow
from ingest_service.store.transaction import transaction

KEPT_MS = 30 * 86_400_000  # a session that ended is shown for so long


class How(StrEnum):
    """How someone proved who they are."""

    PASSWORD = "password"
    SECOND_FACTOR = "second_factor"
    PROVIDER = "provider"


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A session; `id` is the hash of what the browser holds, times are ms since 1970 UTC."""

    id: str
    person_id: int
    how: How
    address: str
    agent: str
    created_ms: int
    seen_ms: int
    until_ms: int
    ended_ms: int | None

    def is_open(self, now_ms: int, idle_ms: int) -> bool:
        """Whether it still holds: not ended, not too old, not unused for too long."""
        return self.ended_ms is None and now_ms < self.until_ms and now_ms - self.seen_ms < idle_ms


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in that is under way at an identity provider; `next_path` is where the reader wanted to go."""

    state_hash: str
    verifier: str
    nonce: str
    next_path: str
    until_ms: int


class SessionStore:
    """The one writer of sessions; beginning and end are noted in the audit trail. Raises StoreError."""

    def __init__(self, engine: Engine, trail: AuditTrail) -> None:
        self._engine, self._trail = engine, trail

    def begin(self, row: SessionRow, doing: Doing) -> None:
        """A new session; what ended long ago is forgotten."""
        with transaction(self._engine) as session:
            session.execute(delete(SignedIn).where(SignedIn.until_ms < doing.at_ms - KEPT_MS))
            session.add(SignedIn(**{**msgspec.structs.asdict(row), "how": row.how.value}))
            self._trail.append(session, doing.entry(Action.SIGNED_IN, f"person {doing.who}", after={"how": row.how}))

    def find(self, session_id: str) -> SessionRow | None:
        """That session, open or not."""
        with transaction(self._engine) as session:
            row = session.get(SignedIn, session_id)
            return None if row is None else _session(row)

    def of(self, person_id: int) -> list[SessionRow]:
        """The sessions of a person that were not ended, the newest first."""
        query = select(SignedIn).where(SignedIn.person_id == person_id, SignedIn.ended_ms.is_(None))
        with transaction(self._engine) as session:
            return [_session(row) for row in session.scalars(query.order_by(SignedIn.created_ms.desc()))]

    def touch(self, session_id: str, seen_ms: int) -> None:
        """It is in use."""
        with transaction(self._engine) as session:
            session.execute(update(SignedIn).where(SignedIn.id == session_id).values(seen_ms=seen_ms))

    def end(self, session_id: str, doing: Doing, action: Action = Action.SIGNED_OUT) -> None:
        """End a session."""
        with transaction(self._engine) as session:
            row = session.get(SignedIn, session_id)
            if row is not None and row.ended_ms is None:
                row.ended_ms = doing.at_ms
                self._trail.append(session, doing.entry(action, f"person {doing.who}"))

    def failures(self, account: str, address: str, now_ms: int) -> tuple[list[int], list[int]]:
        """When attempts failed lately: those on an account, those from an address."""
        with transaction(self._engine) as session:
            recent = SignInFailure.at_ms > now_ms - WINDOW_MS
            of_account = session.scalars(select(SignInFailure.at_ms).where(SignInFailure.account == account, recent))
            from_there = session.scalars(select(SignInFailure.at_ms).where(SignInFailure.address == address, recent))
            return list(of_account), list(from_there)

    def failed(self, account: str, doing: Doing) -> None:
        """An attempt failed; older ones that make nobody wait any more are forgotten."""
        with transaction(self._engine) as session:
            session.execute(delete(SignInFailure).where(SignInFailure.at_ms < doing.at_ms - WINDOW_MS))
            session.add(SignInFailure(account=account[:200], address=doing.address, at_ms=doing.at_ms))
            self._trail.append(session, doing.entry(Action.SIGN_IN_REFUSED, f"person {account[:200]}"))

    def succeeded(self, account: str) -> None:
        """The account's failures make nobody wait any more; those of the address still do."""
        with transaction(self._engine) as session:
            session.execute(update(SignInFailure).where(SignInFailure.account == account).values(account=""))

    def begin_flow(self, flow: Flow, now_ms: int) -> None:
        """A sign-in goes to an identity provider."""
        with transaction(self._engine) as session:
            session.execute(delete(SignInFlow).where(SignInFlow.until_ms < now_ms))
            session.add(SignInFlow(**msgspec.structs.asdict(flow)))

    def take_flow(self, state_hash: str, now_ms: int) -> Flow | None:
        """It came back: once, and in time."""
        with transaction(self._engine) as session:
            row = session.get(SignInFlow, state_hash)
            if row is None:
                return None
            flow = Flow(**{field: getattr(row, field) for field in Flow.__struct_fields__})
            session.delete(row)
            return flow if now_ms < flow.until_ms else None


def _session(row: SignedIn) -> SessionRow:
    fields = {field: getattr(row, field) for field in SessionRow.__struct_fields__}
    return SessionRow(**{**fields, "how": How(row.how)})
