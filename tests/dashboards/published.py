"""What of a JSON value the types that Grafana publishes do not know: unknown, missing or differently typed keys."""

import json
import types
import typing
from collections.abc import Iterator
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog import runtime
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import alerting, dashboard, expr, prometheus, units

UNITS = {value for name, value in vars(units).items() if not name.startswith("_") and isinstance(value, str)}
# Of InfluxDB's queries no types are published; these are the keys that its plugin reads of a raw query.
INFLUXDB = {"refId", "datasource", "query", "rawQuery", "resultFormat", "alias"}
# What the two plugins read of an annotation beside what every annotation has, which alone is published.
ANNOTATION = {"influxdb": set[str](), "prometheus": {"tagKeys", "titleFormat", "textFormat", "useValueForTime"}}
TARGET = {
    *INFLUXDB, "textColumn", "titleColumn", "timeEndColumn", "tagsColumn", "fromAnnotations", "queryType", "name",
    "limit", "matchAny", "tags", "type",
}  # fmt: skip
DATA_LINK = {"title", "url", "targetBlank"}
EXPRESSIONS = {"reduce": expr.TypeReduce, "threshold": expr.TypeThreshold, "math": expr.TypeMath}

register_default_plugins()


def page_faults(path: Path) -> list[str]:
    """Of a dashboard."""
    page: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    annotations = page["annotations"].pop("list")
    found = [*faults(page, dashboard.Dashboard, "", panels=True), *_annotations(annotations)]
    return [f"{path.name}: {one}" for one in found]


def rule_faults(rule: dict[str, Any], group: str) -> list[str]:
    """Of an alert rule as it is provisioned, where folder, group and organisation stand outside."""
    data, rest = rule["data"], {**rule, "data": [], "orgID": 1, "folderUID": "-", "ruleGroup": group}
    found = [*faults(rest, alerting.Rule, rule["uid"])]
    for step in data:
        where = f"{rule['uid']}.data.{step['refId']}"
        found += faults({**step, "model": None}, alerting.Query, where)
        found += query_faults(step["model"], f"{where}.model")
    return found


def receiver_faults(receiver: dict[str, Any]) -> list[str]:
    """Of one way out of a contact point."""
    return [*faults(receiver, alerting.ContactPoint, receiver["uid"])]


def query_faults(query: dict[str, Any], path: str) -> Iterator[str]:
    """Of a query by its data source: an expression of alert rules, InfluxDB's, or Prometheus'."""
    if "rawQuery" in query:
        yield from (f"{path}.{key}: unknown" for key in query.keys() - INFLUXDB)
    elif "type" in query:
        yield from faults(query, EXPRESSIONS[query["type"]], path)
    else:
        yield from faults({"intervalMs": None, **query}, _Prometheus, path)


class _Prometheus(prometheus.Dataquery):
    """With what Grafana sets for every query, which stands in the panel except in alert rules."""

    interval_ms: float | None

    def __init__(self) -> None:
        super().__init__()
        self.interval_ms = None

    def to_json(self) -> dict[str, object]:
        return {**super().to_json(), "intervalMs": self.interval_ms}


def _without_links(fields: dict[str, Any], path: str) -> tuple[dict[str, Any], list[str]]:
    """The fields without links from values, of which the package says what is true of links from pages only."""
    rest = {key: value for key, value in fields.items() if key != "links"}
    wrong = [one for one in fields.get("links", []) if not {"title", "url"} <= one.keys() <= DATA_LINK]
    return rest, [f"{path}.links: {one!r}" for one in wrong]


