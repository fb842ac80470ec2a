"""Units, colours, links and options of a panel."""

from collections.abc import Iterator, Sequence

from dashboards.asking import IDS, Ask, Source, shown
from dashboards.field_types import (
    CellOptions,
    Change,
    Color,
    Custom,
    FieldConfig,
    FieldDefaults,
    HideFrom,
    Legend,
    LineStyle,
    Link,
    Mapped,
    Mapping,
    Matcher,
    Options,
    Override,
    Property,
    Reduce,
    Thresholds,
    ThresholdsStyle,
    ThresholdStep,
    Tooltip,
    Transformation,
)
from dashboards.panel import Band, Colour, Column, Kind, Meaning, Panel, Step
from dashboards.targets import Dialect, ref_id
from dashboards.text import Locale, Text
from dashboards.words import tag_words

# Colours that also those tell apart who do not see all of them (Okabe and Ito).
LINES = ("#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#F0E442", "#0072B2", "#8E98A3", "#D55E00")
BAND_OPACITY = 18  # per cent: bands that overlap stay readable
NOTHING = {Locale.ZH: "无数据", Locale.EN: "no data"}
TAGS: dict[str, Text] = {
    "city": Text("城市", "City"),
    "district": Text("区县", "District"),
    "home": Text("殡仪馆", "Home"),
    "furnace": Text("火化机", "Furnace"),
    "edge": Text("边缘网关", "Edge"),
    "pollutant": Text("项目", "Quantity"),
    "period": Text("均值周期", "Averaging"),
    "rule": Text("规则", "Rule"),
    "severity": Text("级别", "Severity"),
}
_LEGEND = Legend(display_mode="list", placement="bottom", show_legend=True, calcs=[])
_TOOLTIP = Tooltip(mode="multi", sort="desc")
_LAST = Reduce(calcs=["lastNotNull"])
BEGIN = Text("开始", "Begin")
_OF_EVENTS = {"title": Text("事项", "What"), "text": Text("说明", "About"), "end": Text("结束", "End")}


def config(panel: Panel, dialect: Dialect, locale: Locale) -> FieldConfig:
    """Everything about values."""
    defaults = FieldDefaults(
        unit=panel.unit,
        color=Color(mode="palette-classic" if panel.kind is Kind.TIME_SERIES else "thresholds"),
        thresholds=_thresholds(panel.steps),
        mappings=_mappings(panel.meanings, locale),
        custom=_custom(panel),
        min=panel.low,
        max=panel.high,
        decimals=panel.decimals,
        links=[_link(panel.leads_to, dialect, locale)] if panel.leads_to else [],
        no_value=NOTHING[locale],
    )
    overrides = [*_lines(panel, locale), *(_column(one, dialect, locale) for one in panel.columns)]
    overrides += [*_worded(panel, locale), *_hidden(panel)]
    return FieldConfig(defaults=defaults, overrides=overrides)


def options(panel: Panel) -> Options:
    """What the kind of panel is set to."""
    match panel.kind:
        case Kind.TIME_SERIES:
            return Options(legend=_LEGEND, tooltip=_TOOLTIP)
        case Kind.STAT:
            return Options(
                reduce_options=_LAST, color_mode="value", graph_mode="none", text_mode="auto", justify_mode="auto",
                orientation="auto", wide_layout=True, show_percent_change=False, percent_change_color_mode="standard",
            )  # fmt: skip
        case Kind.TABLE:
            return Options(show_header=True, cell_height="md", frame_index=0)
        case Kind.STATE_TIMELINE:
            return Options(
                show_value="auto", merge_values=True, row_height=0.9, align_value="left", legend=_LEGEND,
                tooltip=_TOOLTIP,
            )  # fmt: skip
        case Kind.STATUS_HISTORY:
            return Options(show_value="never", row_height=0.9, col_width=0.9, legend=_LEGEND, tooltip=_TOOLTIP)


