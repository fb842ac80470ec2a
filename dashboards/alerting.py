"""Grafana's own alert rules: for the plumbing only. What the law and the furnaces need is alarmed by the service.

What fires is told to the service, which makes an alarm of it; that the service is silent can be told elsewhere, too.
Each rule names its contact point (Grafana's "simplified routing"), so the tree of notification policies that an
organisation has stays as it is.
"""

from typing import Any

import msgspec

from dashboards import influxql, promql
from dashboards.asking import Aggregate, Ask, Shape, Source
from dashboards.targets import Dialect
from dashboards.text import Locale, same
from dashboards.writing import UIDS

FOLDER_TITLE = "Clearstack"
EXPRESSIONS = "__expr__"
PRODUCT = {"product": "clearstack"}  # for silences and views of all of them
CONTACT_POINT = "clearstack"
# What a silent service is told to: the variable is empty, or what follows in the name of another contact point.
WATCHED = CONTACT_POINT + "${CLEARSTACK_WATCH}"
ALERTS_PATH = "/api/v1/alerts/grafana"


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """Alarms when the newest value of `field` of the service was beyond a limit for `minutes`, or there was none."""

    name: str
    field: str
    above: float | None = None
    below: float | None = None
    minutes: int
    look_back_s: int = 600
    silence_is_alarm: bool = False  # else an answer that fails or is empty is left to the rule that watches for silence
    zh: str
    en: str


RULES = (
    Rule(
        name="service-silent", field="samples_stored", below=-1, minutes=2, look_back_s=180, silence_is_alarm=True,
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
    return {"apiVersion": 1, "groups": [group], "contactPoints": [_service(), _mail(), _hook()]}


def _service() -> dict[str, Any]:
    """The service's webhook; address and key come from the environment."""
    settings = {
        "url": f"${{CLEARSTACK_ALERTS_URL}}{ALERTS_PATH}", "httpMethod": "POST",
        "authorization_scheme": "Bearer", "authorization_credentials": "${CLEARSTACK_ALERTS_KEY}",
    }  # fmt: skip
    return _contact_point(CONTACT_POINT, "clearstack-service", "webhook", settings)


def _mail() -> dict[str, Any]:
    """Addresses of the environment. Grafana does not start where this is empty; what parts addresses it leaves out."""
    return _contact_point(
        f"{CONTACT_POINT}-mail", "clearstack-watch-mail", "email", {"addresses": ";${CLEARSTACK_WATCH_MAIL}"}
    )


def _hook() -> dict[str, Any]:
    """A webhook of the environment, without its scheme, so that this is not empty either."""
    settings = {"url": "https://${CLEARSTACK_WATCH_HOOK}", "httpMethod": "POST"}
    return _contact_point(f"{CONTACT_POINT}-hook", "clearstack-watch-hook", "webhook", settings)


def _contact_point(name: str, uid: str, kind: str, settings: dict[str, Any]) -> dict[str, Any]:
    receiver = {"uid": uid, "type": kind, "settings": settings, "disableResolveMessage": False}
    return {"orgId": 1, "name": name, "receivers": [receiver]}


def _told(rule: Rule) -> dict[str, Any]:
    """Whom the rule tells: one rule a call, and again each hour while it lasts."""
    return {
        "receiver": WATCHED if rule.silence_is_alarm else CONTACT_POINT, "group_by": ["grafana_folder", "alertname"],
        "group_wait": "30s", "group_interval": "1m", "repeat_interval": "1h",
    }  # fmt: skip


def _rule(rule: Rule, dialect: Dialect) -> dict[str, Any]:
    return {
        "uid": f"clearstack-{rule.name}",
        "title": f"clearstack {rule.name}",
        "condition": "C",
        "data": [_query(rule, dialect), _newest(rule), _beyond(rule)],
        "noDataState": "Alerting" if rule.silence_is_alarm else "OK",
        "execErrState": "Alerting" if rule.silence_is_alarm else "OK",
        "for": f"{rule.minutes}m",
        "annotations": {"summary": f"{rule.zh} / {rule.en}"},
        "labels": dict(PRODUCT),
        "notification_settings": _told(rule),
    }


def _query(rule: Rule, dialect: Dialect) -> dict[str, Any]:
    """The figure over the last minutes. Grafana puts no variables of the environment into queries: `$` stays single."""
    ask = Ask(measurement="service", field=rule.field, aggregate=Aggregate.LAST, name=same(rule.field), window="1m")
    if dialect is Dialect.INFLUXQL:
        text = influxql.statement([ask], Shape.OVER_TIME, Locale.EN)
        model = {"refId": "A", "query": text, "rawQuery": True, "resultFormat": "time_series"}
        uid = UIDS[Source.MINUTE]
    else:
        text = promql.expression(ask, Shape.OVER_TIME)
        model = {"refId": "A", "expr": text, "instant": False, "range": True, "intervalMs": 60_000}
        uid = UIDS[Source.RAW]
    return _step(rule, "A", uid, model)


def _newest(rule: Rule) -> dict[str, Any]:
    model = {"refId": "B", "type": "reduce", "expression": "A", "reducer": "last", "settings": {"mode": "dropNN"}}
    return _step(rule, "B", EXPRESSIONS, model)


def _beyond(rule: Rule) -> dict[str, Any]:
    how, limit = ("gt", rule.above) if rule.above is not None else ("lt", rule.below)
    conditions = [{"evaluator": {"type": how, "params": [limit]}}]
    model = {"refId": "C", "type": "threshold", "expression": "B", "conditions": conditions}
    return _step(rule, "C", EXPRESSIONS, model)


def _step(rule: Rule, ref: str, uid: str, model: dict[str, Any]) -> dict[str, Any]:
    span = {"from": rule.look_back_s, "to": 0}
    return {"refId": ref, "relativeTimeRange": span, "datasourceUid": uid, "model": model}
