"""Every query of every panel, variable and annotation on real servers: rows come back, and the three agree."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from dashboards.asking import Source
from dashboards.pages import pages
from dashboards.targets import Dialect
from dashboards.text import Locale
from dashboards.types import AnnotationJson, PanelJson, PromVariableQuery, Target, VariableJson
from tests.dashboards.asked import (
    DAY,
    LAST_MINUTES,
    Backends,
    Rows,
    Span,
    in_influxql,
    in_promql,
    length_ms,
    rows_of_influxql,
    rows_of_promql,
    span_of,
)

ALL = [(dialect, locale, page) for dialect, locale, _, page in pages()]
INFLUXQL = [page for dialect, _, page in ALL if dialect is Dialect.INFLUXQL]
# One language is enough where the question is the same but for the names of columns.
CHINESE = [page for dialect, locale, page in ALL if dialect is Dialect.INFLUXQL and locale is Locale.ZH]
PROMQL = [page for dialect, locale, page in ALL if dialect is Dialect.PROMQL and locale is Locale.ZH]
_AS_MEASURED = ("(sample_", "(quality_", "(minute_", "(hour_")


def panels() -> Iterator[Any]:
    for page in INFLUXQL:
        yield from (pytest.param(one, id=f"{page.uid} {one.id}") for one in page.panels if one.targets)


def twins() -> Iterator[Any]:
    for page, other in zip(PROMQL, CHINESE, strict=True):
        for panel, twin in zip(page.panels, other.panels, strict=True):
            if panel.targets:
                yield pytest.param(panel, twin, id=f"{page.uid} {panel.id}")


def annotations() -> Iterator[Any]:
    for page in (*CHINESE, *PROMQL):
        for one in page.annotations.list[1:]:
            yield pytest.param(one, id=f"{page.uid} {one.datasource.type} {one.tag_keys or ''} {one.icon_color}")


def variables() -> Iterator[Any]:
    for page in (*CHINESE, *PROMQL):
        for one in page.templating.list:
            if one.datasource is not None:
                yield pytest.param(one, id=f"{page.uid} {one.datasource.type} {one.name}")


@pytest.mark.parametrize("panel", list(panels()))
def test_a_panel_shows_on_the_service_what_it_shows_on_influxdb(panel: PanelJson, backends: Backends) -> None:
    span = span_of(panel)
    for target in panel.targets or []:
        expected = backends.influxql(backends.influx, target, span)
        found = backends.influxql(backends.service, target, span)
        assert expected, f"no rows: {in_influxql(target.query or '', span)}"
        assert [(one.get("tags"), one["columns"]) for one in found] == [
            (one.get("tags"), one["columns"]) for one in expected
        ]
        for mine, theirs in zip(found, expected, strict=True):
            assert len(mine["values"]) == len(theirs["values"])
            for row, other in zip(mine["values"], theirs["values"], strict=True):
                for value, wanted in zip(row, other, strict=True):
                    assert value == (pytest.approx(wanted, rel=1e-9) if isinstance(wanted, float) else wanted)


@pytest.mark.parametrize(("panel", "twin"), list(twins()))
def test_a_panel_shows_on_victoriametrics_what_it_shows_on_influxdb(
    panel: PanelJson, twin: PanelJson, backends: Backends
) -> None:
    span = span_of(panel)
    # Asks that differ in their fields alone are one statement in InfluxQL, a column each.
    others = [(one, at) for one in twin.targets or [] for at in range(1, (one.query or "").count('") AS "') + 1)]
    for at, target in enumerate(panel.targets or []):
        series = backends.promql(target, span, after_ms=after_ms(target))
        assert series, f"no rows: {in_promql(target.expr or '', span)}"
        if "event_" in (target.expr or ""):
            continue  # what is said of events are labels here
        other, column = others[at]
        tables = backends.influxql(backends.influx, other, span)
        if target.instant:
            agree_at_once(series, tables, column)
        else:
            agree_over_time(target, series, rows_of_influxql(tables, column), span)


def after_ms(target: Target) -> int:
    """Samples and means stand at their times, which a window leaves out at its beginning; derived points just after."""
    if any(name in (target.expr or "") for name in _AS_MEASURED):
        return -1
    return 1_000 if target.instant else 0


def agree_at_once(series: list[dict[str, Any]], tables: list[dict[str, Any]], column: int) -> None:
    mine, theirs = rows_of_promql(series, 0), rows_of_influxql(tables, column)
    assert mine.keys() == theirs.keys()
    for tags, rows in mine.items():
        assert list(rows.values()) == pytest.approx(list(theirs[tags].values()), rel=1e-6)


def agree_over_time(target: Target, series: list[dict[str, Any]], expected: Rows, span: Span) -> None:
    """In all windows that are over; where nothing is counted, VictoriaMetrics has no value and InfluxDB a 0."""
    step_ms = length_ms(target.interval) if target.interval else span.interval_ms
    counted = "count_over_time" in (target.expr or "")
    sides = []
    for rows in (rows_of_promql(series, step_ms + after_ms(target)), expected):
        kept = {tags: {at: one for at, one in own.items() if at < span.to_ms and (one or not counted)}
                for tags, own in rows.items()}  # fmt: skip
        sides.append({tags: own for tags, own in kept.items() if own})
    mine, theirs = sides
    assert mine.keys() == theirs.keys()
    for tags, found in mine.items():
        assert found == pytest.approx(theirs[tags], rel=1e-6)


@pytest.mark.parametrize("annotation", list(annotations()))
def test_an_annotation_finds_its_events(annotation: AnnotationJson, backends: Backends) -> None:
    assert annotation.target is not None
    if annotation.expr is not None:
        assert annotation.expr == annotation.target.expr
        labels = {name for one in backends.promql(annotation.target, DAY) for name in one["metric"]}
        assert labels >= {"title_zh", "text_zh", "home_zh", "furnace_zh"}
        return
    expected = backends.influxql(backends.influx, annotation.target, DAY)
    assert backends.influxql(backends.service, annotation.target, DAY) == expected
    assert set(expected[0]["columns"]) == {"time", "title", "text", "end", "home", "furnace"}
    assert {tuple(row[4:]) for row in expected[0]["values"]} == {("北山殡仪馆", "1号炉")}
    assert all(row[3] >= row[0] for row in expected[0]["values"]), "an event ends after it begins"


@pytest.mark.parametrize("variable", list(variables()))
def test_a_variable_finds_its_values_under_the_names_of_places(variable: VariableJson, backends: Backends) -> None:
    wanted = {
        "home": {"beishan": "北山殡仪馆", "donghu": "东湖殡仪馆", "nanping": "南屏殡仪馆"},
        "furnace": {f"furnace-{number}": f"{number}号炉" for number in (1, 2, 3)},
    }
    if isinstance(variable.query, PromVariableQuery):
        assert chosen(variable, label_values(variable.query.query, backends)) == wanted[variable.name]
        return
    assert variable.datasource is not None
    target = Target(ref_id="A", datasource=variable.datasource, query=variable.query)
    (table,) = backends.influxql(backends.service, target, LAST_MINUTES)
    assert chosen(variable, [value for _, value in table["values"]]) == wanted[variable.name]
    assert backends.influxql(backends.influx, target, LAST_MINUTES) == [table]


def chosen(variable: VariableJson, values: Iterable[str]) -> dict[str, str]:
    """By value what a reader sees of it, as Grafana makes both of the named groups of the variable's pattern."""
    pattern = re.compile((variable.regex or "").strip("/").replace("(?<", "(?P<"))
    found = [pattern.search(value) for value in values]
    return {one["value"]: one["text"] for one in found if one}


def label_values(text: str, backends: Backends) -> set[str]:
    """As Grafana asks for `label_values(selector, label)`."""
    selector, _, label = text.removeprefix("label_values(").removesuffix(")").rpartition(", ")
    query = {"match[]": in_promql(selector, LAST_MINUTES), "start": f"{LAST_MINUTES.from_ms / 1000:.0f}"}
    answer = backends.client.get(f"{backends.victoria}/api/v1/series", params=query)
    return {one[label] for one in answer.json()["data"]}


def test_every_source_is_asked_for() -> None:
    used = {target.datasource.uid for page in CHINESE for panel in page.panels for target in panel.targets or []}
    assert used == {f"${{{source}}}" for source in Source}
