"""Overview and lists of a country: 60 homes in 10 cities, two of them silent; a furnace in alarm and over a limit."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest

from edge_agent.wire.sample import Reason
from ingest_service.alarms.vocabulary import Locale
from ingest_service.api import stream
from ingest_service.api.context import EVERYTHING
from ingest_service.api.page import alarms, data
from ingest_service.api.page.city import HOMES_A_PAGE
from ingest_service.api.page.texts import texts
from ingest_service.config import Http
from tests.ingest_service.api.test_pages import page, words
from tests.support.browser import served
from tests.support.city import NOW_MS, City, empty_city, in_order, stuck
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


def test_alarms_stand_by_place_and_severity_a_page_at_a_time(
    reader: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alarms, "OPEN_A_PAGE", 2)
    html = page(reader, "/alarms")
    assert "All 3 High 2 Medium 1" in words(html)
    after = re.search(r'rel="next" href="([^"]+)"', html)
    assert after
    rest = page(reader, after.group(1))
    shown = [re.findall(r'<article class="alarm" id="([^"]+)"', part) for part in (html, rest)]
    assert [len(part) for part in shown] == [2, 1]
    assert len({*shown[0], *shown[1]}) == 3
    city = words(page(reader, "/alarms?city=市6"))
    assert in_order(["Alarms City 6", "All places", "Open 1"], city)
    assert "Open 1" in words(page(reader, "/alarms?severity=medium"))
    assert "Open 0" in words(page(reader, "/alarms?city=nowhere"))


def test_the_place_of_the_overview_leads_to_its_alarms(reader: httpx.Client) -> None:
    html = page(reader, "/?city=市6&district=区13").replace("&amp;", "&")
    link = re.search(r'href="(/alarms\?[^"]+)"', html)
    assert link
    assert "Open 1" in words(page(reader, link.group(1)))


def test_finished_alarms_are_reached_page_by_page(
    own_city: City, own_client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alarms, "FINISHED_A_PAGE", 1)
    condition = stuck(own_city.furnaces[4], NOW_MS - 90_000)
    (number,) = own_city.observe(condition)
    own_city.alarms.acknowledge(number, "Li Min", "", NOW_MS)
    own_city.observe(msgspec.structs.replace(condition, ends_ms=NOW_MS))
    first, second = (page(own_client, f"/alarms?finished={at}").partition('id="finished"')[2] for at in (1, 2))
    assert "1–1 of 2" in words(first)
    assert [f"alarm-{number}" in part for part in (first, second)] == [True, False]
    assert "alarm-2" in second


def test_silent_edges_come_first_and_the_others_a_page_at_a_time(
    reader: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "EDGES_A_PAGE", 20)
    html = page(reader, "/data")
    assert in_order(["Home 0 / gateway", "Home 40 / gateway", "Home 1 / gateway"], html)
    assert html.count("/ gateway") == 20
    assert "1–20 of 60" in words(html)
    assert "41–60 of 60" in words(page(reader, "/data?page=3"))
    found = page(reader, "/data?q=home 40")
    assert found.count("/ gateway") == 1
    assert "Home 40 / gateway" in found
    assert "No edge goes by this name." in words(page(reader, "/data?q=nowhere"))


@pytest.mark.parametrize(("path", "total"), [("/api/v1/homes", 60), ("/api/v1/furnaces", 120)])
def test_lists_for_programs_come_in_parts_of_a_stable_order_with_their_total(
    reader: httpx.Client, path: str, total: int
) -> None:
    whole = reader.get(path)
    assert (len(whole.json()), whole.headers["x-total-count"]) == (total, str(total))
    parts = [reader.get(path, params={"limit": 25, "offset": offset}).json() for offset in range(0, total, 25)]
    assert [one for part in parts for one in part] == whole.json()
    beyond = reader.get(path, params={"offset": total})
    assert (beyond.json(), beyond.headers["x-total-count"]) == ([], str(total))
    assert reader.get(path, params={"limit": 10_001}).status_code == 422


def test_alarms_for_programs_come_in_parts_open_ones_first(client: httpx.Client) -> None:
    parts = [client.get(f"/api/v1/alarms?state=all&limit=1&offset={offset}") for offset in range(3)]
    assert [[alarm["id"] for alarm in part.json()] for part in parts] == [[1], [2], []]
    assert {part.headers["x-total-count"] for part in parts} == {"2"}
    assert client.get("/api/v1/alarms").headers["x-total-count"] == "1"
