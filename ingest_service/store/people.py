"""People and what they were granted, in the relational database."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec
from sqlalchemy import ColumnElement, Engine, select, update
from sqlalchemy.orm import Session

from ingest_service.audit.entry import Action
from ingest_service.people.roles import Role
from ingest_service.people.sealing import Sealer
from ingest_service.store.audit import AuditTrail
from ingest_service.store.doing import Doing
from ingest_service.store.people_tables import Person, RoleGrant, SignedIn
from ingest_service.store.sealed_codes import owner
from ingest_service.store.transaction import transaction


class GrantSource(StrEnum):
    """Who keeps a grant."""

    HAND = "hand"
    GROUPS = "groups"  # an identity provider: renewed at each sign-in


class PersonRow(msgspec.Struct, frozen=True, kw_only=True):
    """Someone with an account; times are ms since 1970 UTC. `password_until_ms` ends one that someone else set.

    `totp_secret` is sealed ("": no one-time codes); `PeopleStore.code_seed` opens it.
    """

    id: int
    account: str
    name: str
    password_hash: str
    password_until_ms: int | None
    totp_secret: str
    totp_step: int
    issuer: str
    subject: str
    created_ms: int
    disabled_ms: int | None


class GrantRow(msgspec.Struct, frozen=True, kw_only=True):
    """A role of a person at a node."""

    id: int
    person_id: int
    node_id: str
    role: Role
    source: GrantSource
    granted_ms: int
    granted_by: str
    revoked_ms: int | None
    revoked_by: str


class Placed(msgspec.Struct, frozen=True):
    """A role at a node, as the audit trail shows it."""

    role: Role
    node_id: str


class AccountTaken(ValueError):
    """There is a person of that account already."""


class PeopleStore:
    """The one writer of people and grants; each change is noted in the audit trail. Raises StoreError."""

    def __init__(self, engine: Engine, trail: AuditTrail, sealer: Sealer) -> None:
        self._engine, self._trail, self._sealer = engine, trail, sealer

    def people(self) -> list[PersonRow]:
        """Everyone, disabled ones too, by account."""
        with transaction(self._engine) as session:
            return [_person(row) for row in session.scalars(select(Person).order_by(Person.account))]

    def person(self, account: str) -> PersonRow | None:
        """The person of an account."""
        return self._one(Person.account == plain(account))

    def person_of(self, person_id: int) -> PersonRow | None:
        """The person of a number."""
        return self._one(Person.id == person_id)

    def person_at(self, issuer: str, subject: str) -> PersonRow | None:
        """The person whom an identity provider calls `subject`."""
        return self._one((Person.issuer == issuer) & (Person.subject == subject))

    def add(self, account: str, name: str, doing: Doing, issuer: str = "", subject: str = "") -> PersonRow:
        """A new person without a password. Raises AccountTaken."""
        with transaction(self._engine) as session:
            if session.scalars(select(Person).where(Person.account == plain(account))).first():
                raise AccountTaken(f"there is an account {plain(account)!r} already")
            made = {"account": plain(account), "name": name, "issuer": issuer, "subject": subject}
            row = Person(**made, created_ms=doing.at_ms)
            session.add(row)
            session.flush()
            self._trail.append(session, doing.entry(Action.PERSON_ADDED, _subject(row), after=made))
            return _person(row)

    def set_password(self, person_id: int, password_hash: str, until_ms: int | None, doing: Doing) -> None:
        """Change a password, and end every session of the person; `until_ms` ends one that someone else set."""
        with transaction(self._engine) as session:
            row = session.get_one(Person, person_id)
            row.password_hash, row.password_until_ms = password_hash, until_ms
            _end_sessions(session, person_id, doing.at_ms)
            self._trail.append(session, doing.entry(Action.PASSWORD_CHANGED, _subject(row)))

    def renew_hash(self, person_id: int, password_hash: str) -> None:
        """Keep the same password under newer costs."""
        with transaction(self._engine) as session:
            session.execute(update(Person).where(Person.id == person_id).values(password_hash=password_hash))

    def code_seed(self, person: PersonRow) -> bytes:
        """What someone's one-time codes are made of. Raises KeyMissing."""
        return self._sealer.open(person.totp_secret, owner(person.id))

    def ask_codes(self, person_id: int, seed: bytes, step: int, doing: Doing) -> None:
        """Ask for one-time codes of that seed from now on; `step` is the last that was used. Raises KeyMissing."""
        self._set_codes(person_id, self._sealer.seal(seed, owner(person_id)), step, doing)

    def ask_no_codes(self, person_id: int, doing: Doing) -> None:
        """Ask for one-time codes no more."""
        self._set_codes(person_id, "", 0, doing)

    def use_totp_step(self, person_id: int, step: int) -> bool:
        """Take a one-time code; False where it, or a newer one, was taken already."""
        taken = update(Person).where(Person.id == person_id, Person.totp_step < step).values(totp_step=step)
        with transaction(self._engine) as session:
            return bool(session.connection().execute(taken).rowcount)

    def disable(self, person_id: int, doing: Doing) -> None:
        """Let someone in no more; their sessions end, their grants stay for the record."""
        with transaction(self._engine) as session:
            row = session.get_one(Person, person_id)
            row.disabled_ms = doing.at_ms
            _end_sessions(session, person_id, doing.at_ms)
            self._trail.append(session, doing.entry(Action.PERSON_DISABLED, _subject(row)))

    def enable(self, person_id: int, doing: Doing) -> None:
        """Let someone in again."""
        with transaction(self._engine) as session:
            row = session.get_one(Person, person_id)
            row.disabled_ms = None
            self._trail.append(session, doing.entry(Action.PERSON_CHANGED, _subject(row), after={"enabled": True}))

    def grants(self, person_id: int | None = None) -> list[GrantRow]:
        """The grants that hold now, of one person or of all."""
        query = select(RoleGrant).where(RoleGrant.revoked_ms.is_(None)).order_by(RoleGrant.id)
        if person_id is not None:
            query = query.where(RoleGrant.person_id == person_id)
        with transaction(self._engine) as session:
            return [_grant(row) for row in session.scalars(query)]

    def grant(
        self, person_id: int, role: Role, node_id: str, doing: Doing, source: GrantSource = GrantSource.HAND
    ) -> None:
        """Grant a role at a node; nothing happens where it holds already."""
        with transaction(self._engine) as session:
            self._grant(session, person_id, Placed(role, node_id), doing, source)

    def revoke(self, grant_id: int, doing: Doing) -> None:
        """Take a grant back; nothing happens where it does not hold."""
        with transaction(self._engine) as session:
            row = session.get(RoleGrant, grant_id)
            if row is not None and row.revoked_ms is None:
                self._revoke(session, row, doing)

    def follow_groups(self, person_id: int, wanted: Sequence[Placed], doing: Doing) -> None:
        """Make the grants that an identity provider keeps the wanted ones; those made by hand stay."""
        with transaction(self._engine) as session:
            kept = (RoleGrant.person_id == person_id) & (RoleGrant.source == GrantSource.GROUPS.value)
            held = session.scalars(select(RoleGrant).where(kept, RoleGrant.revoked_ms.is_(None))).all()
            for row in held:
                if Placed(Role(row.role), row.node_id) not in wanted:
                    self._revoke(session, row, doing)
            for placed in wanted:
                self._grant(session, person_id, placed, doing, GrantSource.GROUPS)

    def _set_codes(self, person_id: int, sealed: str, step: int, doing: Doing) -> None:
        with transaction(self._engine) as session:
            row = session.get_one(Person, person_id)
            state = {"second_factor": "on" if sealed else "off"}
            row.totp_secret, row.totp_step = sealed, step
            self._trail.append(session, doing.entry(Action.SECOND_FACTOR_CHANGED, _subject(row), after=state))

    def _grant(self, session: Session, person_id: int, placed: Placed, doing: Doing, source: GrantSource) -> None:
        same = (RoleGrant.person_id == person_id, RoleGrant.node_id == placed.node_id, RoleGrant.role == placed.role)
        if session.scalars(select(RoleGrant).where(*same, RoleGrant.revoked_ms.is_(None))).first():
            return
        made = {"granted_ms": doing.at_ms, "granted_by": doing.who}
        where = {"person_id": person_id, "node_id": placed.node_id, "role": placed.role.value, "source": source.value}
        session.add(RoleGrant(**where, **made))
        subject = _subject(session.get_one(Person, person_id))
        self._trail.append(session, doing.entry(Action.GRANTED, subject, after=placed))

    def _revoke(self, session: Session, row: RoleGrant, doing: Doing) -> None:
        row.revoked_ms, row.revoked_by = doing.at_ms, doing.who
        subject = _subject(session.get_one(Person, row.person_id))
        before = Placed(Role(row.role), row.node_id)
        self._trail.append(session, doing.entry(Action.GRANT_WITHDRAWN, subject, before=before))

    def _one(self, condition: ColumnElement[bool]) -> PersonRow | None:
        with transaction(self._engine) as session:
            row = session.scalars(select(Person).where(condition)).first()
            return None if row is None else _person(row)


def plain(account: str) -> str:
    """The one form of an account's name: small letters, no blanks around."""
    return account.strip().casefold()


def _subject(person: Person) -> str:
    return f"person {person.account}"


def _end_sessions(session: Session, person_id: int, at_ms: int) -> None:
    ended = update(SignedIn).where(SignedIn.person_id == person_id, SignedIn.ended_ms.is_(None))
    session.execute(ended.values(ended_ms=at_ms))


def _person(row: Person) -> PersonRow:
    return PersonRow(**{field: getattr(row, field) for field in PersonRow.__struct_fields__})


def _grant(row: RoleGrant) -> GrantRow:
    fields = {field: getattr(row, field) for field in GrantRow.__struct_fields__}
    return GrantRow(**{**fields, "role": Role(row.role), "source": GrantSource(row.source)})
