"""The OpenAPI document: open to all, the same for all, and it says of each operation how to say who asks."""

from collections.abc import Iterator

import httpx
import pytest

from ingest_service.config import Config, Http
from ingest_service.people.roles import KeyUse
from tests.ingest_service.api.rules import Open, route_table
from tests.support.browser import served
from tests.support.city import City, small_city
from tests.support.visitors import machine

PUBLIC = {str(route) for route in route_table() if route.rule is Open.PUBLIC}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[City, httpx.Client]]:
    """Where everybody must say who they are."""
    with small_city(tmp_path_factory.mktemp("site")) as city:
        city.config = Config(http=Http(port=0))
        with served(city) as address, httpx.Client(base_url=address, timeout=60) as stranger:
            yield city, stranger


def test_a_stranger_reads_the_document_and_learns_nothing_of_the_centre(site: tuple[City, httpx.Client]) -> None:
    city, stranger = site
    answer = stranger.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    assert not any(word in answer.text for word in ("beishan", "Beishan", "北山", "gateway"))
    key = {"Authorization": f"Bearer {machine(city, 'all', KeyUse.READ)}"}
    assert stranger.get("/api/v1/openapi.json", headers=key).text == answer.text


def test_each_operation_says_whether_it_asks_who_asks(site: tuple[City, httpx.Client]) -> None:
    document = site[1].get("/api/v1/openapi.json").json()
    assert [next(iter(one)) for one in document["security"]] == list(document["components"]["securitySchemes"])
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            is_open = f"{method.upper()} {path}" in PUBLIC
            assert operation.get("security") == ([] if is_open else None), path
            assert is_open or {"401", "403"} <= set(operation["responses"]), path


@pytest.mark.parametrize("scheme", ["key", "key_as_password"])
def test_a_key_opens_as_the_document_says(site: tuple[City, httpx.Client], scheme: str) -> None:
    city, stranger = site
    said = stranger.get("/api/v1/openapi.json").json()["components"]["securitySchemes"][scheme]
    key = machine(city, "all", KeyUse.READ)
    if said["scheme"] == "bearer":
        answer = stranger.get("/api/v1/homes", headers={"Authorization": f"Bearer {key}"})
    else:
        answer = stranger.get("/api/v1/homes", auth=httpx.BasicAuth("anyone", key))
    assert answer.status_code == 200
