"""What is easily got wrong in dashboards: sources, places, windows, words of panels, variables, annotations."""

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from dashboards.fields import TAGS
from dashboards.pages import PROVISIONING, ROOT, pages
from dashboards.panel import Colour
from dashboards.targets import CHOICE, Dialect
from dashboards.text import Locale
from dashboards.types import AnnotationJson, DashboardJson, PanelJson, PromVariableQuery, Target, VariableJson
from dashboards.words import tag_words
from dashboards.writing import EVENTS
from ingest_service.api.grafana_series import HIDDEN
from ingest_service.emissions.rulepack import load_pack, pack_names
from ingest_service.store.derived.point import MEASUREMENTS
from tests.dashboards.asked import length_ms

ALL = [
    pytest.param(dialect, locale, page, id=f"{dialect}/{locale}/{board.name}")
    for dialect, locale, board, page in pages()
]
LONGEST_UID = 40  # Grafana takes no longer ones
RULES = {load_pack(name).id for name in pack_names()} | {
    limit.clause_en for name in pack_names() for limit in load_pack(name).judged
}
JUDGED = {"average", "headroom_pct", "beyond", "exceedance"}  # measurements, fields and events that a rule makes
CONDITIONS = {"valid", "holds"}  # fields that are asked to be 1
METRIC = re.compile(r"\b([a-z_0-9]+)\{")


def shown(page: DashboardJson) -> list[PanelJson]:
    return [panel for panel in page.panels if panel.type != "row"]


def targets(page: DashboardJson) -> Iterator[Target]:
    for panel in shown(page):
        yield from panel.targets or []


def own_annotations(page: DashboardJson) -> list[AnnotationJson]:
    return page.annotations.list[1:]


def variables(page: DashboardJson) -> list[VariableJson]:
    return [one for one in page.templating.list if one.type == "query"]


def query_of(variable: VariableJson) -> str:
    return variable.query.query if isinstance(variable.query, PromVariableQuery) else variable.query


def queries(page: DashboardJson) -> Iterator[str]:
    """Of panels, annotations and variables."""
    asked = [*targets(page), *(one.target for one in own_annotations(page) if one.target)]
    yield from (target.query or target.expr or "" for target in asked)
    yield from (query_of(one) for one in variables(page))


def sources(page: DashboardJson) -> set[str]:
    return {f"${{{one.name}}}" for one in page.templating.list if one.type == "datasource"}


@pytest.mark.parametrize(("dialect", "locale", "page"), ALL)
def test_variables_and_annotations_ask_data_sources_that_are_variables(
    dialect: Dialect, locale: Locale, page: DashboardJson
) -> None:
    for variable in variables(page):
        assert variable.datasource is not None
        assert variable.datasource.uid in sources(page)
        assert variable.datasource.type == dialect.plugin
    for one in own_annotations(page):
        assert one.target is not None
        assert one.datasource == one.target.datasource
        assert one.datasource.uid in sources(page)


@pytest.mark.parametrize(("dialect", "locale", "page"), ALL)
def test_no_query_names_a_home_or_a_furnace(dialect: Dialect, locale: Locale, page: DashboardJson) -> None:
    for query in queries(page):
        assert not re.search(r"""(home|furnace)\w*"? ?(=~?|!~|!=) ?['"](?!\$)""", query), query


@pytest.mark.parametrize(("dialect", "locale", "page"), ALL)
def test_variables_are_chosen_by_names_and_asked_again_as_time_goes_on(
    dialect: Dialect, locale: Locale, page: DashboardJson
) -> None:
    for variable in variables(page):
        assert f"{variable.name}_choice_{locale}" in query_of(variable)
        assert (variable.regex, variable.refresh) == (CHOICE, 2)
        assert bool(re.search(r"[\u4e00-\u9fff]", variable.label)) == (locale is Locale.ZH)
        assert (variable.all_value == ".*") == bool(variable.multi) == bool(variable.include_all)
    furnace = [query_of(one) for one in variables(page) if one.name == "furnace"]
    assert all("$home" in query for query in furnace), "the furnaces of the homes that were chosen"


@pytest.mark.parametrize(("dialect", "locale", "page"), ALL)
def test_an_annotation_shows_events_of_one_kind_of_the_places_that_were_chosen(
    dialect: Dialect, locale: Locale, page: DashboardJson
) -> None:
    for one in own_annotations(page):
        assert one.target is not None
        query = one.target.query or one.target.expr or ""
        kinds = set(re.findall(r"""kind"? ?= ?['"](\w+)['"]""", query))
        assert len(kinds) == 1
        name, colour = EVENTS[kinds.pop()]
        assert (one.name, one.icon_color) == (name.of(locale), colour)
        assert one.icon_color in set(Colour)
        assert {f"${variable.name}" for variable in variables(page)} <= set(re.findall(r"\$\w+", query))
        assert f"title_{locale}" in f"{query}{one.title_format}", "what happened, in the language"


@pytest.mark.parametrize(("dialect", "locale", "page"), ALL)
def test_a_description_names_every_series_that_its_panel_reads(
    dialect: Dialect, locale: Locale, page: DashboardJson
) -> None:
    for panel in shown(page):
        about = panel.description or ""
        for target in panel.targets or []:
            assert all(re.search(rf"\b{name}\b", about) for name in read_by(target)), (panel.title, read_by(target))


