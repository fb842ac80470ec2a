import pytest

from ingest_service.store.embedded import EmbeddedStore
from tests.ingest_service.store.stores import Opener, influx_store, victoria_store
from tests.support.influx import InfluxDB
from tests.support.victoria import VictoriaMetrics


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