def transformations(panel: Panel, dialect: Dialect, locale: Locale) -> list[Transformation] | None:
    """Of a table: several queries become one table, and columns get the names that people know; else lines do."""
    if panel.kind is not Kind.TABLE:
        return _spoken(panel, locale) or None
    names = {tag: text.of(locale) for tag, text in _tag_names(panel, locale).items()}
    hidden = {"Time": True, "time": True}
    if panel.events and dialect is Dialect.INFLUXQL:
        names, hidden = names | dict.fromkeys(hidden, BEGIN.of(locale)), {}
    elif panel.events:
        names |= {f"{name}_{locale}": _OF_EVENTS[name].of(locale) for name in ("title", "text")}
        names, hidden = names | {"Value": BEGIN.of(locale)}, hidden | dict.fromkeys(("subject", *IDS), True)
    elif dialect is Dialect.PROMQL:
        suffix = [""] if len(panel.asks) == 1 else [f" #{ref_id(at)}" for at in range(len(panel.asks))]
        names |= {f"Value{end}": ask.name.of(locale) for end, ask in zip(suffix, panel.asks, strict=True)}
    organize = Transformation(id="organize", options=Change(exclude_by_name=hidden, rename_by_name=names))
    return [*([Transformation(id="merge", options=Change())] if dialect is Dialect.PROMQL else []), organize]


def _spoken(panel: Panel, locale: Locale) -> list[Transformation]:
    """The words for ids that stand in names of lines."""
    changes = {
        _at(name, ask, tag): text.of(locale)
        for ask in panel.asks
        for tag in ask.legend
        for name, text in tag_words(tag).items()
    }
    return [
        Transformation(id="renameByRegex", options=Change(regex=regex, rename_pattern=text))
        for regex, text in changes.items()
    ]


def _at(name: str, ask: Ask, tag: str) -> str:
    """The pattern of an id where its tag stands in the name of a line: a place may be called alike."""
    if tag == ask.legend[0]:
        return f"/^{name}\\b/"
    return f"/\\b{name}$/" if tag == ask.legend[-1] and not ask.name.en else f"/\\b{name}\\b/"


def _tag_names(panel: Panel, locale: Locale) -> dict[str, Text]:
    """What the columns of tags are called; ids that stand beside names keep theirs, for links."""
    if panel.events:
        return {**_OF_EVENTS, **{name: TAGS[tag] for tag in IDS for name in (tag, f"{tag}_{locale}")}}
    return {tag: TAGS[tag.removesuffix("_zh").removesuffix("_en")] for tag in shown(panel.asks[0].by)}


def _hidden(panel: Panel) -> Iterator[Override]:
    if panel.kind is Kind.TABLE and panel.asks:
        by = panel.asks[0].by
        for tag in sorted(set(by) - set(shown(by)), key=by.index):
            yield _override(tag, ("custom.hidden", True))


def _worded(panel: Panel, locale: Locale) -> Iterator[Override]:
    """The words for ids in columns of a table."""
    for tag in panel.asks[0].by if panel.kind is Kind.TABLE and panel.asks else ():
        words = {name: Mapped(text=text.of(locale)) for name, text in tag_words(tag).items()}
        if words:
            yield _override(TAGS[tag].of(locale), ("mappings", [Mapping(type="value", options=words)]))


def _lines(panel: Panel, locale: Locale) -> Iterator[Override]:
    """A colour for each line that is known beforehand; limits are dashed, and what is expected is an area."""
    if panel.kind is not Kind.TIME_SERIES:
        return
    bounds = {name for band in panel.bands for name in (band.low, band.high)}
    drawn = [ask for ask in panel.asks if ask.name not in bounds]
    colours = {ask.name: LINES[at % len(LINES)] for at, ask in enumerate(drawn)}
    for ask in drawn:
        if ask.name in panel.dashed:
            style = LineStyle(fill="dash", dash=[10, 10])
            color = Color(mode="fixed", fixed_color=Colour.BAD)
            yield _matched("byRegexp", f"/{ask.name.of(locale)}$/", ("custom.lineStyle", style), ("color", color))
        elif not ask.by and len(panel.asks) > 1:
            yield _override(ask.name.of(locale), ("color", Color(mode="fixed", fixed_color=colours[ask.name])))
    for band in panel.bands:
        yield from _band(band, colours[band.of], locale)


