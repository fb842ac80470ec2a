"""Whatever the OpenAPI document allows and whoever asks, the service answers without a failure of its own."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.result import Ok

from ingest_service.config import Http
from ingest_service.people.roles import KeyUse, Role
from tests.support.browser import served
from tests.support.city import City, small_city
from tests.support.visitors import machine, visitor

ENDLESS = "/api/v1/stream"
HEADERS_OF_ITS_OWN = ("User-Agent", "Accept-Encoding", "Accept", "X-Schemathesis-TestCaseId", "Authorization", "Cookie")
READERS: dict[str, int] = {**dict.fromkeys(Role, 2), Role.ADMIN: 8, "key": 2, "stranger": 1}  # requests a route


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[City, str]]:
    with small_city(tmp_path_factory.mktemp("asked"), Http(port=0)) as city, served(city, []) as address:
        yield city, address


def credentials(city: City, reader: str) -> dict[str, str]:
    if reader == "key":
        return {"Authorization": f"Bearer {machine(city, 'all', *KeyUse)}"}
    if reader == "stranger":
        return {"Authorization": "Bearer cs_nobody"}
    return {"Cookie": f"session={visitor(city, Role(reader), 'all')}"}


def request_of(case: Any, address: str) -> dict[str, Any]:
    """What is to be sent, as httpx takes it."""
    words: Mapping[str, Any] = case.as_transport_kwargs(base_url=address)
    sent = {key: value for key, value in words.items() if key in ("method", "url", "params", "json", "data")}
    if isinstance(sent.get("data"), bytes):
        sent["content"] = sent.pop("data")
    kept = {name: value for name, value in words["headers"].items() if name not in HEADERS_OF_ITS_OWN}
    return {**sent, "headers": kept}


@pytest.mark.parametrize("reader", READERS)
def test_no_request_makes_the_service_fail(place: tuple[City, str], reader: str) -> None:
    city, address = place
    headers, answers = credentials(city, reader), Counter[int]()
    few = settings(
        max_examples=READERS[reader],
        phases=[Phase.generate],
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    with httpx.Client(headers=headers, timeout=60) as client:
        document = httpx.get(f"{address}/api/v1/openapi.json").json()
        for operation in schemathesis.openapi.from_dict(document).get_all_operations():
            assert isinstance(operation, Ok)
            asked = operation.ok()
            if asked.path == ENDLESS:
                continue

            @few
            @given(case=asked.as_strategy())
            def ask(case: Any) -> None:
                sent = request_of(case, address)
                answer = client.request(**sent)
                answers[answer.status_code] += 1
                assert answer.status_code < 500, f"{sent}: {answer.text}"

            ask()
    assert answers.total() >= len(document["paths"]) - 1
    assert answers[200] > 0, "the open routes at least"
