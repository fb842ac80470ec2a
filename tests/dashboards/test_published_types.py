"""The committed files against the types that Grafana publishes for 11.6, and that the check sees what is wrong."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from dashboards.pages import JSON_FOLDER, PROVISIONING, ROOT
from dashboards.provisioning import Store
from tests.dashboards.published import page_faults, receiver_faults, rule_faults

FILES = sorted((ROOT / JSON_FOLDER).rglob("*.json"))


def plumbing(store: Store) -> dict[str, Any]:
    text = (ROOT / PROVISIONING / store / "alerting/plumbing.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(path.parts[-3:]))
def test_a_dashboard_has_only_what_grafanas_types_know(path: Path) -> None:
    assert page_faults(path) == []


def test_every_dashboard_in_both_dialects_and_languages_was_looked_at() -> None:
    assert len(FILES) == 5 * 2 * 2


@pytest.mark.parametrize("store", list(Store))
def test_alert_rules_and_ways_out_have_only_what_grafanas_types_know(store: Store) -> None:
    found = plumbing(store)
    (group,) = found["groups"]
    assert group.keys() == {"orgId", "name", "folder", "interval", "rules"}  # as files have it
    assert [fault for rule in group["rules"] for fault in rule_faults(rule, group["name"])] == []
    assert all(point.keys() == {"orgId", "name", "receivers"} for point in found["contactPoints"])
    receivers = [one for point in found["contactPoints"] for one in point["receivers"]]
    assert receivers
    assert [fault for one in receivers for fault in receiver_faults(one)] == []


# Which page, where in it, what is put there, and what is said of it.
WRONG: list[tuple[str, tuple[str | int, ...], object, str]] = [
    ("fleet", ("refresh",), 30, ".refresh: 30 is no str"),
    ("fleet", ("colour",), "red", ".colour: unknown"),
    ("fleet", ("graphTooltip",), 7, ".graphTooltip: 7 is no DashboardCursorSync"),
    ("fleet", ("templating", "list", 3, "definition"), "x", ".templating.list[3].definition: unknown"),
    ("emissions", ("annotations", "list", 1, "iconColour"), "red", "annotations[1].iconColour: unknown"),
    ("emissions", ("annotations", "list", 1, "target", "expr"), "x", "annotations[1].target.expr: unknown"),
    ("fleet", ("panels", 1, "type"), "statt", ".panels[1].type: statt is no kind of panel"),
    ("fleet", ("panels", 1, "gridPos", "w"), "6", ".panels[1].gridPos.w: '6' is no int"),
    ("fleet", ("panels", 1, "options", "colorMode"), "loud",
     ".panels[1].options.colorMode: 'loud' is no BigValueColorMode"),
    ("fleet", ("panels", 1, "options", "legend"), {}, ".panels[1].options.legend: unknown"),
    ("fleet", ("panels", 1, "targets", 0, "rawSql"), "x", ".panels[1].targets.A.rawSql: unknown"),
    ("fleet", ("panels", 7, "fieldConfig", "defaults", "custom", "spanNulls"), False,
     ".panels[7].custom.spanNulls: unknown"),
    ("fleet", ("panels", 9, "fieldConfig", "defaults", "unit"), 1, ".panels[9].fieldConfig.defaults.unit: 1 is no str"),
    ("emissions", ("panels", 4, "fieldConfig", "overrides", 0, "properties", 1, "value"), {"mode": "any"},
     ".panels[4].overrides[0].color.mode: 'any' is no FieldColorModeId"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "where", "value", "said"), WRONG, ids=[said for *_, said in WRONG])
def test_what_grafanas_types_do_not_know_is_said_with_its_path(
    name: str, where: tuple[str | int, ...], value: object, said: str, tmp_path: Path
) -> None:
    page = json.loads((ROOT / JSON_FOLDER / f"influxql/en/{name}.json").read_text(encoding="utf-8"))
    inner = page
    for one in where[:-1]:
        inner = inner[one]
    inner[where[-1]] = value
    changed = tmp_path / f"{name}.json"
    changed.write_text(json.dumps(page), encoding="utf-8")
    assert page_faults(changed) == [f"{name}.json: {said}"]


def test_a_key_that_must_be_there_is_missed(tmp_path: Path) -> None:
    page = json.loads((ROOT / JSON_FOLDER / "promql/zh/furnace.json").read_text(encoding="utf-8"))
    del page["panels"][1]["options"]["wideLayout"], page["templating"]["list"][0]["name"]
    changed = tmp_path / "furnace.json"
    changed.write_text(json.dumps(page), encoding="utf-8")
    assert set(page_faults(changed)) == {
        "furnace.json: .panels[1].options.wideLayout: missing", "furnace.json: .templating.list[0].name: missing",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("execErrState", "Fire", "'Fire' is none of ('OK', 'Alerting', 'Error')"),
        ("notification", {}, "notification: unknown"),
        ("notification_settings", {"group_by": ["alertname"]}, "notification_settings.receiver: missing"),
        ("for", 300, "for: 300 is no str"),
    ],
)
def test_a_wrong_alert_rule_is_seen(key: str, value: object, said: str) -> None:
    (group,) = plumbing(Store.SERVICE)["groups"]
    rule = {**copy.deepcopy(group["rules"][0]), key: value}
    (found,) = rule_faults(rule, group["name"])
    assert said in found


def test_a_wrong_expression_of_an_alert_rule_is_seen() -> None:
    (group,) = plumbing(Store.VICTORIAMETRICS)["groups"]
    rule = copy.deepcopy(group["rules"][0])
    rule["data"][1]["model"]["reducer"] = "newest"
    del rule["data"][2]["model"]["conditions"]
    rule["data"][0]["model"]["query"] = "x"
    found = rule_faults(rule, group["name"])
    assert len(found) == 3
    assert {one.split(":")[0].removeprefix("clearstack-service-silent.data.") for one in found} == {
        "A.model.query", "B.model.reducer", "C.model.conditions",
    }  # fmt: skip
