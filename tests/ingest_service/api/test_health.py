import re

import httpx

from tests.support.city import City


def test_the_process_is_alive(client: httpx.Client) -> None:
    assert client.get("/healthz").json() == {"status": "alive"}


def test_a_working_service_is_ready(client: httpx.Client) -> None:
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["ready"] is True
    assert [check["name"] for check in response.json()["checks"]] == [
        "database",
        "store",
        "writing",
        "broker",
        "ingest",
    ]


def test_readiness_names_what_is_in_the_way(own_city: City, own_client: httpx.Client) -> None:
    own_city.broker_connected = False
    own_city.counters.queued_messages = 5000
    response = own_client.get("/readyz")
    assert response.status_code == 503
    problems = {check["name"]: check["problem"] for check in response.json()["checks"] if check["problem"]}
    assert problems == {"broker": "not connected to the broker", "ingest": "5000 messages wait to be stored"}
    assert own_client.get("/healthz").status_code == 200


def test_a_closed_store_makes_the_service_unready(own_city: City, own_client: httpx.Client) -> None:
    own_city.store.close()
    response = own_client.get("/readyz")
    assert response.status_code == 503
    assert [check["name"] for check in response.json()["checks"] if check["problem"]] == ["store"]
    assert own_client.get("/metrics").status_code == 200


def test_a_store_that_fails_is_503_in_the_one_shape_of_errors(own_city: City, own_client: httpx.Client) -> None:
    series = own_city.furnaces[0].series["co"]
    own_city.store.close()
    response = own_client.get(f"/api/v1/series/{series}/means?from=0&to=60000")
    assert (response.status_code, response.json()["error"]) == (503, "unavailable")
    page = own_client.get("/homes/beishan/furnaces/furnace-1")
    assert page.status_code == 503
    assert "暂时不可用" in page.text


def test_figures_name_their_unit_or_are_totals(client: httpx.Client) -> None:
    text = client.get("/metrics").text
    figures = dict(re.findall(r"^(clearstack_\w+(?:\{[^}]*\})?) ([\d.e+-]+)$", text, re.MULTILINE))
    assert figures["clearstack_ingest_samples_stored_total"] == "90180.0"
    assert figures['clearstack_ingest_samples_rejected_total{reason="far_future"}'] == "31.0"
    assert figures["clearstack_ingest_last_batch_seconds"] == "0.0182"
    assert figures["clearstack_ingest_lag_seconds"] == "0.7"
    assert figures['clearstack_edges{state="online"}'] == "3.0"
    assert figures['clearstack_open_alarms{severity="high"}'] == "1.0"
    assert float(figures["clearstack_store_disk_bytes"]) > 0
    counters = re.findall(r"^# TYPE (\w+) counter$", text, re.MULTILINE)
    assert counters
    assert all(name.endswith("_total") for name in counters)
