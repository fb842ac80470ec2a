"""The curves of a furnace with what it usually shows, where that is known."""

from collections.abc import Iterator

import httpx
import numpy as np
import pytest

from ingest_service.anomaly.watched import QUANTITIES
from ingest_service.store.derived.point import tags_of
from ingest_service.workers.expected_points import Bounds, expected_points
from tests.support.browser import served
from tests.support.city import MINUTE_MS, NOW_MS, small_city

FIRST_MS = NOW_MS // MINUTE_MS * MINUTE_MS - 10 * MINUTE_MS
O2 = QUANTITIES.index("flue_o2")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Asks a service that knows what the first furnace usually shows in two minutes."""
    with small_city(tmp_path_factory.mktemp("usual")) as city:
        low = np.full((2, len(QUANTITIES)), np.nan)
        low[:, O2] = (7.5, 8.0)
        times = np.array([FIRST_MS, FIRST_MS + 2 * MINUTE_MS], np.int64)
        place = tags_of(home="beishan", furnace="furnace-1")
        city.derived.write(list(expected_points([place] * 2, Bounds(times, low, low + 4.0))))
        with served(city) as address, httpx.Client(base_url=address, trust_env=False) as asking:
            yield asking


def usual(client: httpx.Client, furnace: str) -> dict[str, object]:
    span = {"from": FIRST_MS - MINUTE_MS, "to": FIRST_MS + 3 * MINUTE_MS}
    answer = client.get(f"/api/v1/homes/beishan/furnaces/{furnace}/trends", params=span)
    assert answer.status_code == 200
    return {line["quantity"]: line["usual"] for line in answer.json()["lines"]}


def test_bounds_stand_at_their_minutes_and_nothing_where_nothing_was_expected(client: httpx.Client) -> None:
    found = usual(client, "furnace-1")
    assert found["flue_o2"] == {"low": [None, 7.5, None, 8.0], "high": [None, 11.5, None, 12.0]}
    assert found["co"] is None


def test_a_furnace_of_which_nothing_is_expected_has_no_bounds(client: httpx.Client) -> None:
    assert set(usual(client, "furnace-2").values()) == {None}
