"""What Grafana reads when it starts: fixed uids, folders that are there, alert rules whose queries find something."""

import re
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
    "${CLEARSTACK_WATCH}", "${CLEARSTACK_WATCH_MAIL}", "${CLEARSTACK_WATCH_HOOK}",
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
    assert not any(source["isDefault"] for source in sources), "an organisation may have a default of its own"
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


def points(store: Store) -> dict[str, dict[str, Any]]:
    """The receiver of each contact point; with several, Grafana would show as many contact points of one name."""
    found = {one["name"]: one["receivers"] for one in read(store, "alerting/plumbing.yaml")["contactPoints"]}
    return {name: receiver for name, (receiver,) in found.items()}


@pytest.mark.parametrize("store", list(Store))
def test_what_fires_is_told_to_a_route_of_the_service_with_a_key_from_the_environment(store: Store) -> None:
    receiver = points(store)["clearstack"]
    settings = receiver["settings"]
    assert (receiver["type"], receiver["disableResolveMessage"], settings["httpMethod"]) == ("webhook", False, "POST")
    assert settings["url"].replace("${CLEARSTACK_ALERTS_URL}", "") in {one.path for one in route_table()}
    assert settings["authorization_credentials"] == "${CLEARSTACK_ALERTS_KEY}"


@pytest.mark.parametrize("store", list(Store))
def test_rules_name_their_contact_point_so_that_no_notification_policy_is_touched(store: Store) -> None:
    assert read(store, "alerting/plumbing.yaml").keys() == {"apiVersion", "groups", "contactPoints"}
    for rule in rules(store):
        told = rule["notification_settings"]
        assert in_environment(told["receiver"], {}) == "clearstack"
        assert {"grafana_folder", "alertname"} <= set(told["group_by"]), "Grafana refuses a grouping without them"


@pytest.mark.parametrize("store", list(Store))
@pytest.mark.parametrize(
    ("environment", "name", "kind", "setting", "value"),
    [
        ({"CLEARSTACK_WATCH": "-mail", "CLEARSTACK_WATCH_MAIL": "duty@example.org;it@example.org"},
         "clearstack-mail", "email", "addresses", ";duty@example.org;it@example.org"),
        ({"CLEARSTACK_WATCH": "-hook", "CLEARSTACK_WATCH_HOOK": "hooks.example.org/duty"},
         "clearstack-hook", "webhook", "url", "https://hooks.example.org/duty"),
    ],
    ids=["mail", "webhook"],
)  # fmt: skip
def test_a_silent_service_is_told_to_a_contact_point_that_does_not_need_it(
    store: Store, environment: dict[str, str], name: str, kind: str, setting: str, value: str
) -> None:
    told = {
        rule["uid"]: in_environment(rule["notification_settings"]["receiver"], environment) for rule in rules(store)
    }
    assert told.pop("clearstack-service-silent") == name
    assert set(told.values()) == {"clearstack"}
    receiver = points(store)[name]
    assert receiver["type"] == kind
    assert in_environment(receiver["settings"][setting], environment) == value


@pytest.mark.parametrize("store", list(Store))
def test_without_the_environment_no_setting_is_empty_which_would_keep_grafana_from_starting(store: Store) -> None:
    for name, receiver in points(store).items():
        wanted = "addresses" if receiver["type"] == "email" else "url"
        assert in_environment(receiver["settings"][wanted], {}), name


def in_environment(text: str, environment: dict[str, str]) -> str:
    """As Grafana puts variables of the environment in, those that are not set as nothing."""
    return re.sub(r"\$\{(\w+)\}", lambda found: environment.get(found[1], ""), text)


def test_the_environment_that_files_name_is_set_by_what_starts_grafana() -> None:
    for name in ("run.sh", "compose.yaml"):
        text = (ROOT / PROVISIONING / name).read_text(encoding="utf-8")
        assert all(variable.strip("${}") in text for variable in ENVIRONMENT), name


def test_one_rule_alone_alarms_when_nothing_comes_or_nothing_answers() -> None:
    for state in ("noDataState", "execErrState"):
        found = {rule["uid"]: rule[state] for rule in rules(Store.SERVICE)}
        assert found.pop("clearstack-service-silent") == "Alerting"
        assert set(found.values()) == {"OK"}


def test_silence_is_alarmed_when_the_rule_says_so() -> None:
    (rule,) = [one for one in RULES if one.silence_is_alarm]
    assert rule.look_back_s + rule.minutes * 60 == 5 * 60
    assert "five minutes" in rule.en


@pytest.mark.parametrize("rule", rules(Store.SERVICE), ids=lambda rule: str(rule["uid"]))
def test_the_query_of_an_alert_rule_finds_its_figure(rule: dict[str, Any], backends: Backends) -> None:
    target = Target(
        ref_id="A",
        datasource=SourceRef(type="influxdb", uid="${minute}"),
        query=rule["data"][0]["model"]["query"],
    )
    expected = backends.influxql(backends.influx, target, LAST_MINUTES)
    assert expected
    assert backends.influxql(backends.service, target, LAST_MINUTES) == expected
    twin = next(one for one in rules(Store.VICTORIAMETRICS) if one["uid"] == rule["uid"])
    other = Target(ref_id="A", datasource=target.datasource, expr=twin["data"][0]["model"]["expr"])
    assert backends.promql(other, LAST_MINUTES)


@pytest.mark.parametrize("store", list(Store))
def test_dollars_are_single_in_queries_and_else_stand_before_variables_of_the_environment(store: Store) -> None:
    for path in (ROOT / PROVISIONING / store).rglob("*.yaml"):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        for group in content.get("groups", []):
            for rule in group["rules"]:
                queries = [step.pop("model") for step in rule["data"]]
                assert "$$" not in str(queries), "Grafana takes queries as they stand"
        text = str(content)
        for name in ENVIRONMENT:
            text = text.replace(name, "")
        assert "$" not in text, path