def faults(value: Any, hint: Any, path: str, *, panels: bool = False) -> Iterator[str]:
    """Of a value that is to be of a type of Grafana's; with `panels` also what depends on the kind of a panel."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        yield from _of_union(value, inner, path, panels=panels)
    elif origin is list:
        yield from _of_list(value, inner[0], path, panels=panels)
    elif origin is dict:
        yield from _of_map(value, inner[1], path)
    elif origin is typing.Literal:
        yield from () if value in inner else (f"{path}: {value!r} is none of {inner}",)
    elif hasattr(hint, "from_json"):
        yield from _of_object(value, hint, path, panels=panels)
    else:
        yield from _of_scalar(value, hint, path)


def _of_list(value: Any, hint: Any, path: str, *, panels: bool) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{path}: {value!r} is no list"
        return
    for at, one in enumerate(value):
        yield from faults(one, hint, f"{path}[{at}]", panels=panels)


def _of_map(value: Any, hint: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: {value!r} is no object"
        return
    for key, one in value.items():
        yield from faults(one, hint, f"{path}.{key}")


def _of_union(value: Any, inner: tuple[Any, ...], path: str, *, panels: bool) -> Iterator[str]:
    """Of several types the one that fits best."""
    if value is None and type(None) in inner:
        return
    tried = [list(faults(value, one, path, panels=panels)) for one in inner if one is not type(None)]
    yield from min(tried, key=lambda found: (any(one.startswith(f"{path}.type:") for one in found), len(found)))


def _of_scalar(value: Any, hint: Any, path: str) -> Iterator[str]:
    if hint in (object, Any) or not isinstance(hint, type):
        return
    if issubclass(hint, Enum):
        fits = value in [one.value for one in hint] and not isinstance(value, bool)
    elif hint is float:
        fits = isinstance(value, int | float) and not isinstance(value, bool)
    else:
        fits = type(value) is hint or hint not in (str, int, bool)
    if not fits:
        yield f"{path}: {value!r} is no {hint.__name__}"


def _of_object(value: Any, hint: Any, path: str, *, panels: bool) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: {value!r} is no object"
        return
    if hint is dashboard.FieldConfig:
        value, wrong = _without_links(value, path)
        yield from wrong
    known, hints = keys(hint), attributes(hint)
    for key, one in value.items():
        if key in known:
            yield from faults(one, hints[known[key]], f"{path}.{key}", panels=panels)
        else:
            yield f"{path}.{key}: unknown"
    for key in required(hint) - value.keys():
        yield f"{path}.{key}: missing"
    if panels and hint is dashboard.Panel:
        yield from _of_panel(value, path)


@cache
def attributes(hint: Any) -> dict[str, Any]:
    """The types of what an object has."""
    return typing.get_type_hints(hint)


@cache
def keys(hint: Any) -> dict[str, str]:
    """The attribute of each key in JSON."""
    probe = hint()
    found: dict[str, str] = {}
    for name in attributes(hint):
        mark = object()
        setattr(probe, name, mark)
        found |= {key: name for key, value in probe.to_json().items() if value is mark}
    return found


@cache
def required(hint: Any) -> frozenset[str]:
    """The keys that are written whatever there is, but lists and objects that begin empty."""
    probe = hint()
    for name, own in attributes(hint).items():
        if type(None) in typing.get_args(own):
            setattr(probe, name, None)
    return frozenset(probe.to_json())


def _of_panel(panel: dict[str, Any], path: str) -> Iterator[str]:
    """Options, fields and overrides by the kind of panel, queries by the data source."""
    kind = runtime.panelcfg_config(panel["type"])
    if kind is None:
        yield f"{path}.type: {panel['type']} is no kind of panel"
        return
    yield from _by_kind(panel["options"], kind.options_from_json_hook, f"{path}.options")
    defaults = panel["fieldConfig"]["defaults"]
    yield from _by_kind(defaults.get("custom", {}), kind.field_config_from_json_hook, f"{path}.custom")
    for at, one in enumerate(panel["fieldConfig"]["overrides"]):
        where = f"{path}.overrides[{at}]"
        own = {each["id"]: each["value"] for each in one["properties"]}
        plain = {name: value for name, value in own.items() if not name.startswith("custom.")}
        custom = {name.removeprefix("custom."): value for name, value in own.items() if name not in plain}
        yield from faults(plain, dashboard.FieldConfig, where)
        yield from _by_kind(custom, kind.field_config_from_json_hook, where, partly=True)
    for query in panel["targets"]:
        yield from query_faults(query, f"{path}.targets.{query['refId']}")


def _by_kind(value: dict[str, Any], hook: Any, path: str, *, partly: bool = False) -> Iterator[str]:
    """`hook` is the method of the type that reads it; a part of it may leave out what the whole must have."""
    if hook is None:
        yield from (f"{path}.{key}: unknown" for key in value)
        return
    yield from (one for one in faults(value, hook.__self__, path) if not partly or not one.endswith("missing"))


def _annotations(found: list[dict[str, Any]]) -> Iterator[str]:
    """An annotation has keys of its plugin, and its target is a query of that."""
    for at, one in enumerate(found):
        path, plugin = f"annotations[{at}]", one["datasource"]["type"]
        target = one.pop("target", None)
        plain = {key: value for key, value in one.items() if key not in ANNOTATION.get(plugin, ())}
        yield from faults(plain, dashboard.AnnotationQuery, path)
        if plugin == "prometheus" and target:
            yield from query_faults(target, f"{path}.target")
        elif target:
            yield from (f"{path}.target.{key}: unknown" for key in target.keys() - TARGET)
