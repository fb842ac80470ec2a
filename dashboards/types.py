"""Grafana's dashboard JSON, schema version 41, as far as it is used here; an unknown key is refused on decoding.

Written from the types that Grafana publishes (packages/grafana-schema, kind "dashboard").
"""

from typing import Annotated, Any

import msgspec

SCHEMA_VERSION = 41


class Part(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """Every object of the file."""


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


class ThresholdStep(Part, frozen=True, omit_defaults=False):
    """A colour from a value on; null is the lowest."""

    color: str
    value: float | None


class Thresholds(Part, frozen=True):
    """Steps in the order of their values."""

    mode: str
    steps: list[ThresholdStep]


class Mapped(Part, frozen=True):
    """What is shown in a number's place."""

    text: str
    color: str
    index: int | None = None


class Mapping(Part, frozen=True, omit_defaults=False):
    """Numbers, as texts, to what is shown."""

    type: str
    options: dict[str, Mapped]


class Link(Part, frozen=True):
    """A way to another page from a value."""

    title: str
    url: str
    target_blank: bool = False


class Color(Part, frozen=True):
    """How colours are chosen."""

    mode: str
    fixed_color: str | None = None


class LineStyle(Part, frozen=True):
    """A line that is drawn or dashed."""

    fill: str
    dash: list[int] | None = None


class ThresholdsStyle(Part, frozen=True):
    """Whether thresholds are drawn in a chart."""

    mode: str


class CellOptions(Part, frozen=True):
    """How a table shows a value."""

    type: str
    mode: str | None = None


class Custom(Part, frozen=True, omit_defaults=True):
    """What a kind of panel adds to a field."""

    line_width: int | None = None
    fill_opacity: int | None = None
    span_nulls: bool | None = None
    show_points: str | None = None
    axis_label: str | None = None
    thresholds_style: ThresholdsStyle | None = None
    align: str | None = None
    cell_options: CellOptions | None = None
    filterable: bool | None = None


class FieldDefaults(Part, frozen=True):
    """What holds for every field of a panel."""

    unit: str
    color: Color
    thresholds: Thresholds
    mappings: list[Mapping] = []
    custom: Custom | None = None
    min: float | None = None
    max: float | None = None
    decimals: int | None = None
    links: list[Link] = []
    no_value: str | None = None


class Matcher(Part, frozen=True):
    """Which fields an override is about."""

    id: str
    options: str


class Property(Part, frozen=True, omit_defaults=False):
    """One thing that is different."""

    id: str
    value: Any


class Override(Part, frozen=True, omit_defaults=False):
    """What is different for some fields."""

    matcher: Matcher
    properties: list[Property]


class FieldConfig(Part, frozen=True, omit_defaults=False):
    """Units, colours and links of values."""

    defaults: FieldDefaults
    overrides: list[Override]


class Reduce(Part, frozen=True):
    """How many values become the one that is shown."""

    calcs: list[str]
    fields: str = ""
    values: bool = False


class Legend(Part, frozen=True, omit_defaults=False):
    """The legend of a chart."""

    display_mode: str
    placement: str
    show_legend: bool
    calcs: list[str]


class Tooltip(Part, frozen=True, omit_defaults=False):
    """What is shown under the pointer."""

    mode: str
    sort: str


class Options(Part, frozen=True):
    """What a kind of panel can be set to."""

    reduce_options: Reduce | None = None
    orientation: str | None = None
    color_mode: str | None = None
    graph_mode: str | None = None
    justify_mode: str | None = None
    text_mode: str | None = None
    display_mode: str | None = None
    show_unfilled: bool | None = None
    value_mode: str | None = None
    legend: Legend | None = None
    tooltip: Tooltip | None = None
    show_header: bool | None = None
    cell_height: str | None = None
    show_value: str | None = None
    merge_values: bool | None = None
    row_height: float | None = None
    align_value: str | None = None
    col_width: float | None = None


class Organize(Part, frozen=True):
    """Names and order of a table's columns."""

    exclude_by_name: dict[str, bool] = {}
    rename_by_name: dict[str, str] = {}
    index_by_name: dict[str, int] = {}


class Transformation(Part, frozen=True, omit_defaults=False):
    """A change of a table before it is shown."""

    id: str
    options: Organize


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
    definition: str | None = None
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
    step: str | None = None
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
