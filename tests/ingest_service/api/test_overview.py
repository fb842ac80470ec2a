"""The overview of a country: 60 homes in 10 cities, of which two edges are silent, one furnace in alarm, one over."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from edge_agent.wire.sample import Reason
from ingest_service.alarms.vocabulary import Locale
from ingest_service.api import stream
from ingest_service.api.context import EVERYTHING
from ingest_service.api.page.city import HOMES_A_PAGE
from ingest_service.api.page.texts import texts
from ingest_service.config import Http
from tests.ingest_service.api.test_pages import page, words
from tests.support.browser import served
from tests.support.city import NOW_MS, City, empty_city, in_order
from tests.support.country import settle


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """Only to be read."""
    with empty_city(tmp_path_factory.mktemp("country"), Http(port=0)) as city:
        city.furnaces = settle(city, 60, 2)
        yield city


@pytest.fixture(scope="module")
def reader(country: City) -> Iterator[httpx.Client]:
    """Whoever sees all of it."""
    with served(country) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client


def homes_on(html: str) -> list[str]:
    """The homes that stand on a page, in order."""
    return re.findall(r'<article class="home" id="([^"]+)"', html)


def test_homes_that_need_someone_come_first_and_the_others_are_folded_to_a_line(reader: httpx.Client) -> None:
    html = page(reader, "/")
    assert homes_on(html)[:3] == ["home-home-0", "home-home-40", "home-home-1"]
    assert len(homes_on(html)) == HOMES_A_PAGE
    assert len(re.findall('class="tile"', html)) == 1
    assert "2 furnaces without anything abnormal, 2 running" in words(html)


def test_all_homes_are_reached_page_by_page_each_once(reader: httpx.Client) -> None:
    first = page(reader, "/")
    after = re.search(r'rel="next" href="([^"]+)"', first)
    assert after
    second = page(reader, after.group(1))
    assert len({*homes_on(first), *homes_on(second)}) == len(homes_on(first) + homes_on(second)) == 60
    assert "41–60 of 60" in words(second)
    assert 'rel="next"' not in second
    assert homes_on(page(reader, "/?page=999")) == homes_on(second)


def test_cities_are_summed_up_with_what_is_abnormal_first_and_the_calm_ones_apart(reader: httpx.Client) -> None:
    read = words(page(reader, "/"))
    assert in_order(["City 0", "City 6", "Cities with nothing abnormal: 8", "City 1"], read)
    assert re.search(r"City 0 6 12/12 High 1 (?:.{0,3})1 1", read)


def test_a_city_opens_into_its_districts_and_a_district_into_its_homes(reader: httpx.Client) -> None:
    city = page(reader, "/?city=市6")
    assert "<h1>City 6</h1>" in city
    assert homes_on(city) == [f"home-home-{number}" for number in (40, 36, 37, 38, 39, 41)]
    link = re.search(r'<a href="([^"]+)">District 13</a>', city)
    assert link
    assert parse_qs(urlsplit(link.group(1).replace("&amp;", "&")).query) == {"city": ["市6"], "district": ["区13"]}
    district = page(reader, link.group(1).replace("&amp;", "&"))
    assert "<h1>District 13</h1>" in district
    assert in_order(["City 6", "District 13"], words(district))
    assert homes_on(district) == ["home-home-40", "home-home-39", "home-home-41"]
    assert len(re.findall('class="tile"', district)) == 6


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=HOME 17", ["home-home-17"]),
        ("q=殡仪馆 17", ["home-home-17"]),
        ("q=district 3&state=any", ["home-home-10", "home-home-11", "home-home-9"]),
        ("q=nowhere", []),
        ("state=silent", ["home-home-0", "home-home-40"]),
        ("state=over", ["home-home-0"]),
        ("city=市6&state=alarm", ["home-home-40"]),
        ("city=nowhere", []),
    ],
)
def test_homes_are_found_by_name_place_and_state(reader: httpx.Client, query: str, expected: list[str]) -> None:
    assert homes_on(page(reader, f"/?{query}"))[: len(expected) or None] == expected


def test_the_states_say_how_many_homes_are_in_them(reader: httpx.Client) -> None:
    read = words(page(reader, "/?state=silent"))
    assert "All homes 60 In alarm 2 Over limit 1 Silent 2 Nothing abnormal 58" in read


def test_what_was_asked_stays_in_every_address_and_in_the_other_language(reader: httpx.Client) -> None:
    html = page(reader, "/?city=市6&q=Home").replace("&amp;", "&")
    assert '<input type="hidden" name="city" value="市6">' in html
    assert re.search(r'hx-get="/\?city=[^"]+&q=Home"', html)
    assert re.search(r'class="lang" href="/\?city=[^"]+&q=Home&lang=zh"', html)
    assert re.search(r'class="chip" href="/\?city=[^"]+&q=Home&state=alarm"', html)


def test_a_state_that_does_not_exist_is_refused(reader: httpx.Client) -> None:
    assert reader.get("/?state=merry").status_code == 422
    assert reader.get("/?page=0").status_code == 422


def test_what_was_searched_is_escaped(reader: httpx.Client) -> None:
    html = page(reader, "/?q=<script>alert(1)</script>&city=<b>")
    assert "<script>alert" not in html
    assert "<b>&" not in html


def test_the_stream_of_a_page_tells_of_its_tiles_and_of_the_newest_value_of_all(country: City) -> None:
    context = country.context()
    shown = country.furnaces[0]
    followed = stream.Followed(None, None, frozenset({shown.id, 10**6}))
    watch = stream.Watch(context, context.reader(EVERYTHING), followed, texts(Locale.EN))
    first = watch.values()
    assert {one.shown.id for one in first.values} == {
        shown.series[name] for name in ("phase", "chamber2_temperature", "flue_o2")
    }
    assert first.newest_at_ms == NOW_MS - 400
    country.measure(country.furnaces[7], {"flue_o2": 9.9}, age_ms=100)
    second = watch.values()
    assert (second.values, second.newest_at_ms) == ([], NOW_MS - 100)


def test_the_page_follows_the_tiles_that_it_shows(country: City, reader: httpx.Client) -> None:
    html = page(reader, "/")
    assert f'data-stream="/api/v1/stream?lang=en&amp;tiles={country.furnaces[0].id}"' in html


def test_burning_furnaces_are_counted_as_their_tiles_show_them(tmp_path: Path) -> None:
    with empty_city(tmp_path, Http(port=0)) as city:
        furnaces = settle(city, 14, 1)
        city.measure(furnaces[0], {"phase": 0.0}, age_ms=100)
        city.measure(furnaces[1], {"phase": 6.0}, age_ms=100)
        city.measure(furnaces[2], {"phase": Reason.TIMEOUT}, age_ms=100)
        city.measure(furnaces[3], {"phase": 99.0}, age_ms=100)
        with served(city) as address, httpx.Client(base_url=address, timeout=60) as client:
            assert "Furnaces running 10 of 14" in words(page(client, "/"))
            city.now_ms += 60_000
            city.measure(furnaces[4], {"phase": 4.0}, age_ms=100)
            assert "Furnaces running 1 of 14" in words(page(client, "/"))
