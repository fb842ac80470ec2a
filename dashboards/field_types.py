"""How Grafana writes the values and options of a panel: what depends on the kind of panel."""

from typing import Any

import msgspec


class Part(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """Every object of the file."""


class ThresholdStep(Part, frozen=True, omit_defaults=False):
    """A colour from a value on; null is the lowest."""

    color: str
    value: float | None


class Thresholds(Part, frozen=True):
    """Steps in the order of their values."""

    mode: str
    steps: list[ThresholdStep]


class Mapped(Part, frozen=True):
    """What is shown in the place of a number or of an id."""

    text: str
    color: str | None = None
    index: int | None = None


class Mapping(Part, frozen=True, omit_defaults=False):
    """Numbers, as texts, or ids to what is shown."""

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


class HideFrom(Part, frozen=True, omit_defaults=False):
    """Where a line is not shown."""

    legend: bool
    tooltip: bool
    viz: bool


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
    inspect: bool | None = None


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
    wide_layout: bool | None = None
    show_percent_change: bool | None = None
    percent_change_color_mode: str | None = None
    frame_index: int | None = None
    color_mode: str | None = None
    graph_mode: str | None = None
    justify_mode: str | None = None
    text_mode: str | None = None
    legend: Legend | None = None
    tooltip: Tooltip | None = None
    show_header: bool | None = None
    cell_height: str | None = None
    show_value: str | None = None
    merge_values: bool | None = None
    row_height: float | None = None
    align_value: str | None = None
    col_width: float | None = None


class Change(Part, frozen=True):
    """Which columns of a table are shown and what they are called, or what becomes of a part of a line's name."""

    exclude_by_name: dict[str, bool] = {}
    rename_by_name: dict[str, str] = {}
    regex: str = ""
    rename_pattern: str = ""


class Transformation(Part, frozen=True, omit_defaults=False):
    """A change of a table, or of lines, before they are shown."""

    id: str
    options: Change
