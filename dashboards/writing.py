"""A dashboard as Grafana's JSON."""

from collections.abc import Iterator, Sequence

from dashboards import fields, influxql, promql
from dashboards.asking import Match, Source
from dashboards.panel import Colour, Dashboard, Panel, Variable
from dashboards.targets import ANY, CHOICE, Dialect, panel_source, targets, variable_query
from dashboards.text import Locale, Text
from dashboards.types import (
    SCHEMA_VERSION,
    AnnotationJson,
    Annotations,
    Current,
    DashboardJson,
    DashboardLink,
    Grid,
    PanelJson,
    SourceRef,
    Target,
    Templating,
    TimeRange,
    VariableJson,
)

WIDTH = 24
ROW_HEIGHT = 1
UIDS = {Source.RAW: "clearstack", Source.MINUTE: "clearstack-minute", Source.HOUR: "clearstack-hour"}
EVENTS: dict[str, tuple[Text, Colour]] = {
    "cycle": (Text("火化", "Cremations"), Colour.NORMAL),
    "exceedance": (Text("超标", "Exceedances"), Colour.BAD),
    "alarm": (Text("报警", "Alarms"), Colour.WARN),
    "mark": (Text("标记", "Marks"), Colour.GOOD),
}
_SOURCES = {
    Source.RAW: Text("数据源", "Data source"), Source.MINUTE: Text("分钟数据", "Minute data"),
    Source.HOUR: Text("小时数据", "Hour data"),
}  # fmt: skip


def uid_of(name: str, locale: Locale) -> str:
    """The address of a dashboard; both dialects have the same, since one Grafana shows one of them."""
    return f"clearstack-{name}-{locale}"


def write(dashboard: Dashboard, dialect: Dialect, locale: Locale) -> DashboardJson:
    """The dashboard in one dialect and language."""
    where = tuple(Match(one.tag, variable=one.tag) for one in dashboard.variables if one.tag in ("home", "furnace"))
    return DashboardJson(
        uid=uid_of(dashboard.name, locale),
        title=dashboard.title.of(locale),
        description=dashboard.about.of(locale),
        tags=["clearstack", f"clearstack-{locale}"],
        editable=False,
        graph_tooltip=1,
        schema_version=SCHEMA_VERSION,
        refresh=dashboard.refresh,
        time=TimeRange(since=dashboard.since, to="now"),
        timezone="browser",
        links=[_others(locale)],
        templating=Templating(list=[*_sources(dialect, locale), *_variables(dashboard, dialect, locale)]),
        annotations=Annotations(list=[_own(), *_annotations(dashboard, where, dialect, locale)]),
        panels=list(_panels(dashboard, where, dialect, locale)),
    )


def _panels(dashboard: Dashboard, where: Sequence[Match], dialect: Dialect, locale: Locale) -> Iterator[PanelJson]:
    """Rows of panels from left to right; one that does not fit begins the next line."""
    number, y = 0, 0
    for title, panels in dashboard.rows:
        number += 1
        place = Grid(x=0, y=y, w=WIDTH, h=ROW_HEIGHT)
        yield PanelJson(id=number, type="row", title=title.of(locale), grid_pos=place, collapsed=False, panels=[])
        x, y, height = 0, y + ROW_HEIGHT, 0
        for panel in panels:
            number, (width, own) = number + 1, panel.size
            if x + width > WIDTH:
                x, y, height = 0, y + height, 0
            yield _panel(panel, number, Grid(x=x, y=y, w=width, h=own), where, dialect, locale)
            x, height = x + width, max(height, own)
        y += height


def _panel(
    panel: Panel, number: int, place: Grid, where: Sequence[Match], dialect: Dialect, locale: Locale
) -> PanelJson:
    queries = targets(panel, where, dialect, locale)
    return PanelJson(
        id=number,
        type=panel.kind.value,
        title=panel.title.of(locale),
        grid_pos=place,
        description=panel.about.of(locale),
        datasource=panel_source(queries),
        targets=queries,
        field_config=fields.config(panel, dialect, locale),
        options=fields.options(panel),
        transformations=fields.transformations(panel, dialect, locale),
        interval=panel.interval or None,
        time_from=panel.last or None,
        max_data_points=panel.points,
    )


