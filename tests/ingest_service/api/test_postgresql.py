"""Page, API and exports over a centre whose relational state is kept by PostgreSQL: the same answers as over SQLite."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from ingest_service.api.app import create_app
from ingest_service.people.roles import Role
from tests.ingest_service.api.probes import PROBES, doing
from tests.support import city as cities
from tests.support.city import City, small_city
from tests.support.postgresql import PostgreSQL
from tests.support.visitors import visitor

READS = sorted(route for route in PROBES if route.startswith("GET ") and "/audit" not in route)
DIFFERENT = ("/account", "/data", "/metrics", "/people", "/api/v1/store")  # secrets, names and sizes of their own


class Site:
    """A city, its application and a session that may do everything."""

    def __init__(self, city: City) -> None:
        city.closing.set()  # a live stream answers, and ends at once
        self.city, self._app = city, create_app(city.context())
        self._cookie = {"Cookie": f"session={visitor(city, Role.ADMIN, 'all')}", "Accept-Language": "en"}

    def answers(self, *urls: str) -> list[httpx.Response]:
        """What is answered to each."""

        async def ask() -> list[httpx.Response]:
            transport = httpx.ASGITransport(app=self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://city.test") as client:
                return [await client.get(url, headers=self._cookie) for url in urls]

        return asyncio.run(ask())


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with small_city(tmp_path_factory.mktemp("sqlite")) as city:
        yield Site(city)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, postgresql: PostgreSQL, sqlite: Site) -> Iterator[Site]:
    """The same city, made after the one to which it is compared."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cities, "new_database", lambda _folder: postgresql.database())
        with small_city(tmp_path_factory.mktemp("postgresql")) as city:
            assert city.engine.dialect.name == "postgresql"
            yield Site(city)


def test_every_question_gets_the_same_answer(site: Site, sqlite: Site) -> None:
    urls = [PROBES[route](site.city).url for route in READS]
    for url, found, wanted in zip(urls, site.answers(*urls), sqlite.answers(*urls), strict=True):
        assert found.status_code == wanted.status_code, f"{url}: {found.text[:300]}"
        assert url in DIFFERENT or found.text == wanted.text, url


@pytest.mark.parametrize(
    "url",
    [
        "/api/v1/homes/a%00b",
        "/homes/beishan/furnaces/%00",
        "/api/v1/alarms/99999999999",
        "/api/v1/alarms/99999999999999999999",
        "/api/v1/series/4294967296/raw?from=0&to=1",
        f"/api/v1/homes/{'x' * 5000}",
    ],
)
def test_what_no_column_holds_is_not_there(site: Site, sqlite: Site, url: str) -> None:
    (found,), (wanted,) = site.answers(url), sqlite.answers(url)
    assert found.status_code == wanted.status_code
    assert found.status_code in (404, 422)


def test_a_name_with_a_nul_is_kept_without_it(site: Site) -> None:
    people = site.city.people.people
    people.add("a\0b", "x\0y", doing(site.city))
    person = people.person("a\0b")
    assert person is not None
    assert (person.account, person.name) == ("a\ufffdb", "x\ufffdy")
