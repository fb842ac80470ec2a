import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from ingest_service.store.embedded import EmbeddedStore
from ingest_service.store.tables import Furnace, Home
from tests.ingest_service.store.stores import Opener, influx_store, victoria_store
from tests.support.influx import InfluxDB
from tests.support.victoria import VictoriaMetrics


@pytest.fixture
def engine(database: Engine) -> Engine:
    """Two homes with a furnace each."""
    with Session(database) as session, session.begin():
        session.add_all([Home(id="h1"), Home(id="h2")])
        session.flush()
        session.add_all([Furnace(home_id="h1", name="f1"), Furnace(home_id="h2", name="f2")])
    return database


@pytest.fixture
def embedded_opener() -> Opener:
    return EmbeddedStore


@pytest.fixture
def influx_opener(influx: InfluxDB) -> Opener:
    return lambda folder: influx_store(influx, folder)


@pytest.fixture
def victoria_opener(victoria: VictoriaMetrics) -> Opener:
    """What is written counts as safe at once: what the hold time is for has tests of its own."""
    return lambda folder: victoria_store(victoria, folder, hold_s=0.0)
