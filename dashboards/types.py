"""Grafana's dashboard JSON, schema version 41, as far as it is used here; an unknown key is refused on decoding.

Written from the types that Grafana publishes (packages/grafana-schema, kind "dashboard").
"""

from typing import Annotated

import msgspec

from dashboards.field_types import FieldConfig, Options, Part, Transformation

SCHEMA_VERSION = 41


class SourceRef(Part, frozen=True):
    """A data source: its plugin, and its uid or the variable that holds it."""

    type: str
    uid: str


class Grid(Part, frozen=True, omit_defaults=False):
    """Where a panel is, of 24 columns."""

    x: Annotated[int, msgspec.Meta(ge=0, le=23)]
    y: Annotated[int, msgspec.Meta(ge=0)]
    w: Annotated[int, msgspec.Meta(ge=1, le=24)]
    h: Annotated[int, msgspec.Meta(ge=1)]


class Target(Part, frozen=True):
    """One query of either data source."""

    ref_id: str
    datasource: SourceRef
    query: str | None = None
    raw_query: bool | None = None
    result_format: str | None = None
    alias: str | None = None
    expr: str | None = None
    legend_format: str | None = None
    instant: bool | None = None
    range: bool | None = None
    format: str | None = None
    editor_mode: str | None = None
    interval: str | None = None
    # of annotations in InfluxQL
    text_column: str | None = None
    title_column: str | None = None
    time_end_column: str | None = None
    tags_column: str | None = None
    from_annotations: bool | None = None
    query_type: str | None = None
    limit: int | None = None
    match_any: bool | None = None
    tags: list[str] | None = None
    type: str | None = None
    name: str | None = None


class PanelJson(Part, frozen=True):
    """A panel, or a row, which has a title only."""

    id: int
    type: str
    title: str
    grid_pos: Grid
    description: str | None = None
    datasource: SourceRef | None = None
    targets: list[Target] | None = None
    field_config: FieldConfig | None = None
    options: Options | None = None
    transformations: list[Transformation] | None = None
    interval: str | None = None
    time_from: str | None = None
    max_data_points: int | None = None
    collapsed: bool | None = None
    panels: list[int] | None = None


class PromVariableQuery(Part, frozen=True):
    """The query of a variable on Prometheus."""

    query: str
    ref_id: str


class Current(Part, frozen=True):
    """What a variable holds at first."""

    text: str | list[str]
    value: str | list[str]


class VariableJson(Part, frozen=True):
    """A variable at the top of the page."""

    name: str
    type: str
    label: str
    query: str | PromVariableQuery
    hide: int = 0
    datasource: SourceRef | None = None
    refresh: int | None = None
    sort: int | None = None
    regex: str | None = None
    multi: bool | None = None
    include_all: bool | None = None
    all_value: str | None = None
    current: Current | None = None


class Templating(Part, frozen=True):
    """Every variable."""

    list: list[VariableJson]


class AnnotationJson(Part, frozen=True):
    """Events over all panels."""

    name: str
    datasource: SourceRef
    enable: bool
    icon_color: str
    target: Target | None = None
    hide: bool | None = None
    built_in: int | None = None
    type: str | None = None
    expr: str | None = None
    title_format: str | None = None
    text_format: str | None = None
    tag_keys: str | None = None
    use_value_for_time: bool | None = None


class Annotations(Part, frozen=True):
    """Every annotation."""

    list: list[AnnotationJson]


class DashboardLink(Part, frozen=True, omit_defaults=False):
    """The other dashboards, at the top of the page."""

    title: str
    type: str
    tags: list[str]
    as_dropdown: bool
    include_vars: bool
    keep_time: bool
    target_blank: bool
    icon: str
    tooltip: str
    url: str


class TimeRange(Part, frozen=True, omit_defaults=False):
    """What is shown at first."""

    since: str = msgspec.field(name="from")
    to: str


class DashboardJson(Part, frozen=True, omit_defaults=False):
    """The file."""

    uid: str
    title: str
    description: str
    tags: list[str]
    editable: bool
    graph_tooltip: int
    schema_version: int
    refresh: str
    time: TimeRange
    timezone: str
    links: list[DashboardLink]
    templating: Templating
    annotations: Annotations
    panels: list[PanelJson]
