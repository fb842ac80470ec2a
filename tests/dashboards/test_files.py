"""The committed files: what the generator writes, as Grafana publishes its types, and without the usual slips."""

import json
import re
from collections import Counter
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dashboards.pages import JSON_FOLDER, PROVISIONING, ROOT, files, pages
from dashboards.targets import MIXED, Dialect
from dashboards.text import Locale
from dashboards.types import SCHEMA_VERSION, DashboardJson, PanelJson
from dashboards.writing import WIDTH
from ingest_service.emissions.rulepack import load_pack, pack_names
from tests.dashboards.published import UNITS

ALL = [
    pytest.param(dialect, locale, page, id=f"{dialect}/{locale}/{board.name}")
    for dialect, locale, board, page in pages()
]
UIDS = {page.uid for _, _, _, page in pages()}
BUILT_IN = {"__all", "col", "__interval", "__range", "timeFilter", "__data", "__url_time_range"}


def shown(page: DashboardJson) -> list[PanelJson]:
    return [panel for panel in page.panels if panel.type != "row"]


def text_of(page: DashboardJson) -> str:
    return msgspec.json.encode(page).decode()


def committed() -> list[Path]:
    own = [*(ROOT / JSON_FOLDER).rglob("*.json"), *(ROOT / PROVISIONING).rglob("*/*/*.yaml")]
    return [path.relative_to(ROOT) for path in own]


def test_generating_again_gives_the_committed_files() -> None:
    written = dict(files())
    assert set(committed()) == set(written), "run: python -m dashboards"
    for path, text in written.items():
        assert (ROOT / path).read_bytes() == text, f"{path} is not what the generator writes: python -m dashboards"


def test_a_file_holds_nothing_that_grafana_does_not_know() -> None:
    found = [path for path in committed() if path.is_relative_to(JSON_FOLDER)]
    assert len(found) == 20
    for path in found:
        page = msgspec.json.decode((ROOT / path).read_bytes(), type=DashboardJson)
        assert page.schema_version == SCHEMA_VERSION


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"refresh": 30}, "Expected `str`, got `int` - at `$.refresh`"),
        ({"colour": "red"}, "unknown field `colour`"),
        ({"panels": [{"id": 1, "type": "stat", "title": "x", "gridPos": {"x": 24, "y": 0, "w": 1, "h": 1}}]}, "<= 23"),
    ],
)
def test_a_wrong_file_is_refused(change: dict[str, Any], said: str) -> None:
    page = json.loads((ROOT / JSON_FOLDER / "influxql/en/fleet.json").read_text()) | change
    with pytest.raises(msgspec.ValidationError, match=re.escape(said)):
        msgspec.convert(page, DashboardJson)


@pytest.mark.parametrize(("dialect", "locale", "page"), ALL)
def test_every_panel_says_what_it_shows_and_where_it_comes_from(
    dialect: Dialect, locale: Locale, page: DashboardJson
) -> None:
    for panel in shown(page):
        assert panel.title
        about = panel.description or ""
        assert ("数据：" if locale is Locale.ZH else "Series: ") in about, panel.title
        assert panel.field_config is not None
        assert panel.field_config.defaults.unit, panel.title


@pytest.mark.parametrize(("dialect", "locale", "page"), ALL)
def test_units_are_grafanas(dialect: Dialect, locale: Locale, page: DashboardJson) -> None:
    for unit in re.findall(r'"unit":"([^"]*)"', text_of(page)):
        assert unit in UNITS or unit.startswith("suffix:"), unit


@pytest.mark.parametrize(("dialect", "locale", "page"), ALL)
def test_panels_have_numbers_of_their_own_and_lie_beside_each_other(
    dialect: Dialect, locale: Locale, page: DashboardJson
) -> None:
    assert max(Counter(panel.id for panel in page.panels).values()) == 1
    for one, other in combinations([panel.grid_pos for panel in page.panels], 2):
        beside = one.x + one.w <= other.x or other.x + other.w <= one.x
        assert beside or one.y + one.h <= other.y or other.y + other.h <= one.y
    assert all(panel.grid_pos.x + panel.grid_pos.w <= WIDTH for panel in page.panels)
    assert all(one.grid_pos.y <= other.grid_pos.y for one, other in pairwise(page.panels))


