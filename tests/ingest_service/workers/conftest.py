from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ingest_service.workers.centre import Centre
from tests.ingest_service.workers.city import City


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    made = City(tmp_path)
    yield made
    made.close()


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    made = Centre(tmp_path)
    yield made
    made.close()
