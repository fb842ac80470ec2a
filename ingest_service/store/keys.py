"""Keys of machines in the relational database: a prefix to find them by, and the hash of their secret."""

import hmac
import secrets

import msgspec
from sqlalchemy import Engine, select, update

from ingest_service.audit.entry import Action
from ingest_service.people.hashing import hash_token, new_token
from ingest_service.people.roles import KeyUse
from ingest_service.store.audit import AuditTrail
from ingest_service.store.doing import Doing
from ingest_service.store.people_tables import MachineKey
from ingest_service.store.transaction import transaction

MARK = "csk"  # what every key begins with, so that one that leaked into a file is found
PREFIX_BYTES = 6
TOLD_AGAIN_MS = 3_600_000


class KeyRow(msgspec.Struct, frozen=True, kw_only=True):
    """A key; times are ms since 1970 UTC, None where it has no end, was never used, was not revoked."""

    id: int
    prefix: str
    name: str
    node_id: str
    uses: tuple[KeyUse, ...]
    created_ms: int
    created_by: str
    until_ms: int | None
    used_ms: int | None
    revoked_ms: int | None

    def is_open(self, now_ms: int) -> bool:
        """Whether it still opens anything."""
        return self.revoked_ms is None and (self.until_ms is None or now_ms < self.until_ms)


class Made(msgspec.Struct, frozen=True):
    """A new key; `text` is shown once and kept nowhere."""

    row: KeyRow
    text: str


class KeyShown(msgspec.Struct, frozen=True):
    """A key as the audit trail shows it."""

    name: str
    node_id: str
    uses: tuple[KeyUse, ...]
    until_ms: int | None


class KeyStore:
    """The one writer of keys; each change is noted in the audit trail. Raises StoreError."""

    def __init__(self, engine: Engine, trail: AuditTrail) -> None:
        self._engine, self._trail = engine, trail

    def add(self, shown: KeyShown, doing: Doing) -> Made:
        """A new key for these uses at a node."""
        prefix, secret = secrets.token_hex(PREFIX_BYTES), new_token()
        row = MachineKey(
            prefix=prefix,
            secret_hash=hash_token(secret),
            name=shown.name,
            node_id=shown.node_id,
            uses=" ".join(shown.uses),
            created_ms=doing.at_ms,
            created_by=doing.who,
            until_ms=shown.until_ms,
        )
        with transaction(self._engine) as session:
            session.add(row)
            session.flush()
            self._trail.append(session, doing.entry(Action.KEY_ADDED, f"key {prefix}", after=shown))
            return Made(_key(row), f"{MARK}_{prefix}_{secret}")

    def listed(self) -> list[KeyRow]:
        """Every key that was not revoked, the newest first."""
        query = select(MachineKey).where(MachineKey.revoked_ms.is_(None)).order_by(MachineKey.id.desc())
        with transaction(self._engine) as session:
            return [_key(row) for row in session.scalars(query)]

    def find(self, text: str) -> KeyRow | None:
        """The key of that text, open or not; None where it is none."""
        parts = text.split("_", 2)
        if len(parts) != 3 or parts[0] != MARK:
            return None
        with transaction(self._engine) as session:
            row = session.scalars(select(MachineKey).where(MachineKey.prefix == parts[1])).first()
            fits = hmac.compare_digest(row.secret_hash if row else hash_token(""), hash_token(parts[2]))
            return _key(row) if row is not None and fits else None

    def used(self, key: KeyRow, doing: Doing) -> None:
        """It was used; the audit trail hears of it once an hour."""
        with transaction(self._engine) as session:
            session.execute(update(MachineKey).where(MachineKey.id == key.id).values(used_ms=doing.at_ms))
            if key.used_ms is None or doing.at_ms - key.used_ms >= TOLD_AGAIN_MS:
                self._trail.append(session, doing.entry(Action.KEY_USED, f"key {key.prefix}"))

    def revoke(self, prefix: str, doing: Doing) -> bool:
        """Let a key open nothing any more; False where there is none that does."""
        with transaction(self._engine) as session:
            row = session.scalars(select(MachineKey).where(MachineKey.prefix == prefix)).first()
            if row is None or row.revoked_ms is not None:
                return False
            row.revoked_ms, row.revoked_by = doing.at_ms, doing.who
            self._trail.append(session, doing.entry(Action.KEY_REVOKED, f"key {prefix}"))
            return True


def _key(row: MachineKey) -> KeyRow:
    fields = {field: getattr(row, field) for field in KeyRow.__struct_fields__}
    return KeyRow(**{**fields, "uses": tuple(KeyUse(use) for use in row.uses.split())})
