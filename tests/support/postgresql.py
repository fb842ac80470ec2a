"""Debian's PostgreSQL on a free port and a folder of its own. It refuses to run as root: root lends it another name."""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psycopg
from sqlalchemy import Connection, Engine, create_engine, insert, inspect, text

from ingest_service.audit.chain import START
from ingest_service.store import postgresql
from ingest_service.store.audit_tables import AuditHead
from ingest_service.store.database import open_database
from ingest_service.store.tables import Table
from tests.support.broker import free_port
from tests.support.server import Server

_BUILDS = Path("/usr/lib/postgresql")
_UNSAFE = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")  # a test's database need not outlive a crash
_KEPT = "clearstack"
_WIPING = """
DO $$ DECLARE one record; filled boolean; BEGIN
  FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM %I)', one.tablename) INTO filled;
    IF filled THEN EXECUTE format('DELETE FROM %I', one.tablename); END IF;
  END LOOP;
  FOR one IN SELECT sequencename FROM pg_sequences WHERE last_value IS NOT NULL LOOP
    EXECUTE format('ALTER SEQUENCE %I RESTART', one.sequencename);
  END LOOP;
END $$"""


class PostgreSQL(Server):
    """`database()` is there with every table and no row, for one test at a time; the migrations run once a server."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
        self._port = free_port()
        if os.getuid() == 0:
            shutil.chown(self._folder, "nobody")
        data = self._folder / "data"
        made = [program("initdb"), "-D", str(data), "-U", "clearstack", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run([*lent(), *made, "--locale=C"], check=True, capture_output=True, cwd=self._folder)
        settings = (f"port={self._port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={self._folder}")
        words = [word for setting in (*settings, *_UNSAFE) for word in ("-c", setting)]
        super().__init__([*lent(), program("postgres"), "-D", str(data), *words], self._folder / "log.txt", self._takes)

    def start(self) -> None:
        """Start it, and make the tables."""
        super().start()
        open_database(self.empty(_KEPT)).dispose()

    def close(self) -> None:
        """End it and leave nothing behind."""
        self._end(lambda process: process.send_signal(signal.SIGINT))  # whoever is still connected is cut off
        shutil.rmtree(self._folder)

    def empty(self, name: str) -> str:
        """The URL of a new database without tables."""
        self._execute(f"CREATE DATABASE {name}")
        return self._url(name)

    def database(self) -> Engine:
        """The one with every table; what the test before wrote is gone, and what it did to the tables."""
        engine = create_engine(self._url(_KEPT), pool_pre_ping=True)
        if set(Table.metadata.tables) - set(inspect(engine).get_table_names()):
            engine.dispose()
            self._execute(f"DROP DATABASE {_KEPT} WITH (FORCE)")
            open_database(self.empty(_KEPT)).dispose()
        postgresql.prepare(engine)
        with engine.begin() as connection:
            _empty(connection)
        return engine

    def _url(self, name: str) -> str:
        return f"postgresql+psycopg://clearstack@127.0.0.1:{self._port}/{name}"

    def _execute(self, statement: str) -> None:
        address = f"host=127.0.0.1 port={self._port} user=clearstack dbname=postgres"
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(statement.encode())

    def _takes(self) -> bool:
        try:
            self._execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True


def program(name: str) -> str:
    """Where Debian keeps it; the newest version. Raises RuntimeError where there is none."""
    found = list(_BUILDS.glob(f"*/bin/{name}"))
    if not found:
        raise RuntimeError(f"{name} is missing: run deploy/test-parts.sh")
    return str(max(found, key=lambda path: int(path.parents[1].name)))


def lent() -> list[str]:
    """What a command begins with so that it ends with the tests, and does not run as root."""
    dying = ["setpriv", "--pdeathsig=INT"]
    return [*dying, "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.getuid() == 0 else dying


def _empty(connection: Connection) -> None:
    """As after the migrations, whose only row is the head of the audit trail."""
    for statement in ("SET LOCAL session_replication_role = replica", "SET LOCAL lock_timeout = '20s'", _WIPING):
        connection.execute(text(statement))
    connection.execute(insert(AuditHead).values(id=1, number=START.number, digest=START.digest))
