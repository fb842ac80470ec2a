"""What was not admitted, counted per reason and origin, for people to see."""

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from ingest_service.errors import StoreError
from ingest_service.store.tables import Rejection

_LONGEST_EXAMPLE = 500


class RejectionRow(msgspec.Struct, frozen=True, kw_only=True):
    """So many samples or messages of one origin were rejected for one reason; times are ms since 1970 UTC.

    `home`, `edge` and `device` are empty where the origin is not known.
    """

    reason: str
    home: str = ""
    edge: str = ""
    device: str = ""
    count: int
    first_at_ms: int
    last_at_ms: int
    example: str = ""


class RejectionLog:
    """The table of rejections. Raises StoreError when the database fails."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, rows: Iterable[RejectionRow]) -> None:
        """Add these counts to what there is, in one transaction; the newest example stays."""
        try:
            with self._engine.begin() as connection:
                for row in rows:
                    _add(connection, row)
        except SQLAlchemyError as error:
            raise StoreError(f"relational database: {error}") from error

    def all(self) -> tuple[RejectionRow, ...]:
        """Every reason and origin, the newest first."""
        statement = select(Rejection.__table__).order_by(Rejection.last_at_ms.desc(), Rejection.id)
        try:
            with self._engine.connect() as connection:
                found = connection.execute(statement).mappings().all()
        except SQLAlchemyError as error:
            raise StoreError(f"relational database: {error}") from error
        return tuple(RejectionRow(**{name: row[name] for name in RejectionRow.__struct_fields__}) for row in found)


def _add(connection: Connection, row: RejectionRow) -> None:
    same = [getattr(Rejection, name) == getattr(row, name) for name in ("reason", "home", "edge", "device")]
    example = row.example.replace("\0", "")[:_LONGEST_EXAMPLE]
    changed = {"count": Rejection.count + row.count, "last_at_ms": row.last_at_ms, "example": example}
    if connection.execute(update(Rejection).where(*same).values(changed)).rowcount == 0:
        values = {name: getattr(row, name) for name in RejectionRow.__struct_fields__}
        connection.execute(insert(Rejection).values({**values, "example": example}))
