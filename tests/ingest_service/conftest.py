"""Database servers for all tests of the service: started when the first test asks, one of each."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.support.database import new_database
from tests.support.influx import InfluxDB
from tests.support.postgresql import PostgreSQL
from tests.support.victoria import VictoriaMetrics


@pytest.fixture(scope="session")
def influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxDB]:
    server = InfluxDB(tmp_path_factory.mktemp("influx"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def victoria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VictoriaMetrics]:
    server = VictoriaMetrics(tmp_path_factory.mktemp("victoria"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    server = PostgreSQL()
    server.start()
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A relational database with every table and no row: of each kind."""
    if request.param == "sqlite":
        opened = new_database(request.getfixturevalue("tmp_path"))
    else:
        server: PostgreSQL = request.getfixturevalue("postgresql")
        opened = server.database()
    yield opened
    opened.dispose()
