"""What lies outside the reader's scope does not exist for them: on the page, in the API, in the live stream."""

from collections.abc import Iterator

import httpx
import pytest

from ingest_service.api.context import EVERYTHING
from ingest_service.config import Http
from ingest_service.store import journal
from ingest_service.store.overview import Scope
from tests.support.browser import served
from tests.support.city import NOW_MS, City, silent, small_city

SPAN = f"from={NOW_MS - 3_600_000}&to={NOW_MS}"


@pytest.fixture(scope="module")
def donghu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Someone who may see Donghu only."""
    with (
        small_city(tmp_path_factory.mktemp("bounded"), Http(port=0)) as city,
        served(city, ["donghu"]) as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        yield client


@pytest.mark.parametrize(
    "path",
    [
        "/homes/beishan",
        "/homes/beishan/furnaces/furnace-1",
        "/alarms/1",
        "/api/v1/homes/beishan",
        "/api/v1/homes/beishan/furnaces/furnace-1",
        f"/api/v1/homes/beishan/furnaces/furnace-1/trends?{SPAN}",
        f"/api/v1/homes/beishan/furnaces/furnace-1/judgements?{SPAN}",
        f"/api/v1/series/1/means?{SPAN}",
        f"/api/v1/series/1/raw?{SPAN}",
        "/api/v1/alarms/1",
        "/api/v1/stream?home=beishan",
        "/api/v1/stream?furnace=1",
    ],
)
def test_another_homes_things_are_not_found(donghu: httpx.Client, path: str) -> None:
    assert donghu.get(path).status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/", "/alarms", "/inbox", "/data", "/homes/donghu", "/homes/donghu/furnaces/furnace-1"],
)
def test_pages_speak_of_no_other_home(donghu: httpx.Client, path: str) -> None:
    html = donghu.get(path, headers={"Accept-Language": "en"}).text
    assert "Beishan" not in html
    assert "beishan" not in html
    assert 'data-alarms="0"' in html, "another home's open alarm is not counted"


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/homes",
        "/api/v1/furnaces",
        "/api/v1/furnaces?home=beishan",
        "/api/v1/alarms?state=all",
        "/api/v1/alarms?state=all&home=beishan",
        "/api/v1/alarms?state=all&furnace=1",
        "/api/v1/exceedances",
        "/api/v1/exceedances?home=beishan",
        "/api/v1/exceedances?furnace=1",
        "/api/v1/edges",
        "/api/v1/edges?home=beishan",
        "/api/v1/rejections",
        "/api/v1/inbox",
    ],
)
def test_lists_hold_nothing_of_another_home(donghu: httpx.Client, path: str) -> None:
    response = donghu.get(path)
    assert response.status_code == 200
    assert "beishan" not in response.text
    assert "北山" not in response.text


@pytest.mark.parametrize("path", ["/alarms/1/acknowledge", "/api/v1/alarms/1/acknowledge"])
def test_another_homes_alarm_cannot_be_acknowledged(own_city: City, path: str) -> None:
    with (
        served(own_city, ["donghu"]) as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        answer = client.post(path, json={}) if path.startswith("/api") else client.post(path)
    assert answer.status_code == 404
    record = journal.alarm(own_city.context().reader(EVERYTHING), 1)
    assert record is not None
    assert record.acknowledged_at_ms is None


def test_the_readers_own_home_is_all_there(donghu: httpx.Client) -> None:
    assert donghu.get("/api/v1/homes/donghu/furnaces/furnace-1").status_code == 200
    assert [alarm["id"] for alarm in donghu.get("/api/v1/alarms?state=all").json()] == [2]
    assert len(donghu.get("/api/v1/rejections").json()) == 1


def test_an_alarm_of_the_home_itself_is_bounded_too(own_city: City) -> None:
    own_city.observe(silent("nanping", NOW_MS - 600_000))
    context = own_city.context()
    reader = context.reader(Scope(frozenset({"beishan"})))
    assert [alarm.home_id for alarm in journal.open_alarms(reader)] == ["beishan"]