def _sources(dialect: Dialect, locale: Locale) -> Iterator[VariableJson]:
    """The data sources as variables, so that nothing names one."""
    if dialect is Dialect.PROMQL:
        yield _source("source", dialect, UIDS[Source.RAW], _SOURCES[Source.RAW].of(locale), 0)
        return
    for source, uid in UIDS.items():
        yield _source(source.value, dialect, uid, _SOURCES[source].of(locale), 0 if source is Source.RAW else 2)


def _source(name: str, dialect: Dialect, uid: str, label: str, hide: int) -> VariableJson:
    return VariableJson(
        name=name, type="datasource", label=label, query=dialect.plugin, hide=hide, refresh=1, regex="", multi=False,
        include_all=False, current=Current(text=uid, value=uid),
    )  # fmt: skip


def _variables(dashboard: Dashboard, dialect: Dialect, locale: Locale) -> Iterator[VariableJson]:
    for one in dashboard.variables:
        yield _variable(one, dialect, locale)


def _variable(variable: Variable, dialect: Dialect, locale: Locale) -> VariableJson:
    query = variable_query(variable, dialect, locale)
    return VariableJson(
        name=variable.tag,
        type="query",
        label=variable.name.of(locale),
        query=query,
        datasource=dialect.source(Source.MINUTE),
        refresh=2,
        sort=1,
        regex=CHOICE,
        multi=variable.many,
        include_all=variable.many,
        all_value=ANY if variable.many else None,
        current=Current(text=["All"], value=["$__all"]) if variable.many else None,
    )


def _own() -> AnnotationJson:
    """What people write into Grafana itself."""
    own = SourceRef(type="grafana", uid="-- Grafana --")
    return AnnotationJson(
        name="Annotations & Alerts", datasource=own, enable=True, hide=True, icon_color=Colour.GOOD, built_in=1,
        type="dashboard",
    )  # fmt: skip


def _annotations(
    dashboard: Dashboard, where: Sequence[Match], dialect: Dialect, locale: Locale
) -> Iterator[AnnotationJson]:
    for kind in dashboard.annotations:
        name, colour = EVENTS[kind]
        make = _of_promql if dialect is Dialect.PROMQL else _of_influxql
        yield make(kind, name.of(locale), colour, where, locale)


def _of_promql(kind: str, name: str, colour: Colour, where: Sequence[Match], locale: Locale) -> AnnotationJson:
    """The query stands twice: as a target, and where Grafana 11 had it."""
    source, text = Dialect.PROMQL.source(Source.HOUR), promql.events(kind, where, locale)
    return AnnotationJson(
        name=name, datasource=source, enable=True, icon_color=colour, expr=text,
        target=Target(ref_id="Anno", datasource=source, expr=text, range=True, interval="60s"),
        title_format=f"{{{{title_{locale}}}}}", text_format=f"{{{{text_{locale}}}}}", tag_keys=f"furnace_{locale}",
        use_value_for_time=True,
    )  # fmt: skip


def _of_influxql(kind: str, name: str, colour: Colour, where: Sequence[Match], locale: Locale) -> AnnotationJson:
    return AnnotationJson(
        name=name, datasource=Dialect.INFLUXQL.source(Source.HOUR), enable=True, icon_color=colour,
        target=_annotation_target(kind, name, where, locale),
    )  # fmt: skip


def _annotation_target(kind: str, name: str, where: Sequence[Match], locale: Locale) -> Target:
    return Target(
        ref_id="Anno", datasource=Dialect.INFLUXQL.source(Source.HOUR), query=influxql.events(kind, where, locale),
        raw_query=True, result_format="table", text_column="text", title_column="title", time_end_column="end",
        tags_column="furnace", from_annotations=True, query_type="tags", limit=0, match_any=False, tags=[], type="",
        name=name,
    )  # fmt: skip


def _others(locale: Locale) -> DashboardLink:
    title = "看板" if locale is Locale.ZH else "Dashboards"
    return DashboardLink(
        title=title, type="dashboards", tags=[f"clearstack-{locale}"], as_dropdown=False, include_vars=True,
        keep_time=True, target_blank=False, icon="external link", tooltip="", url="",
    )  # fmt: skip
