"""The JSON API over a real server, on a seeded city."""

from typing import Any

import httpx
import pytest

from edge_agent.wire.sample import Reason
from tests.support.city import HOUR_MS, MINUTE_MS, NOW_MS, VALUES, City

FURNACE = "/api/v1/homes/beishan/furnaces/furnace-1"


def got(client: httpx.Client, path: str, **params: str | int) -> Any:
    response = client.get(path, params=params)
    assert response.status_code == 200, response.text
    return response.json()


def test_homes_are_listed_with_their_names_in_both_languages(client: httpx.Client) -> None:
    homes = got(client, "/api/v1/homes")
    assert [home["id"] for home in homes] == ["beishan", "donghu", "nanping"]
    assert (homes[0]["name_zh"], homes[0]["name_en"]) == ("北山殡仪馆", "Beishan Funeral Home")


def test_a_home_holds_its_furnaces_and_edges(client: httpx.Client) -> None:
    home = got(client, "/api/v1/homes/donghu")
    assert [furnace["name"] for furnace in home["furnaces"]] == ["furnace-1", "furnace-2"]
    assert [(edge["name"], edge["online"]) for edge in home["edges"]] == [("gateway", True)]


def test_furnaces_can_be_asked_for_one_home_or_all(client: httpx.Client) -> None:
    assert len(got(client, "/api/v1/furnaces")) == 7
    assert {furnace["home_id"] for furnace in got(client, "/api/v1/furnaces", home="nanping")} == {"nanping"}


def test_a_furnace_shows_every_tag_with_value_unit_quality_and_age(client: httpx.Client) -> None:
    tags = {tag["channel"]: tag for tag in got(client, FURNACE)["tags"]}
    assert set(tags) == set(VALUES)
    co = tags["co"]
    assert (co["value"], co["unit"], co["quality"], co["trust"]) == (42.7, "mg/m3", "good", "live")
    assert (co["measured_at_ms"], co["age_ms"]) == (NOW_MS - 400, 400)


def test_a_furnace_shows_its_running_hour_against_the_limits(client: httpx.Client) -> None:
    hours = {hour["pollutant"]: hour for hour in got(client, FURNACE)["hour_so_far"]}
    assert (hours["co"]["mean"], hours["co"]["limit"], hours["co"]["valid_minutes"]) == (51.9, 150.0, 41)
    assert hours["co"]["start_ms"] == NOW_MS // HOUR_MS * HOUR_MS


def test_a_bad_value_is_null_and_says_why(own_city: City, own_client: httpx.Client) -> None:
    own_city.measure(own_city.furnaces[0], {"so2": Reason.WIRE_BREAK}, age_ms=100)
    so2 = next(tag for tag in got(own_client, FURNACE)["tags"] if tag["channel"] == "so2")
    assert (so2["value"], so2["quality"], so2["trust"]) == (None, "wire_break", "bad")


@pytest.mark.parametrize(("points", "period_ms"), [(24 * 60, MINUTE_MS), (24 * 60 - 1, HOUR_MS)])
def test_who_asks_for_so_many_points_gets_the_finest_means_that_are_no_more(
    city: City, client: httpx.Client, points: int, period_ms: int
) -> None:
    series = city.furnaces[0].series["co"]
    day = {"from": NOW_MS - 24 * HOUR_MS, "to": NOW_MS}
    means = got(client, f"/api/v1/series/{series}/means", **day, points=points)
    assert means["period_ms"] == period_ms
    assert 0 < len(means["mean"]) <= points


def test_means_come_as_columns_of_their_period(city: City, client: httpx.Client) -> None:
    series = city.furnaces[0].series["co"]
    minutes = got(client, f"/api/v1/series/{series}/means", **{"from": NOW_MS - HOUR_MS, "to": NOW_MS})
    assert (minutes["period_ms"], minutes["unit"], len(minutes["mean"])) == (
        MINUTE_MS,
        "mg/m3",
        len(minutes["start_ms"]),
    )
    assert 58 <= len(minutes["mean"]) <= 60
    hours = got(client, f"/api/v1/series/{series}/means", period="hour", **{"from": NOW_MS - 5 * HOUR_MS, "to": NOW_MS})
    assert (hours["period_ms"], len(hours["mean"])) == (HOUR_MS, 4)


