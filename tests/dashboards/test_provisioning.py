"""What Grafana reads when it starts: fixed uids, folders that are there, alert rules whose queries find something."""

from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from dashboards.alerting import EXPRESSIONS, RULES
from dashboards.asking import Source
from dashboards.pages import JSON_FOLDER, PROVISIONING, ROOT
from dashboards.provisioning import Store
from dashboards.targets import Dialect
from dashboards.types import SourceRef, Target
from dashboards.writing import UIDS
from tests.dashboards.asked import LAST_MINUTES, Backends
from tests.ingest_service.api.rules import route_table

ENVIRONMENT = {
    "${CLEARSTACK_URL}", "${CLEARSTACK_KEY}", "${CLEARSTACK_BUCKET}", "${CLEARSTACK_DASHBOARDS}",
    "${CLEARSTACK_ALERTS_URL}", "${CLEARSTACK_ALERTS_KEY}",
}  # fmt: skip


def read(store: Store, name: str) -> Any:
    return yaml.safe_load((ROOT / PROVISIONING / store / name).read_text(encoding="utf-8"))


def rules(store: Store) -> list[dict[str, Any]]:
    (group,) = read(store, "alerting/plumbing.yaml")["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


@pytest.mark.parametrize("store", list(Store))
def test_data_sources_have_the_uids_that_dashboards_hold_at_first(store: Store) -> None:
    sources = read(store, "datasources/clearstack.yaml")["datasources"]
    wanted = [UIDS[Source.RAW]] if store.dialect is Dialect.PROMQL else list(UIDS.values())
    assert [source["uid"] for source in sources] == wanted
    assert {source["type"] for source in sources} == {store.dialect.plugin}
    assert sum(source["isDefault"] for source in sources) == 1
    assert not any(source["editable"] for source in sources)


@pytest.mark.parametrize("store", list(Store))
def test_no_file_holds_an_address_or_a_secret(store: Store) -> None:
    for source in read(store, "datasources/clearstack.yaml")["datasources"]:
        assert source["url"] == "${CLEARSTACK_URL}"
        for value in source.get("secureJsonData", {}).values():
            assert value.split(" ")[1] == "${CLEARSTACK_KEY}"


@pytest.mark.parametrize("store", list(Store))
def test_folders_of_dashboards_are_there(store: Store) -> None:
    for provider in read(store, "dashboards/clearstack.yaml")["providers"]:
        path = provider["options"]["path"].replace("${CLEARSTACK_DASHBOARDS}", str(ROOT / JSON_FOLDER))
        assert len(list((ROOT / path).glob("*.json"))) == 5
        assert provider["allowUiUpdates"] is False


@pytest.mark.parametrize("store", list(Store))
def test_alert_rules_are_whole_and_ask_the_sources_that_are_provisioned(store: Store) -> None:
    known = {source["uid"] for source in read(store, "datasources/clearstack.yaml")["datasources"]}
    assert len({rule["uid"] for rule in rules(store)}) == len(RULES)
    for rule in rules(store):
        steps = {step["refId"]: step for step in rule["data"]}
        assert rule["condition"] in steps
        assert steps["A"]["datasourceUid"] in known
        assert {steps[ref]["datasourceUid"] for ref in ("B", "C")} == {EXPRESSIONS}
        assert [steps[ref]["model"]["expression"] for ref in ("B", "C")] == ["A", "B"]
        assert "/" in rule["annotations"]["summary"], "in both languages"


@pytest.mark.parametrize("store", list(Store))
def test_what_fires_is_told_to_a_route_of_the_service_with_a_key_from_the_environment(store: Store) -> None:
    found = read(store, "alerting/plumbing.yaml")
    (point,), (policy,) = found["contactPoints"], found["policies"]
    (receiver,), (route,) = point["receivers"], policy["routes"]
    settings = receiver["settings"]
    assert (receiver["type"], receiver["disableResolveMessage"], settings["httpMethod"]) == ("webhook", False, "POST")
    assert settings["url"].replace("${CLEARSTACK_ALERTS_URL}", "") in {one.path for one in route_table()}
    assert settings["authorization_credentials"] == "${CLEARSTACK_ALERTS_KEY}"
    assert route["receiver"] == point["name"] != policy["receiver"]
    wanted = {name: value for name, sign, value in route["object_matchers"] if sign == "="}
    assert all(rule["labels"] == wanted for rule in rules(store))


def test_the_environment_that_files_name_is_set_by_what_starts_grafana() -> None:
    for name in ("run.sh", "compose.yaml"):
        text = (ROOT / PROVISIONING / name).read_text(encoding="utf-8")
        assert all(variable.strip("${}") in text for variable in ENVIRONMENT), name


def test_one_rule_alarms_when_nothing_comes() -> None:
    silent = [rule["uid"] for rule in rules(Store.SERVICE) if rule["noDataState"] == "Alerting"]
    assert silent == ["clearstack-service-silent"]


@pytest.mark.parametrize("rule", rules(Store.SERVICE), ids=lambda rule: str(rule["uid"]))
def test_the_query_of_an_alert_rule_finds_its_figure(rule: dict[str, Any], backends: Backends) -> None:
    target = Target(
        ref_id="A",
        datasource=SourceRef(type="influxdb", uid="${minute}"),
        query=rule["data"][0]["model"]["query"].replace("$$", "$"),
    )
    expected = backends.influxql(backends.influx, target, LAST_MINUTES)
    assert expected
    assert backends.influxql(backends.service, target, LAST_MINUTES) == expected
    twin = next(one for one in rules(Store.VICTORIAMETRICS) if one["uid"] == rule["uid"])
    other = Target(ref_id="A", datasource=target.datasource, expr=twin["data"][0]["model"]["expr"].replace("$$", "$"))
    assert backends.promql(other, LAST_MINUTES)


def test_a_dollar_is_doubled_where_grafana_would_look_for_a_variable_of_the_environment() -> None:
    for store in Store:
        for path in (ROOT / PROVISIONING / store).rglob("*.yaml"):
            text = path.read_text(encoding="utf-8").replace("$$", "")
            for name in ENVIRONMENT:
                text = text.replace(name, "")
            assert "$" not in text, path
