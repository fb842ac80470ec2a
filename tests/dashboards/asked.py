"""Queries as Grafana sends them: variables and macros replaced, sent to each kind of data source."""

import re
from collections.abc import Callable
from typing import Any

import httpx
import msgspec

from dashboards.asking import Source
from dashboards.types import PanelJson, Target
from ingest_service.store.derived.point import DerivedStore
from tests.dashboards.seeding import BUCKET
from tests.support.city import HOUR_MS, MINUTE_MS, NOW_MS

DATABASES = {f"${{{source}}}": BUCKET + ("" if source is Source.RAW else f"_{source}") for source in Source}
_LENGTHS_MS = {"s": 1_000, "m": MINUTE_MS, "h": HOUR_MS, "d": 24 * HOUR_MS}
Rows = dict[tuple[tuple[str, str], ...], dict[int, float]]  # by tags: time (ms) to value


class Span(msgspec.Struct, frozen=True):
    """What a panel shows, ms, and how long its windows are."""

    from_ms: int
    to_ms: int
    interval: str
    values: tuple[tuple[str, str], ...] = (("home", "beishan"), ("furnace", "furnace-1"))

    @property
    def interval_ms(self) -> int:
        """The length of a window."""
        return length_ms(self.interval)


_END_MS, _NOW_MS = NOW_MS // HOUR_MS * HOUR_MS, NOW_MS // MINUTE_MS * MINUTE_MS
DAY = Span(_END_MS - 24 * HOUR_MS, _END_MS, "5m")
LAST_MINUTES = Span(_NOW_MS - 10 * MINUTE_MS, _NOW_MS, "1m")


class Backends(msgspec.Struct, frozen=True):
    """The three addresses."""

    client: httpx.Client
    service: str
    influx: str
    victoria: str
    embedded: DerivedStore  # behind the service

    def influxql(self, address: str, target: Target, span: Span) -> list[dict[str, Any]]:
        """The tables of an InfluxQL target."""
        query = {"db": DATABASES[target.datasource.uid], "epoch": "ms", "q": in_influxql(target.query or "", span)}
        answer = self.client.post(f"{address}/query", data=query)
        assert answer.status_code == 200, (answer.text, query["q"])
        (result,) = answer.json()["results"]
        assert "error" not in result, (result, query["q"])
        found: list[dict[str, Any]] = result.get("series", [])
        return found

    def promql(self, target: Target, span: Span, *, after_ms: int = 0) -> list[dict[str, Any]]:
        """The series of a PromQL target; a window ends `after_ms` after the step of InfluxDB's."""
        text = in_promql(target.expr or "", span)
        if target.instant:
            form = {"query": text, "time": f"{(span.to_ms + after_ms) / 1000:.3f}", "nocache": "1"}
            return self._promql("query", form)
        step_ms = length_ms(target.interval) if target.interval else span.interval_ms
        first_ms = span.from_ms // step_ms * step_ms + step_ms + after_ms
        form = {
            "query": text, "start": f"{first_ms / 1000:.3f}", "end": f"{(span.to_ms + step_ms) / 1000:.3f}",
            "step": f"{step_ms / 1000:.0f}s", "nocache": "1",
        }  # fmt: skip
        return self._promql("query_range", form)

    def _promql(self, path: str, form: dict[str, str]) -> list[dict[str, Any]]:
        answer = self.client.post(f"{self.victoria}/api/v1/{path}", data=form)
        assert answer.status_code == 200, (answer.text, form["query"])
        found: list[dict[str, Any]] = answer.json()["data"]["result"]
        return found


def span_of(panel: PanelJson) -> Span:
    """A day that ends with an hour, or the last minutes, in the panel's windows."""
    interval = panel.interval or DAY.interval
    if panel.time_from:
        from_ms = LAST_MINUTES.to_ms - length_ms(panel.time_from)
        return msgspec.structs.replace(LAST_MINUTES, from_ms=from_ms, interval=interval)
    return msgspec.structs.replace(DAY, interval=interval)


def in_influxql(text: str, span: Span) -> str:
    """The statement with what Grafana's data source puts into it."""
    text = text.replace("$timeFilter", f"time >= {span.from_ms}ms and time <= {span.to_ms}ms")
    text = text.replace("$__interval", span.interval)
    return _filled(text, span, lambda value: re.escape(value).replace("/", "\\/"))


def in_promql(text: str, span: Span) -> str:
    """The same for Prometheus."""
    text = text.replace("$__range", f"{(span.to_ms - span.from_ms) // 1000}s").replace("$__interval", span.interval)
    return _filled(text, span, lambda value: value.replace("\\", "\\\\"))


def _filled(text: str, span: Span, escaped: Callable[[str], str]) -> str:
    for name, value in span.values:
        text = text.replace(f"${name}", f"({escaped(value)})")
    assert "$" not in text.replace("$/", ""), f"not replaced: {text}"
    return text


def length_ms(text: str) -> int:
    """1m, 10m, 1h, 1d in ms."""
    return int(text[:-1]) * _LENGTHS_MS[text[-1]]


def rows_of_influxql(tables: list[dict[str, Any]], column: int = 1) -> Rows:
    """By tags, the values of one column over time."""
    found: Rows = {}
    for table in tables:
        tags = tuple(sorted((name, value) for name, value in table.get("tags", {}).items() if value))
        rows = {row[0]: row[column] for row in table["values"] if row[column] is not None}
        if rows:
            found[tags] = rows
    return found


def rows_of_promql(series: list[dict[str, Any]], shift_ms: int) -> Rows:
    """By labels, the values over time, each at the beginning of its window."""
    found: Rows = {}
    for one in series:
        pairs = [one["value"]] if "value" in one else one["values"]
        labels = tuple(sorted((name, value) for name, value in one["metric"].items() if name != "__name__"))
        found[labels] = {round(at_s * 1000) - shift_ms: float(value) for at_s, value in pairs}
    return found
