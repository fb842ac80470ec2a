"""The tables of the organisation, its people and its machines. Nothing here is deleted: what ends gets a time."""

from sqlalchemy import BigInteger, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ingest_service.store.tables import Table


class OrgNode(Table):
    """A node of the tree as it stands now; `id` is `<kind>:<name>`. The root is not stored."""

    __tablename__ = "org_node"
    id: Mapped[str] = mapped_column(primary_key=True)
    parent_id: Mapped[str] = mapped_column(index=True)
    name_zh: Mapped[str] = mapped_column(default="")
    name_en: Mapped[str] = mapped_column(default="")


class OrgPlace(Table):
    """Where a node stood from when to when (None: it stands there now)."""

    __tablename__ = "org_place"
    id: Mapped[int] = mapped_column(primary_key=True)
    node_id: Mapped[str] = mapped_column(index=True)
    parent_id: Mapped[str]
    from_ms: Mapped[int] = mapped_column(BigInteger)
    to_ms: Mapped[int | None] = mapped_column(BigInteger)


class Person(Table):
    """Someone with an account. A person of an identity provider has `issuer` and `subject` and no password.

    `totp_step` is the newest one-time code that was used; a password that someone else set holds until then.
    """

    __tablename__ = "person"
    id: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str] = mapped_column(default="")
    password_until_ms: Mapped[int | None] = mapped_column(BigInteger)
    totp_secret: Mapped[str] = mapped_column(default="")
    totp_step: Mapped[int] = mapped_column(BigInteger, default=0)
    issuer: Mapped[str] = mapped_column(String(500), default="")
    subject: Mapped[str] = mapped_column(default="")
    created_ms: Mapped[int] = mapped_column(BigInteger)
    disabled_ms: Mapped[int | None] = mapped_column(BigInteger)


class RoleGrant(Table):
    """A role of a person at a node; `source` says who keeps it: a person, or the groups of an identity provider."""

    __tablename__ = "role_grant"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    node_id: Mapped[str] = mapped_column(index=True)
    role: Mapped[str]
    source: Mapped[str]
    granted_ms: Mapped[int] = mapped_column(BigInteger)
    granted_by: Mapped[str]
    revoked_ms: Mapped[int | None] = mapped_column(BigInteger)
    revoked_by: Mapped[str] = mapped_column(default="")


class SignedIn(Table):
    """A session; `id` is the hash of what the browser holds."""

    __tablename__ = "signed_in"
    id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    how: Mapped[str]
    address: Mapped[str] = mapped_column(default="")
    agent: Mapped[str] = mapped_column(String(300), default="")
    created_ms: Mapped[int] = mapped_column(BigInteger)
    seen_ms: Mapped[int] = mapped_column(BigInteger)
    until_ms: Mapped[int] = mapped_column(BigInteger)
    ended_ms: Mapped[int | None] = mapped_column(BigInteger)


class SignInFailure(Table):
    """A failed attempt, kept as long as it makes the next one wait."""

    __tablename__ = "sign_in_failure"
    id: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(index=True)
    address: Mapped[str] = mapped_column(index=True)
    at_ms: Mapped[int] = mapped_column(BigInteger, index=True)


class SignInFlow(Table):
    """A sign-in that is under way at an identity provider; used once."""

    __tablename__ = "sign_in_flow"
    state_hash: Mapped[str] = mapped_column(primary_key=True)
    verifier: Mapped[str]
    nonce: Mapped[str]
    next_path: Mapped[str] = mapped_column(Text)
    until_ms: Mapped[int] = mapped_column(BigInteger)


class MachineKey(Table):
    """A key for a machine; only the hash of its secret is kept. `uses` are words with blanks between them."""

    __tablename__ = "machine_key"
    __table_args__ = (UniqueConstraint("prefix"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    prefix: Mapped[str]
    secret_hash: Mapped[str]
    name: Mapped[str]
    node_id: Mapped[str]
    uses: Mapped[str]
    created_ms: Mapped[int] = mapped_column(BigInteger)
    created_by: Mapped[str]
    until_ms: Mapped[int | None] = mapped_column(BigInteger)
    used_ms: Mapped[int | None] = mapped_column(BigInteger)
    revoked_ms: Mapped[int | None] = mapped_column(BigInteger)
    revoked_by: Mapped[str] = mapped_column(default="")