def read_by(target: Target) -> set[str]:
    """Measurements and fields, but those that are conditions; of events, which texts say it, the measurement alone."""
    if target.query is not None:
        (measurement,) = re.findall(r'FROM "(\w+)"', target.query)
        fields = set(re.findall(r'\w+\("(\w+)"\)', target.query))
        return {measurement} if measurement == "event" else {measurement, *fields}
    metrics = set(METRIC.findall(target.expr or ""))
    if any(one.startswith("event_") for one in metrics):
        return {"event"}
    known = sorted([*MEASUREMENTS, "sample", "quality", "minute_mean"], key=len, reverse=True)
    found: set[str] = set()
    for metric in metrics:
        measurement = next(one for one in known if metric.startswith(f"{one}_"))
        field = metric.removeprefix(f"{measurement}_")
        found |= {measurement, field} if field not in CONDITIONS else set()
    return found


@pytest.mark.parametrize(("dialect", "locale", "page"), ALL)
def test_a_description_of_what_is_judged_names_a_rule(dialect: Dialect, locale: Locale, page: DashboardJson) -> None:
    if locale is not Locale.EN:
        return  # both are of one source
    for panel in shown(page):
        asked = {word for target in panel.targets or [] for word in read_by(target)}
        if asked & JUDGED or "exceedance" in (panel.description or ""):
            assert any(rule in (panel.description or "") for rule in RULES), panel.title


@pytest.mark.parametrize(("dialect", "locale", "page"), ALL)
def test_windows_are_the_panels_or_a_length_of_their_own_that_is_no_shorter_than_the_data(
    dialect: Dialect, locale: Locale, page: DashboardJson
) -> None:
    for panel in shown(page):
        for target in panel.targets or []:
            query = target.query or target.expr or ""
            fixed = [length_ms(one) for one in re.findall(r"GROUP BY time\((\d+\w)\)", query)]
            assert fixed or "$__" in query or "GROUP BY time" not in query, query
            assert all(length >= length_ms(panel.interval or "1m") for length in fixed), (panel.title, query)
            assert panel.max_data_points, panel.title


@pytest.mark.parametrize(("dialect", "locale", "page"), ALL)
def test_no_id_is_left_in_the_name_of_a_line(dialect: Dialect, locale: Locale, page: DashboardJson) -> None:
    ids = {tag: tag_words(tag) for tag in ("pollutant", "period", "severity")}
    for panel in [one for one in shown(page) if one.type != "table"]:
        for name in {target.alias or target.legend_format or "" for target in panel.targets or []}:
            tags = re.findall(r"\$tag_(\w+)|\{\{(\w+)\}\}", name)
            for tag in {one or other for one, other in tags} & ids.keys():
                for own, text in ids[tag].items():
                    line = re.sub(rf"\$tag_{tag}|{{{{{tag}}}}}", own, name)
                    assert spoken(line, panel) == line.replace(own, text.of(locale)), (panel.title, line)


def spoken(line: str, panel: PanelJson) -> str:
    """What the panel makes of the name of a line."""
    for one in panel.transformations or []:
        assert one.id == "renameByRegex"
        line = re.sub(one.options.regex.strip("/"), one.options.rename_pattern, line, count=1)
    return line


@pytest.mark.parametrize(("dialect", "locale", "page"), ALL)
def test_no_id_is_left_in_a_table_where_there_is_a_word(dialect: Dialect, locale: Locale, page: DashboardJson) -> None:
    for panel in shown(page):
        query = " ".join(target.query or target.expr or "" for target in panel.targets or [])
        grouped = re.findall(r"GROUP BY (.*)|by \(([^)]*)\)", query) if panel.type == "table" else []
        for tag in {tag for tag in ("pollutant", "period") for one, other in grouped if tag in one + other}:
            assert panel.field_config is not None
            said = {one.matcher.options: one.properties for one in panel.field_config.overrides}
            mappings = said[TAGS[tag].of(locale)][0].value
            shown_as = {name: mapped.text for one in mappings for name, mapped in one.options.items()}
            assert shown_as == {name: text.of(locale) for name, text in tag_words(tag).items()}


@pytest.mark.parametrize(("dialect", "locale", "page"), ALL)
def test_every_query_of_a_panel_has_a_letter_of_its_own(dialect: Dialect, locale: Locale, page: DashboardJson) -> None:
    for panel in shown(page):
        assert max(Counter(target.ref_id for target in panel.targets or []).values()) == 1


def test_the_page_on_grafana_names_every_series_that_can_be_asked_for() -> None:
    text = (ROOT / PROVISIONING / "README.md").read_text(encoding="utf-8")
    rows = " ".join(re.findall(r"^\| (`\w+`[^|]*)\|", text, re.MULTILINE))
    assert [name for name in MEASUREMENTS if name not in HIDDEN and f"`{name}`" not in rows] == []


@pytest.mark.parametrize("dialect", list(Dialect))
def test_addresses_are_unique_and_short_enough_and_links_to_the_others_find_them(dialect: Dialect) -> None:
    own = [(locale, page) for one, locale, _, page in pages() if one is dialect]
    assert max(Counter(page.uid for _, page in own).values()) == 1
    assert max(Counter((locale, page.title) for locale, page in own).values()) == 1
    assert all(len(page.uid) <= LONGEST_UID for _, page in own)
    for locale, page in own:
        (link,) = page.links
        found = [other.uid for of, other in own if set(link.tags) <= set(other.tags) and of is locale]
        assert len(found) == 5
        assert not [other for of, other in own if set(link.tags) <= set(other.tags) and of is not locale]
        assert (link.keep_time, link.include_vars) == (True, True)
