"""Marks and remarks over JSON."""

import httpx
import pytest

from ingest_service.api.marks import BACK_DAYS
from tests.support.city import HOUR_MS, NOW_MS, City

FURNACE = "/api/v1/homes/beishan/furnaces/furnace-1"
START = NOW_MS // HOUR_MS * HOUR_MS - 2 * HOUR_MS
DAY_MS = 24 * HOUR_MS


def body(**changes: object) -> dict[str, object]:
    known = {"state": "calibration", "start_ms": START, "end_ms": START + HOUR_MS, "reason": "span gas"}
    return known | changes


def listed(client: httpx.Client) -> list[dict[str, object]]:
    found: list[dict[str, object]] = client.get(
        f"{FURNACE}/marks", params={"from": NOW_MS - DAY_MS, "to": NOW_MS}
    ).json()
    return found


def test_a_mark_is_kept_and_its_hours_are_judged_again(own_city: City, own_client: httpx.Client) -> None:
    answer = own_client.post(f"{FURNACE}/marks", json=body())
    assert answer.status_code == 201, answer.text
    mark = answer.json()
    assert (mark["state"], mark["act"], mark["holds"], mark["recorded_at_ms"]) == (
        "calibration",
        "entered",
        True,
        NOW_MS,
    )
    assert listed(own_client) == [mark]
    assert own_city.marked == [(own_city.furnaces[0].id, START, START + HOUR_MS)]


def test_a_correction_reopens_what_was_and_what_is_marked(own_city: City, own_client: httpx.Client) -> None:
    first = own_client.post(f"{FURNACE}/marks", json=body()).json()["id"]
    own_city.marked.clear()
    answer = own_client.post(
        f"/api/v1/marks/{first}/correct", json=body(start_ms=START + HOUR_MS, end_ms=START + 2 * HOUR_MS)
    )
    assert answer.status_code == 201, answer.text
    assert [(span[1] - START) // HOUR_MS for span in own_city.marked] == [0, 1]
    assert [mark["holds"] for mark in listed(own_client)] == [False, True]
    again = own_client.post(f"/api/v1/marks/{first}/correct", json=body())
    assert again.status_code == 422
    assert "another record stands in its place" in again.json()["detail"]


def test_a_withdrawal_is_a_record_too(own_client: httpx.Client) -> None:
    first = own_client.post(f"{FURNACE}/marks", json=body()).json()["id"]
    answer = own_client.post(f"/api/v1/marks/{first}/withdraw", json={"reason": "wrong furnace"})
    assert answer.json()["act"] == "withdrawn"
    assert [mark["holds"] for mark in listed(own_client)] == [False, False]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"state": "holiday"}, "start_up, calibration, maintenance, fault, stopped"),
        ({"end_ms": START}, "after the start"),
        ({"end_ms": START + 32 * DAY_MS}, "31 days"),
        ({"start_ms": NOW_MS + 20 * DAY_MS, "end_ms": NOW_MS + 40 * DAY_MS}, "days ahead"),
        ({"start_ms": NOW_MS - 401 * DAY_MS, "end_ms": NOW_MS - 400 * DAY_MS}, f"{BACK_DAYS} days back"),
        ({"reason": "  "}, "reason"),
        ({"who": "x"}, "who"),
    ],
    ids=["unknown state", "no length", "too long", "too far ahead", "too far back", "no reason", "another's name"],
)
def test_what_cannot_be_marked_is_refused_in_words(client: httpx.Client, wrong: dict[str, object], said: str) -> None:
    answer = client.post(f"{FURNACE}/marks", json=body(**wrong))
    assert answer.status_code == 422
    assert said in answer.text


def test_cause_and_action_of_an_exceedance_are_filled_in_and_the_newest_holds(own_client: httpx.Client) -> None:
    said = {"cause": "control_equipment", "detail": "feeder empty", "action": "lime refilled"}
    assert own_client.post("/api/v1/exceedances/1/remarks", json=said).status_code == 201
    answer = own_client.post("/api/v1/exceedances/1/remarks", json=said | {"action": "feeder replaced"})
    assert [one["action"] for one in answer.json()] == ["lime refilled", "feeder replaced"]
    assert own_client.get("/api/v1/exceedances/1/remarks").json() == answer.json()


@pytest.mark.parametrize("wrong", [{"cause": "weather"}, {"action": ""}, {"who": "x"}])
def test_a_remark_that_says_too_little_is_refused(client: httpx.Client, wrong: dict[str, str]) -> None:
    said = {"cause": "process", "action": "adjusted"}
    assert client.post("/api/v1/exceedances/1/remarks", json=said | wrong).status_code == 422


@pytest.mark.parametrize(
    "path", ["/api/v1/exceedances/99/remarks", "/api/v1/homes/beishan/furnaces/x/marks?from=0&to=1"]
)
def test_what_is_not_there_is_not_found(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404
