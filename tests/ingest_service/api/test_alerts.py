"""What Grafana's webhook tells: raised once, cleared when resolved, seen where the key stands."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from ingest_service.people.nodes import Node
from ingest_service.people.roles import KeyUse, Role
from ingest_service.people.tree import Tree
from ingest_service.store.doing import Doing
from tests.support.city import City
from tests.support.visitors import machine, visitor

URL = "/api/v1/alerts/grafana"
NEVER = "0001-01-01T00:00:00Z"
BEGAN = "2026-03-10T10:31:00.5+08:00"
ENDED = "2026-03-10T02:40:00Z"


def alert(status: str = "firing", fingerprint: str = "c6eadffa33fcdf37", **other: Any) -> dict[str, Any]:
    """As Grafana 11 sends it."""
    return {
        "status": status,
        "labels": {"alertname": "clearstack ingest-late", "grafana_folder": "Clearstack", "product": "clearstack"},
        "annotations": {"summary": "两分钟以上没有新数据入库 / Nothing was <b>stored</b>"},
        "startsAt": BEGAN,
        "endsAt": ENDED if status == "resolved" else NEVER,
        "generatorURL": "http://127.0.0.1:3000/alerting/grafana/clearstack-ingest-late/view",
        "fingerprint": fingerprint,
        "silenceURL": "http://127.0.0.1:3000/alerting/silence/new",
        "dashboardURL": "",
        "panelURL": "",
        "values": {"B": 312.0, "C": 1},
        "valueString": "[ var='B' labels={} value=312 ]",
        **other,
    }


def call(*alerts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "receiver": "clearstack",
        "status": "firing",
        "orgId": 1,
        "alerts": list(alerts),
        "groupLabels": {"alertname": "clearstack ingest-late"},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://127.0.0.1:3000/",
        "version": "1",
        "groupKey": "{}/{}:{}",
        "truncatedAlerts": 0,
        "title": "[FIRING:1]",
        "state": "alerting",
        "message": "**Firing**",
    }


def bearing(city: City, node: str = "all", *uses: KeyUse) -> dict[str, str]:
    return {"Authorization": f"Bearer {machine(city, node, *(uses or (KeyUse.ALERTS,)))}"}


def plumbing(client: httpx.Client, headers: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    answer = client.get("/api/v1/alarms?state=all", headers=headers)
    assert answer.status_code == 200, answer.text
    return [one for one in answer.json() if one["kind"] == "plumbing"]


def test_an_alert_is_raised_once_and_cleared_when_it_resolved(own_city: City, own_client: httpx.Client) -> None:
    headers = bearing(own_city)
    told = [own_client.post(URL, json=call(alert(status)), headers=headers).json()["changed"]
            for status in ("firing", "firing", "resolved", "resolved", "firing")]  # fmt: skip
    assert told == [1, 0, 1, 0, 0]
    (alarm,) = plumbing(own_client)
    assert alarm["state"] == "cleared_unacknowledged"
    assert (alarm["home_id"], alarm["severity"]) == ("", "medium")
    assert alarm["cleared_at_ms"] - alarm["raised_at_ms"] == 539_500
    assert alarm["what_en"] == "Monitoring centre: the monitoring system itself is not well (clearstack ingest-late)"
    assert alarm["what_zh"] == "监测中心：监测系统自身异常（clearstack ingest-late）"


def test_it_is_told_to_those_who_are_told_of_alarms(own_city: City, own_client: httpx.Client) -> None:
    own_client.post(URL, json=call(alert()), headers=bearing(own_city))
    (alarm,) = plumbing(own_client)
    detail = own_client.get(f"/api/v1/alarms/{alarm['id']}").json()
    assert {(one["receiver"], one["locale"]) for one in detail["deliveries"]} == {("duty", "zh"), ("duty", "en")}


def test_page_and_inbox_show_it_with_the_summary_as_a_quotation(own_city: City, own_client: httpx.Client) -> None:
    own_client.post(URL, json=call(alert()), headers=bearing(own_city))
    (alarm,) = plumbing(own_client)
    text = own_client.get(f"/alarms/{alarm['id']}?lang=en").text
    assert "Nothing was &lt;b&gt;stored&lt;/b&gt;”" in text
    assert "Since 2026-03-10 10:31 Grafana&#39;s rule clearstack ingest-late" in text
    assert "监测系统自身异常" in own_client.get("/alarms?lang=zh").text
    assert own_client.get("/?lang=en").status_code == 200
    answer = own_client.post(f"/api/v1/alarms/{alarm['id']}/acknowledge", json={"note": ""})
    assert answer.json()["answer"] == "acknowledged"


def test_an_alert_without_data_is_called_by_its_rule(own_city: City, own_client: httpx.Client) -> None:
    labels = {"alertname": "DatasourceNoData", "rulename": "clearstack service-silent"}
    own_client.post(URL, json=call(alert(labels=labels, annotations={})), headers=bearing(own_city))
    (alarm,) = plumbing(own_client)
    assert "(clearstack service-silent)" in alarm["what_en"]


def test_alerts_of_several_fingerprints_are_alarms_of_their_own(own_city: City, own_client: httpx.Client) -> None:
    answer = own_client.post(URL, json=call(alert(), alert(fingerprint="bc97ff14869b13e3")), headers=bearing(own_city))
    assert answer.json() == {"alerts": 2, "changed": 2}
    assert len(plumbing(own_client)) == 2


def organised(city: City) -> None:
    parents = {"city:jiangcheng": "all", "home:beishan": "city:jiangcheng", "home:donghu": "all", "home:new": "all"}
    tree = Tree(Node(id=node, parent_id=parent) for node, parent in parents.items())
    city.people.tree.apply(tree, Doing("the test", "", city.now_ms))
    city.people.directory.forget()


@pytest.mark.parametrize(
    ("key_at", "seen_from", "not_from"),
    [
        ("all", ["all"], ["city:jiangcheng", "home:beishan"]),
        ("city:jiangcheng", ["all", "city:jiangcheng"], ["home:beishan", "home:donghu"]),
        ("home:beishan", ["all", "city:jiangcheng", "home:beishan"], ["home:donghu"]),
        ("home:new", ["all", "home:new"], ["home:beishan"]),
    ],
)
def test_an_alarm_stands_at_the_node_of_the_key(
    own_city: City, own_client: httpx.Client, key_at: str, seen_from: list[str], not_from: list[str]
) -> None:
    organised(own_city)
    assert own_client.post(URL, json=call(alert()), headers=bearing(own_city, key_at)).json()["changed"] == 1
    (alarm,) = plumbing(own_client)
    for node in (*seen_from, *not_from):
        headers = {"Cookie": f"session={visitor(own_city, Role.ENGINEER, node)}"}
        assert len(plumbing(own_client, headers)) == (node in seen_from), node
        answer = own_client.post(f"/api/v1/alarms/{alarm['id']}/acknowledge", json={}, headers=headers)
        assert answer.status_code == (200 if node in seen_from else 404)


def test_a_key_at_one_node_clears_nothing_of_another(own_city: City, own_client: httpx.Client) -> None:
    organised(own_city)
    own_client.post(URL, json=call(alert()), headers=bearing(own_city))
    told = own_client.post(URL, json=call(alert("resolved")), headers=bearing(own_city, "city:jiangcheng"))
    assert told.json() == {"alerts": 1, "changed": 0}


def test_a_key_for_something_else_is_refused(own_city: City, own_client: httpx.Client) -> None:
    for use in set(KeyUse) - {KeyUse.ALERTS}:
        answer = own_client.post(URL, json=call(alert()), headers=bearing(own_city, "all", use))
        assert answer.status_code == 403, use
    assert plumbing(own_client) == []


def test_a_key_for_alerts_opens_nothing_else(own_city: City, own_client: httpx.Client) -> None:
    headers = bearing(own_city)
    for url in ("/api/v1/alarms", "/api/v1/homes", "/metrics", "/query?q=SHOW+MEASUREMENTS"):
        assert own_client.get(url, headers=headers).status_code == 403, url


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({}, "alerts"),
        ([], ""),
        ({"alerts": {}}, "alerts"),
        ({"alerts": [{}]}, "alerts.0.status"),
        (call(alert(status="pending")), "alerts.0.status"),
        (call(alert(labels={})), "alerts.0.labels.alertname"),
        (call(alert(labels={"alertname": ""})), "alerts.0.labels.alertname"),
        (call(alert(labels={"alertname": "x" * 201})), "alerts.0.labels.alertname"),
        (call(alert(fingerprint="")), "alerts.0.fingerprint"),
        (call(alert(startsAt="yesterday")), "alerts.0.startsAt"),
        (call(alert(startsAt="2026-03-10T10:31:00")), "alerts.0.startsAt"),
        (call(*[alert()] * 501), "alerts"),
    ],
)
def test_a_body_that_is_none_of_grafanas_is_refused_by_name(client: httpx.Client, body: object, names: str) -> None:
    answer = client.post(URL, json=body)
    assert answer.status_code == 422
    assert names in answer.json()["detail"]


def test_a_body_that_is_too_large_is_refused(client: httpx.Client) -> None:
    answer = client.post(URL, json=call(alert(annotations={"summary": "x" * 1_100_000})))
    assert answer.status_code == 413
