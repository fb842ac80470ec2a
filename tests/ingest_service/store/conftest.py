from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from ingest_service.store.embedded import EmbeddedStore
from ingest_service.store.tables import Furnace, Home
from tests.ingest_service.store.stores import Opener, influx_store, victoria_store
from tests.support.database import new_database
from tests.support.influx import InfluxDB
from tests.support.victoria import VictoriaMetrics


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """Two homes with a furnace each."""
    opened = new_database(tmp_path)
    with Session(opened) as session, session.begin():
        session.add_all([Home(id="h1"), Home(id="h2")])
        session.flush()
        session.add_all([Furnace(id=1, home_id="h1", name="f1"), Furnace(id=2, home_id="h2", name="f2")])
    yield opened
    opened.dispose()


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
