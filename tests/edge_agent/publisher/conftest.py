from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.broker import Mosquitto, start_mosquitto
from tests.support.host import TestHost


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with start_mosquitto(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture
def host(broker: Mosquitto) -> Iterator[TestHost]:
    with TestHost(broker.port) as listening:
        yield listening


@pytest.fixture
def port(broker: Mosquitto) -> int:
    return broker.port


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"