@pytest.mark.parametrize(("dialect", "locale", "page"), ALL)
def test_data_sources_are_variables(dialect: Dialect, locale: Locale, page: DashboardJson) -> None:
    variables = {f"${{{one.name}}}" for one in page.templating.list if one.type == "datasource"}
    for panel in shown(page):
        uids = {target.datasource.uid for target in panel.targets or []}
        assert uids <= variables
        assert panel.datasource == MIXED or (panel.datasource is not None and {panel.datasource.uid} == uids)


@pytest.mark.parametrize(("dialect", "locale", "page"), ALL)
def test_variables_are_defined_and_used(dialect: Dialect, locale: Locale, page: DashboardJson) -> None:
    defined = {one.name for one in page.templating.list}
    used = {name for name in re.findall(r"\$\{?(\w+)", text_of(page)) if not name.startswith("tag_")}
    assert used - BUILT_IN <= defined
    assert defined - {"raw"} <= used, "a variable that nothing uses"


@pytest.mark.parametrize(("dialect", "locale", "page"), ALL)
def test_links_lead_to_dashboards_of_the_language_and_keep_the_time(
    dialect: Dialect, locale: Locale, page: DashboardJson
) -> None:
    for url in re.findall(r'"url":"(/d/[^"]*)"', text_of(page)):
        uid, _, rest = url.removeprefix("/d/").partition("?")
        assert uid in UIDS
        assert uid.endswith(f"-{locale}")
        assert rest.startswith("${__url_time_range}&var-home=")
        assert "queryparam}" in rest, "the data source is kept"


@pytest.mark.parametrize(("dialect", "locale", "page"), ALL)
def test_aggregates_use_the_panels_windows_and_no_furnace_is_named(
    dialect: Dialect, locale: Locale, page: DashboardJson
) -> None:
    for panel in shown(page):
        for target in panel.targets or []:
            query = target.query or target.expr or ""
            assert not re.search(r"(home|furnace)\"? ?=~? ?['\"](?!\$)", query), query
            if panel.type in ("timeseries", "state-timeline", "status-history"):
                fixed = re.search(r"time\(\d+\w\)|\[\d+\w(:\d+\w)?\]", query)
                assert fixed or "$__interval" in query, query
                assert panel.interval, f"{panel.title}: windows shorter than the data"


@pytest.mark.parametrize(("dialect", "locale", "page"), ALL)
def test_a_gap_stays_a_gap(dialect: Dialect, locale: Locale, page: DashboardJson) -> None:
    for panel in shown(page):
        if panel.type == "timeseries":
            assert panel.field_config is not None
            assert panel.field_config.defaults.custom is not None
            assert panel.field_config.defaults.custom.span_nulls is False
        if dialect is Dialect.INFLUXQL:
            queries = [target.query or "" for target in panel.targets or []]
            assert all("fill(null)" in query for query in queries if "GROUP BY time" in query)


def test_the_languages_ask_the_same_and_speak_their_own() -> None:
    for dialect in Dialect:
        zh, en = ([page for one, locale, _, page in pages() if (one, locale) == (dialect, wanted)] for wanted in Locale)
        for chinese, english in zip(zh, en, strict=True):
            assert [panel.type for panel in chinese.panels] == [panel.type for panel in english.panels]
            assert not re.search(r"[\u4e00-\u9fff]", text_of(english)), english.uid
            titles = " ".join(panel.title for panel in shown(chinese)).replace("CO2", "")
            assert len(re.findall(r"[\u4e00-\u9fff]", titles)) > 20


def test_the_limits_that_panels_speak_of_are_those_of_the_rule_packs() -> None:
    page = next(page for dialect, locale, _, page in pages() if page.uid == "clearstack-emissions-en")
    about = " ".join(panel.description or "" for panel in shown(page))
    for name in pack_names():
        for limit in load_pack(name).judged:
            assert f"{limit.clause_en} " in about
            assert f" {limit.limit:g} " in about
