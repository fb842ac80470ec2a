"""What Grafana's InfluxDB data source asks of the service: names, numbers, errors, and only the reader's homes."""

from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from ingest_service.config import Http
from ingest_service.store.batch import SampleBatch
from ingest_service.store.derived.point import Point, fields_of, tags_of
from tests.support.browser import served
from tests.support.city import HOUR_MS, MINUTE_MS, NOW_MS, City, small_city

SPAN = f"time >= {NOW_MS - HOUR_MS}ms AND time <= {NOW_MS}ms"


@pytest.fixture(scope="module")
def charted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """The small city with figures of two homes and of the whole service."""
    with small_city(tmp_path_factory.mktemp("charted"), Http(port=0)) as city:
        at_ms = NOW_MS - MINUTE_MS
        online = fields_of(online=1.0)
        homes = ("beishan", "donghu")
        city.derived.write([Point("edge", tags_of(home=home, edge="gateway"), at_ms, online) for home in homes])
        city.derived.write([Point("service", (), at_ms, fields_of(lag_s=0.4))])
        city.derived.write([Point("progress", tags_of(what="judgement"), at_ms, fields_of(row=7.0))])
        for furnace in (city.furnaces[0], city.furnaces[3]):
            series = np.array([furnace.series["co"], furnace.series["flue_o2"]], np.int32)
            times = np.full(2, at_ms, np.int64)
            city.store.write(SampleBatch(series, times, np.array([40.0, np.nan]), np.array([0, 37], np.uint8)))
        yield city


@pytest.fixture(scope="module")
def everyone(charted: City) -> Iterator[httpx.Client]:
    with served(charted) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def donghu(charted: City) -> Iterator[httpx.Client]:
    """Someone who may see Donghu only."""
    with served(charted, ["donghu"]) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client


def asked(client: httpx.Client, text: str) -> list[dict[str, Any]]:
    """The tables of one statement."""
    answer = client.get("/query", params={"q": text, "db": "clearstack", "epoch": "ms"})
    assert answer.status_code == 200, answer.text
    (result,) = answer.json()["results"]
    found: list[dict[str, Any]] = result.get("series", [])
    return found


def values(client: httpx.Client, text: str) -> list[list[Any]]:
    return [row for table in asked(client, text) for row in table["values"]]


def test_a_data_source_finds_an_influxdb_1(everyone: httpx.Client) -> None:
    answer = everyone.get("/ping")
    assert answer.status_code == 204
    assert answer.headers["X-Influxdb-Version"].startswith("1.8")
    assert everyone.head("/ping").status_code == 204
    assert everyone.get("/health").json()["status"] == "pass"


def test_names_are_listed(everyone: httpx.Client) -> None:
    names = [row[0] for row in values(everyone, "SHOW MEASUREMENTS")]
    assert {"sample", "minute_mean", "hour_covered", "average", "event", "service"} < set(names)
    assert "progress" not in names, "how far the service has come is nobody's business"
    assert ["co", "float"] in values(everyone, 'SHOW FIELD KEYS FROM "minute_mean"')
    assert ["online", "float"] in values(everyone, 'SHOW FIELD KEYS FROM "edge"')
    assert values(everyone, 'SHOW TAG KEYS FROM "sample"') == [["device"], ["edge"], ["furnace"], ["home"]]
    assert values(everyone, "SHOW RETENTION POLICIES ON clearstack")[0][0] == "autogen"
    assert values(everyone, "SHOW DATABASES") == [["clearstack"]]
    homes = values(everyone, 'SHOW TAG VALUES FROM "sample" WITH KEY = "home"')
    assert homes == [["home", "beishan"], ["home", "donghu"], ["home", "nanping"]]
    wanted = 'SHOW TAG VALUES WITH KEY = "furnace" WHERE "home" = \'donghu\' LIMIT 1'
    assert values(everyone, wanted) == [["furnace", "furnace-1"]]


