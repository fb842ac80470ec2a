"""Opens the relational database: SQLite by default, any other by its URL; brings its tables up to date."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from ingest_service.errors import StoreError
from ingest_service.store import postgresql


def database_url(folder: Path, url: str) -> str:
    """The configured URL, or that of the SQLite file in the store's folder."""
    return url or f"sqlite:///{folder / 'state.sqlite'}"


def open_database(url: str) -> Engine:
    """Connect and migrate to the newest tables. Raises StoreError when the database cannot be used."""
    try:
        engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
    except (ModuleNotFoundError, ArgumentError) as error:
        raise StoreError(f"relational database: {error} (PostgreSQL needs the extra `postgresql`)") from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    elif engine.dialect.name == "postgresql":
        postgresql.prepare(engine)
    try:
        _migrate(engine)
    except SQLAlchemyError as error:
        raise StoreError(f"relational database {engine.url.render_as_string()}: {error}") from error
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """WAL so that readers never wait, FULL because alarms and judgements are records, not caches."""
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        connection.execute(f"PRAGMA {pragma}")


def _migrate(engine: Engine) -> None:
    alembic = AlembicConfig()
    alembic.set_main_option("script_location", "ingest_service.store:migrations")
    with engine.connect() as connection:
        _check_references(connection, "OFF")  # SQLite changes a table by making it anew, and others refer to it
        with connection.begin():
            alembic.attributes["connection"] = connection
            command.upgrade(alembic, "head")
        _check_references(connection, "ON")


def _check_references(connection: Connection, switch: str) -> None:
    """Switch the checking of foreign keys ON or OFF where it can be switched: in SQLite, between transactions."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA foreign_keys={switch}")
        connection.rollback()