def test_raw_samples_come_as_the_edge_sent_them(city: City, client: httpx.Client) -> None:
    series = city.furnaces[0].series["phase"]
    raw = got(client, f"/api/v1/series/{series}/raw", **{"from": NOW_MS - 3 * HOUR_MS, "to": NOW_MS})
    assert raw["value"] == [3.0, 4.0, 4.0]
    assert raw["quality"] == ["good", "good", "good"]
    assert raw["measured_at_ms"][1] == NOW_MS - 23 * MINUTE_MS


@pytest.mark.parametrize(
    ("path", "from_ms", "to_ms", "said"),
    [
        pytest.param("/means", NOW_MS, NOW_MS, "from must lie before to", id="an empty span"),
        pytest.param("/means", NOW_MS, NOW_MS - 1, "from must lie before to", id="a span that runs backwards"),
        pytest.param("/means", 0, NOW_MS, "100000 minute means", id="more means than are sent at once"),
        pytest.param("/raw", NOW_MS - 25 * HOUR_MS, NOW_MS, "24 hours of samples", id="more than a day of samples"),
        pytest.param("/means", -1, NOW_MS, "from: ", id="a time before 1970"),
    ],
)
def test_a_span_that_cannot_be_answered_is_refused_in_words(
    city: City, client: httpx.Client, path: str, from_ms: int, to_ms: int, said: str
) -> None:
    url = f"/api/v1/series/{city.furnaces[0].series['co']}{path}"
    response = client.get(url, params={"from": from_ms, "to": to_ms})
    assert response.status_code == 422
    assert response.json()["error"] == "invalid"
    assert said in response.json()["detail"]


def test_trends_stand_on_one_grid_with_the_judged_hours(client: httpx.Client) -> None:
    trends = got(client, f"{FURNACE}/trends", **{"from": NOW_MS - 3 * HOUR_MS, "to": NOW_MS})
    lines = {line["quantity"]: line["mean"] for line in trends["lines"]}
    assert {len(line) for line in lines.values()} == {len(trends["start_ms"])} == {181}
    assert lines["co"][-1] is None, "the running minute has no mean yet"
    assert sum(mean is not None for mean in lines["co"]) == 180
    hcl = [hour for hour in trends["hours"] if hour["pollutant"] == "hcl"]
    assert [hour["verdict"] for hour in hcl] == ["invalid", "exceeded", "within"]


def test_judgements_name_mean_limit_verdict_and_rule(client: httpx.Client) -> None:
    start_ms = NOW_MS // HOUR_MS * HOUR_MS - 2 * HOUR_MS
    found = got(client, f"{FURNACE}/judgements", **{"from": start_ms, "to": start_ms + HOUR_MS})
    hcl = next(hour for hour in found if hour["pollutant"] == "hcl")
    assert (hcl["mean"], hcl["limit"], hcl["verdict"], hcl["rule"]) == (
        41.83,
        30.0,
        "exceeded",
        "gb13801-2015-table2@1",
    )
    too_long = client.get(f"{FURNACE}/judgements", params={"from": 0, "to": NOW_MS})
    assert (too_long.status_code, too_long.json()["error"]) == (422, "invalid")


def test_exceedances_can_be_narrowed_by_home_and_time(client: httpx.Client) -> None:
    (found,) = got(client, "/api/v1/exceedances")
    assert (found["home_id"], found["furnace"], found["pollutant"], found["peak"]) == (
        "beishan",
        "furnace-1",
        "hcl",
        66.2,
    )
    assert got(client, "/api/v1/exceedances", home="donghu") == []
    assert got(client, "/api/v1/exceedances", to=NOW_MS - 3 * HOUR_MS) == []


def test_rules_in_force_carry_limit_clause_and_source(client: httpx.Client) -> None:
    (rule,) = got(client, "/api/v1/rules")
    limits = {limit["pollutant"]: limit for limit in rule["limits"]}
    assert (rule["key"], rule["judged"], rule["valid_minutes"]) == ("gb13801-2015-table2@1", True, 45)
    assert (limits["nox"]["limit"], limits["nox"]["unit"]) == (200.0, "mg/m3")
    assert limits["nox"]["clause_zh"].startswith("GB 13801-2015")
    assert limits["nox"]["source"]


