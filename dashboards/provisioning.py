"""What Grafana reads when it starts: data sources, folders of dashboards and alert rules, for each kind of store."""

from enum import StrEnum, unique
from typing import Any

from dashboards.alerting import FOLDER_TITLE, alerting
from dashboards.asking import Source
from dashboards.targets import Dialect
from dashboards.text import Locale
from dashboards.writing import UIDS

FOLDERS = {Locale.ZH: f"{FOLDER_TITLE} 中文", Locale.EN: FOLDER_TITLE}
_NAMES = {Source.RAW: "Clearstack", Source.MINUTE: "Clearstack minute", Source.HOUR: "Clearstack hour"}
_SUFFIXES = {Source.RAW: "", Source.MINUTE: "_minute", Source.HOUR: "_hour"}


@unique
class Store(StrEnum):
    """Whom Grafana asks: the service itself, or the store beside it."""

    SERVICE = "service"
    INFLUXDB = "influxdb"
    VICTORIAMETRICS = "victoriametrics"

    @property
    def dialect(self) -> Dialect:
        """In which language."""
        return Dialect.PROMQL if self is Store.VICTORIAMETRICS else Dialect.INFLUXQL


# The scheme before the secret: the service takes keys as bearers, InfluxDB 2 and 3 call them tokens.
_SCHEMES = {Store.SERVICE: "Bearer", Store.INFLUXDB: "Token"}


def provisioning(store: Store) -> dict[str, dict[str, Any]]:
    """The files by their paths below the folder that Grafana reads."""
    return {
        "datasources/clearstack.yaml": {"apiVersion": 1, "datasources": _sources(store)},
        "dashboards/clearstack.yaml": {"apiVersion": 1, "providers": [_folder(store, one) for one in Locale]},
        "alerting/plumbing.yaml": alerting(store.dialect),
    }


def _sources(store: Store) -> list[dict[str, Any]]:
    """With fixed uids, so that dashboards find them; address and secret come from the environment.

    None is the default, which an organisation may have already.
    """
    if store is Store.VICTORIAMETRICS:
        json_data = {"httpMethod": "POST", "timeInterval": "10s", "prometheusType": "Prometheus"}
        return [_source(store, Source.RAW, json_data)]
    return [_source(store, source, _influxdb(store, source)) for source in Source]


def _source(store: Store, source: Source, json_data: dict[str, Any]) -> dict[str, Any]:
    found = {
        "name": _NAMES[source], "uid": UIDS[source], "type": store.dialect.plugin, "access": "proxy",
        "url": "${CLEARSTACK_URL}", "isDefault": False, "editable": False, "jsonData": json_data,
    }  # fmt: skip
    if store in _SCHEMES:
        found["secureJsonData"] = {"httpHeaderValue1": f"{_SCHEMES[store]} ${{CLEARSTACK_KEY}}"}
    return found


def _influxdb(store: Store, source: Source) -> dict[str, Any]:
    bucket = "${CLEARSTACK_BUCKET}" if store is Store.INFLUXDB else "clearstack"
    return {
        "dbName": bucket + _SUFFIXES[source],
        "httpMode": "POST", "version": "InfluxQL", "timeInterval": "10s", "httpHeaderName1": "Authorization",
    }  # fmt: skip


def _folder(store: Store, locale: Locale) -> dict[str, Any]:
    return {
        "name": f"clearstack-{locale}", "folder": FOLDERS[locale], "type": "file", "allowUiUpdates": False,
        "disableDeletion": True, "updateIntervalSeconds": 60,
        "options": {"path": f"${{CLEARSTACK_DASHBOARDS}}/{store.dialect}/{locale}"},
    }  # fmt: skip