def test_samples_reasons_and_means_are_selected(everyone: httpx.Client) -> None:
    at_ms = NOW_MS - MINUTE_MS
    where = f"{SPAN} AND \"home\" = 'beishan'"
    assert values(everyone, f'SELECT "co", "flue_o2" FROM "sample" WHERE {where}') == [[at_ms, 40.0, None]]
    assert values(everyone, f'SELECT "flue_o2" FROM "quality" WHERE {where}') == [[at_ms, 37.0]]
    (row,) = values(everyone, f'SELECT count("co") FROM "minute_mean" WHERE {where}')
    assert row[1] == 59


def test_times_come_in_the_unit_asked_for(everyone: httpx.Client) -> None:
    text = f'SELECT "co" FROM "sample" WHERE {SPAN} AND "home" = \'beishan\''
    at_ms = NOW_MS - MINUTE_MS
    for epoch, wanted in (("ms", at_ms), ("s", at_ms // 1000), ("ns", at_ms * 10**6), ("", "2026-03-10T02:41:17.000Z")):
        answer = everyone.post("/query", params={"epoch": epoch}, data={"q": text}).json()
        assert answer["results"][0]["series"][0]["values"][0][0] == wanted


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "missing required parameter"),
        ("DROP MEASUREMENT sample", "nothing else is answered here"),
        ("INSERT sample co=1", "nothing else is answered here"),
        ("SELECT derivative(co) FROM sample", "function derivative() is not understood (known: mean, sum"),
    ],
)
def test_what_is_not_understood_is_told_as_influxdb_does(everyone: httpx.Client, text: str, said: str) -> None:
    answer = everyone.get("/query", params={"q": text})
    assert answer.status_code == 400
    assert said in answer.json()["error"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('SELECT "co" FROM "sample"', "a condition on time is needed"),
        (f'SELECT max("co") FROM "sample" WHERE time > {NOW_MS - 9_000 * HOUR_MS}ms', "too many samples"),
        (f'SELECT mean("co") FROM "minute_mean" WHERE {SPAN} GROUP BY time(1ms)', "ask for longer ones"),
    ],
)
def test_what_would_be_too_much_leaves_other_statements_alone(everyone: httpx.Client, text: str, said: str) -> None:
    results = everyone.get("/query", params={"q": f"{text}; SHOW DATABASES"}).json()["results"]
    assert said in results[0]["error"]
    assert results[1]["series"]


def test_an_unknown_measurement_has_no_rows(everyone: httpx.Client) -> None:
    assert asked(everyone, f'SELECT "x" FROM "nothing" WHERE {SPAN}') == []
    assert asked(everyone, f'SELECT "row" FROM "progress" WHERE {SPAN}') == []
    assert asked(everyone, 'SHOW TAG VALUES FROM "nothing" WITH KEY = "home"') == []


@pytest.mark.parametrize(
    "text",
    [
        f'SELECT "co" FROM "sample" WHERE {SPAN} GROUP BY "home"',
        f'SELECT "flue_o2" FROM "quality" WHERE {SPAN} GROUP BY "home"',
        f'SELECT last("online") FROM "edge" WHERE {SPAN} GROUP BY "home"',
    ],
)
def test_a_reader_finds_their_own_homes_alone(donghu: httpx.Client, everyone: httpx.Client, text: str) -> None:
    assert {table["tags"]["home"] for table in asked(everyone, text)} == {"beishan", "donghu"}
    assert {table["tags"]["home"] for table in asked(donghu, text)} == {"donghu"}


def test_a_reader_of_some_homes_learns_no_names_and_no_figures_of_the_rest(donghu: httpx.Client) -> None:
    assert values(donghu, 'SHOW TAG VALUES WITH KEY = "home"') == [["home", "donghu"]]
    assert values(donghu, 'SHOW TAG VALUES FROM "edge" WITH KEY = "home"') == [["home", "donghu"]]
    assert asked(donghu, f'SELECT last("lag_s") FROM "service" WHERE {SPAN}') == []
    assert (
        asked(
            donghu, f'SELECT "co" FROM "sample" WHERE {SPAN} AND ("home" = \'beishan\' OR "co" > 0 AND "home" = \'x\')'
        )
        == []
    )
