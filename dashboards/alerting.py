"""Grafana's own alert rules: for the plumbing only. What the law and the furnaces need is alarmed by the service.

What fires is told to the service, which makes an alarm of it.
"""

from typing import Any

import msgspec

from dashboards import influxql, promql
from dashboards.asking import Aggregate, Ask, Shape, Source
from dashboards.targets import Dialect
from dashboards.text import Locale, same
from dashboards.writing import UIDS

FOLDER_TITLE = "Clearstack"
LOOK_BACK_S = 600
EXPRESSIONS = "__expr__"
PRODUCT = {"product": "clearstack"}  # the label by which alerts find their way
CONTACT_POINT = "clearstack"
OTHERS = "grafana-default-email"  # where alerts of other rules go in a Grafana that nobody has changed
ALERTS_PATH = "/api/v1/alerts/grafana"


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """Alarms while the newest value of `field` of the service is beyond `limit` for `minutes`, or there is none."""

    name: str
    field: str
    above: float | None = None
    below: float | None = None
    minutes: int
    silence_is_alarm: bool = False
    zh: str
    en: str


RULES = (
    Rule(
        name="service-silent", field="samples_stored", below=-1, minutes=5, silence_is_alarm=True,
        zh="监测服务五分钟没有任何数据：服务停止、存储不可用或数据源失效。",
        en="No figure of the service for five minutes: it is down, or its store, or the data source.",
    ),
    Rule(
        name="ingest-late", field="lag_s", above=120, minutes=5,
        zh="两分钟以上没有新数据入库：查看消息服务器与网络。",
        en="Nothing was stored for more than two minutes: look at the broker and the network.",
    ),
    Rule(
        name="queue-long", field="queued_messages", above=5_000, minutes=5,
        zh="待入库消息过多：存储跟不上。",
        en="Many messages wait to be stored: the store does not keep up.",
    ),
    Rule(
        name="disk-low", field="free_bytes", below=5e9, minutes=10,
        zh="数据盘剩余不足 5 GB。",
        en="Less than 5 GB are left on the disk of the data.",
    ),
    Rule(
        name="deliveries-dead", field="deliveries_dead", above=0, minutes=1,
        zh="有报警通知未能送达，已放弃。",
        en="A notification of an alarm was given up.",
    ),
)  # fmt: skip


def alerting(dialect: Dialect) -> dict[str, Any]:
    """The provisioning file of the rules in one dialect, and of whom they tell."""
    rules = [_rule(rule, dialect) for rule in RULES]
    group = {"orgId": 1, "name": "plumbing", "folder": FOLDER_TITLE, "interval": "1m", "rules": rules}
    return {"apiVersion": 1, "groups": [group], "contactPoints": [_service()], "policies": [_policy()]}


def _service() -> dict[str, Any]:
    """The service's webhook; address and key come from the environment."""
    settings = {
        "url": f"${{CLEARSTACK_ALERTS_URL}}{ALERTS_PATH}", "httpMethod": "POST",
        "authorization_scheme": "Bearer", "authorization_credentials": "${CLEARSTACK_ALERTS_KEY}",
    }  # fmt: skip
    receiver = {"uid": "clearstack-service", "type": "webhook", "settings": settings, "disableResolveMessage": False}
    return {"orgId": 1, "name": CONTACT_POINT, "receivers": [receiver]}


def _policy() -> dict[str, Any]:
    """The alerts of these rules go to the service, one rule a call, and again each hour while they last."""
    matchers = [[label, "=", value] for label, value in PRODUCT.items()]
    route = {
        "receiver": CONTACT_POINT, "object_matchers": matchers, "group_by": ["alertname"],
        "group_wait": "30s", "group_interval": "1m", "repeat_interval": "1h",
    }  # fmt: skip
    return {"orgId": 1, "receiver": OTHERS, "group_by": ["grafana_folder", "alertname"], "routes": [route]}


def _rule(rule: Rule, dialect: Dialect) -> dict[str, Any]:
    return {
        "uid": f"clearstack-{rule.name}",
        "title": f"clearstack {rule.name}",
        "condition": "C",
        "data": [_query(rule, dialect), _newest(), _beyond(rule)],
        "noDataState": "Alerting" if rule.silence_is_alarm else "OK",
        "execErrState": "Error",
        "for": f"{rule.minutes}m",
        "annotations": {"summary": f"{rule.zh} / {rule.en}"},
        "labels": PRODUCT,
    }


def _query(rule: Rule, dialect: Dialect) -> dict[str, Any]:
    """The figure over the last minutes."""
    ask = Ask(measurement="service", field=rule.field, aggregate=Aggregate.LAST, name=same(rule.field), window="1m")
    if dialect is Dialect.INFLUXQL:
        text = _literal(influxql.statement([ask], Shape.OVER_TIME, Locale.EN))
        model = {"refId": "A", "query": text, "rawQuery": True, "resultFormat": "time_series"}
        uid = UIDS[Source.MINUTE]
    else:
        text = _literal(promql.expression(ask, Shape.OVER_TIME))
        model = {"refId": "A", "expr": text, "instant": False, "range": True, "intervalMs": 60_000}
        uid = UIDS[Source.RAW]
    return _step("A", uid, model)


def _literal(text: str) -> str:
    """Grafana puts variables of the environment into these files, unless the dollar is doubled."""
    return text.replace("$", "$$")


def _newest() -> dict[str, Any]:
    model = {"refId": "B", "type": "reduce", "expression": "A", "reducer": "last", "settings": {"mode": "dropNN"}}
    return _step("B", EXPRESSIONS, model)


def _beyond(rule: Rule) -> dict[str, Any]:
    how, limit = ("gt", rule.above) if rule.above is not None else ("lt", rule.below)
    conditions = [{"evaluator": {"type": how, "params": [limit]}}]
    return _step("C", EXPRESSIONS, {"refId": "C", "type": "threshold", "expression": "B", "conditions": conditions})


def _step(ref: str, uid: str, model: dict[str, Any]) -> dict[str, Any]:
    return {"refId": ref, "relativeTimeRange": {"from": LOOK_BACK_S, "to": 0}, "datasourceUid": uid, "model": model}