def _band(band: Band, colour: str, locale: Locale) -> Iterator[Override]:
    """The area between two lines that are not drawn themselves, pale and of the colour of what it is about."""
    invisible: list[tuple[str, object]] = [
        ("color", Color(mode="fixed", fixed_color=colour)),
        ("custom.lineWidth", 0),
        ("custom.showPoints", "never"),
        ("custom.hideFrom", HideFrom(legend=True, tooltip=False, viz=False)),
    ]
    low = band.low.of(locale)
    yield _override(low, *invisible)
    area = [("custom.fillBelowTo", low), ("custom.fillOpacity", BAND_OPACITY)]
    yield _override(band.high.of(locale), *invisible, *area)


def _column(column: Column, dialect: Dialect, locale: Locale) -> Override:
    properties: list[tuple[str, object]] = [("unit", column.unit)]
    if column.steps:
        properties.append(("thresholds", _thresholds(column.steps)))
    if column.meanings:
        properties.append(("mappings", _mappings(column.meanings, locale)))
    if column.steps or column.meanings:
        properties.append(("custom.cellOptions", CellOptions(type="color-text")))
    if column.leads_to:
        properties.append(("links", [_link(column.leads_to, dialect, locale)]))
    return _override(column.name.of(locale), *properties)


def _override(name: str, *properties: tuple[str, object]) -> Override:
    return _matched("byName", name, *properties)


def _matched(how: str, name: str, *properties: tuple[str, object]) -> Override:
    return Override(
        matcher=Matcher(id=how, options=name), properties=[Property(id=key, value=value) for key, value in properties]
    )


def _thresholds(steps: Sequence[Step]) -> Thresholds:
    return Thresholds(mode="absolute", steps=[ThresholdStep(color=one.colour, value=one.value) for one in steps])


def _mappings(meanings: Sequence[Meaning], locale: Locale) -> list[Mapping]:
    found = {
        str(one.number): Mapped(text=one.text.of(locale), color=one.colour, index=at) for at, one in enumerate(meanings)
    }
    return [Mapping(type="value", options=found)] if found else []


def _custom(panel: Panel) -> Custom | None:
    """Gaps stay gaps."""
    match panel.kind:
        case Kind.TIME_SERIES:
            style = ThresholdsStyle(mode="line" if len(panel.steps) > 1 else "off")
            return Custom(line_width=2, fill_opacity=0, span_nulls=False, show_points="auto", thresholds_style=style)
        case Kind.TABLE:
            return Custom(align="auto", filterable=True, inspect=False)
        case Kind.STATE_TIMELINE:
            return Custom(line_width=0, fill_opacity=85)
        case Kind.STATUS_HISTORY:
            return Custom(line_width=1, fill_opacity=85)
        case _:
            return None


def _link(name: str, dialect: Dialect, locale: Locale) -> Link:
    """Another dashboard of the same language, with the time, the place of the row and the data sources kept."""
    place = "var-home=${__data.fields.home}&var-furnace=${__data.fields.furnace}"
    names = [one.value for one in Source] if dialect is Dialect.INFLUXQL else ["source"]
    sources = "&".join(f"${{{name}:queryparam}}" for name in names)
    title = {Locale.ZH: "打开", Locale.EN: "Open"}[locale]
    return Link(title=title, url=f"/d/clearstack-{name}-{locale}?${{__url_time_range}}&{place}&{sources}")
