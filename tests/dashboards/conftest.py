from collections.abc import Iterator

import httpx
import pytest

from ingest_service.config import Http
from tests.dashboards.asked import Backends
from tests.dashboards.seeding import seed
from tests.support.browser import served
from tests.support.city import small_city
from tests.support.influx import InfluxDB
from tests.support.victoria import VictoriaMetrics


@pytest.fixture(scope="session")
def backends(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backends]:
    """The service on the embedded store, InfluxDB and VictoriaMetrics with the same day in each."""
    folder = tmp_path_factory.mktemp("dashboards")
    influx, victoria = InfluxDB(folder / "influx"), VictoriaMetrics(folder / "victoria")
    influx.start()
    victoria.start()
    try:
        with small_city(folder / "city", Http(port=0)) as city:
            seed(city, influx, victoria)
            with served(city) as address, httpx.Client(timeout=60, trust_env=False) as client:
                yield Backends(client, address, influx.url, victoria.url, city.derived)
    finally:
        influx.kill()
        victoria.kill()