def test_open_alarms_are_listed_and_finished_ones_on_demand(client: httpx.Client) -> None:
    assert [alarm["kind"] for alarm in got(client, "/api/v1/alarms")] == ["exceedance"]
    everything = got(client, "/api/v1/alarms", state="all")
    assert [alarm["state"] for alarm in everything] == ["active_unacknowledged", "closed"]
    assert got(client, "/api/v1/alarms", home="donghu") == []
    assert "41.83" in everything[0]["what_zh"]
    assert "41.83" in everything[0]["what_en"]


def test_an_alarm_tells_its_life_and_who_was_told(client: httpx.Client) -> None:
    alarm = got(client, "/api/v1/alarms/2")
    assert [step["step"] for step in alarm["steps"]] == ["raised", "acknowledged", "cleared"]
    assert alarm["steps"][1]["who"] == "王建国"
    assert {(told["channel"], told["state"]) for told in alarm["deliveries"]} == {("inbox", "accepted")}


def test_an_acknowledgement_is_recorded_once(own_city: City, own_client: httpx.Client) -> None:
    first = own_client.post("/api/v1/alarms/1/acknowledge", json={"note": "on_it"})
    assert first.status_code == 200
    assert first.json()["answer"] == "acknowledged"
    assert (first.json()["alarm"]["acknowledged_by"], first.json()["alarm"]["acknowledged_at_ms"]) == ("local", NOW_MS)
    second = own_client.post("/api/v1/alarms/1/acknowledge", json={"note": "again"})
    assert second.json()["answer"] == "already_acknowledged"
    assert second.json()["alarm"]["acknowledged_by"] == "local"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"note": "y" * 401}, id="too long a note"),
        pytest.param({"who": "x"}, id="a name, which whoever signed in has already"),
    ],
)
def test_an_acknowledgement_that_is_not_right_changes_nothing(client: httpx.Client, body: dict[str, str]) -> None:
    response = client.post("/api/v1/alarms/1/acknowledge", json=body)
    assert (response.status_code, response.json()["error"]) == (422, "invalid")
    assert got(client, "/api/v1/alarms/1")["acknowledged_at_ms"] is None


def test_edges_rejections_and_inbox_tell_how_the_data_come_in(client: httpx.Client) -> None:
    assert [edge["clock_offset_ms"] for edge in got(client, "/api/v1/edges")] == [120, 120, 120]
    (refused,) = got(client, "/api/v1/rejections")
    assert (refused["reason"], refused["count"]) == ("far_future", 31)
    english = got(client, "/api/v1/inbox", lang="en")
    assert {letter["locale"] for letter in english} == {"en"}
    assert [letter["step"] for letter in english] == ["cleared", "acknowledged", "raised", "raised"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/homes/nowhere",
        "/api/v1/homes/beishan/furnaces/nothing",
        "/api/v1/homes/nowhere/furnaces/furnace-1",
        "/api/v1/series/999/means?from=0&to=1",
        "/api/v1/series/999/raw?from=0&to=1",
        "/api/v1/homes/beishan/furnaces/nothing/trends?from=0&to=1",
        "/api/v1/homes/beishan/furnaces/nothing/judgements?from=0&to=1",
        "/api/v1/alarms/999",
        "/api/v1/stream?furnace=999",
        "/api/v1/stream?home=nowhere",
        "/api/v1/nothing",
        "/static/0000/css/page.css",
    ],
)
def test_what_does_not_exist_is_404_in_the_one_shape_of_errors(client: httpx.Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert set(response.json()) == {"error", "detail"}
    assert response.json()["error"] == "not_found"


def test_a_method_that_is_not_there_has_the_same_shape(client: httpx.Client) -> None:
    response = client.delete("/api/v1/alarms/1")
    assert response.status_code == 405
    assert response.json()["error"] == "invalid"


def test_every_operation_is_described(client: httpx.Client) -> None:
    document = got(client, "/api/v1/openapi.json")
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len(operations) >= 20
    assert all(operation["summary"] and operation["tags"] and operation["description"] for operation in operations)
    assert {tag for operation in operations for tag in operation["tags"]} == {tag["name"] for tag in document["tags"]}
