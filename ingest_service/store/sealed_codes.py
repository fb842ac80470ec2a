"""Brings every seed of one-time codes in the relational database under the newest key."""

import msgspec
from sqlalchemy import Connection, Engine, select, update
from sqlalchemy.exc import SQLAlchemyError

from ingest_service.errors import StoreError
from ingest_service.people.sealing import KeyMissing, Sealer, is_sealed
from ingest_service.store.people_tables import Person


class Resealed(msgspec.Struct, frozen=True):
    """How many seeds were sealed anew, and the accounts whose seed no key opens."""

    count: int
    lost: tuple[str, ...]


def owner(person_id: int) -> str:
    """To whom a seal is bound."""
    return f"person {person_id}"


def reseal(engine: Engine, sealer: Sealer) -> Resealed:
    """Seal what lies open from before, or under an older key; SQLite keeps no trace of it. Raises StoreError."""
    try:
        with engine.connect() as connection:
            _wipe_what_goes(connection)
            with connection.begin():
                done = _resealed(connection, sealer)
            if done.count and connection.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    except SQLAlchemyError as error:
        raise StoreError(f"relational database: {error}") from error
    return done


def _resealed(connection: Connection, sealer: Sealer) -> Resealed:
    count, lost = 0, []
    kept = select(Person.id, Person.account, Person.totp_secret).where(Person.totp_secret != "")
    for person_id, account, text in connection.execute(kept.order_by(Person.account)).all():
        if sealer.is_newest(text):
            continue
        try:
            raw = sealer.open(text, owner(person_id)) if is_sealed(text) else bytes.fromhex(text)
        except KeyMissing:
            lost.append(account)
            continue
        sealed = sealer.seal(raw, owner(person_id))
        connection.execute(update(Person).where(Person.id == person_id).values(totp_secret=sealed))
        count += 1
    return Resealed(count, tuple(lost))


def _wipe_what_goes(connection: Connection) -> None:
    """SQLite overwrites what it lets go on this connection; switched on between transactions."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete=ON")
        connection.rollback()
