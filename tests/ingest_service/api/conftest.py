"""One city behind a real server for the tests that only read, and a fresh one for those that change something."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ingest_service.config import Http
from tests.support.browser import served
from tests.support.city import City, small_city


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """The small city; only to be read."""
    with small_city(tmp_path_factory.mktemp("city"), Http(port=0)) as seeded:
        yield seeded


@pytest.fixture(scope="session")
def client(city: City) -> Iterator[httpx.Client]:
    """A reader of that city."""
    with served(city) as address, httpx.Client(base_url=address, timeout=60) as reader:
        yield reader


@pytest.fixture
def own_city(tmp_path: Path) -> Iterator[City]:
    """A city of the test's own, to be changed."""
    with small_city(tmp_path, Http(port=0)) as seeded:
        yield seeded


@pytest.fixture
def own_client(own_city: City) -> Iterator[httpx.Client]:
    """A reader of the test's own city."""
    with served(own_city) as address, httpx.Client(base_url=address, timeout=60) as reader:
        yield reader
