"""What one furnace does: phases, temperatures, gas, draught, burners, filter, dosing."""

from collections.abc import Iterator

from dashboards.asking import PLACE, Aggregate, Ask, Match
from dashboards.panel import Band, Colour, Dashboard, Kind, Panel, Step
from dashboards.text import Locale, Text, quantity
from dashboards.words import (
    ONE_FURNACE,
    ONE_HOME,
    ROOM_STEPS,
    SOME_STEPS,
    both,
    limits_text,
    phase_meanings,
    rules_text,
    series_of,
    switch_meanings,
    unit_of,
)
from ingest_service.anomaly.baseline import FEWEST, LESSONS
from ingest_service.anomaly.watched import WATCHED
from ingest_service.emissions.units import Pollutant

_LIMIT = Text("限值", "Limit")
_RECENT = "10m"
_BOUNDS = {"low": Text("通常下限", "usual low"), "high": Text("通常上限", "usual high")}
_EXPECTED = Text(
    f"色带为本炉在该阶段通常的范围，由最近至多 {LESSONS} 次火化得出，不是法定限值；少于 {FEWEST} 次时没有色带。",
    f"The band is what this furnace usually shows in that phase, from its last {LESSONS} cremations at most; it is no "
    f"legal limit. With fewer than {FEWEST} there is none.",
)


def furnace(_locale: Locale) -> Dashboard:
    """The dashboard of one furnace."""
    return Dashboard(
        name="furnace",
        title=Text("火化机", "Furnace"),
        about=Text(
            "一台火化机的运行过程；含火化、报警、标记。", "One furnace over time, with cremations, alarms and marks."
        ),
        variables=(ONE_HOME, ONE_FURNACE),
        annotations=("cycle", "exceedance", "alarm", "mark"),
        since="now-6h",
        refresh="10s",
        rows=(
            (Text("现在", "Now"), _now()),
            (Text("过程", "Process"), (_phase(), _switches())),
            (Text("温度与烟气", "Temperatures and gas"), _gas()),
            (Text("风机、燃烧器与净化", "Fans, burners and filter"), _plant()),
            (Text("品质", "Quality"), (_bad(),)),
        ),
    )


def _now() -> tuple[Panel, ...]:
    return (
        _stat(Text("阶段", "Phase"), "phase", "none", (Step(None, Colour.NORMAL),)),
        _stat(Text("距限值余量", "Head-room"), "headroom_pct", "percent", ROOM_STEPS),
        _stat(Text("未结报警", "Open alarms"), "alarms", "none", SOME_STEPS),
        _stat(Text("数据时长", "Age of data"), "age_s", "s", (Step(None, Colour.NORMAL), Step(60, Colour.WARN))),
    )


def _stat(title: Text, field: str, unit: str, steps: tuple[Step, ...]) -> Panel:
    ask = Ask(measurement="furnace", field=field, aggregate=Aggregate.LAST, name=title, where=PLACE)
    said = Text("每分钟更新。", "Renewed every minute.")
    return Panel(
        title=title,
        about=both(said, *([rules_text()] if field == "headroom_pct" else []), series_of("furnace", field)),
        kind=Kind.STAT,
        asks=(ask,),
        unit=unit,
        size=(6, 4),
        steps=steps,
        decimals=0,
        last=_RECENT,
        meanings=phase_meanings() if field == "phase" else (),
    )


def _phase() -> Panel:
    ask = Ask(measurement="sample", field="phase", aggregate=Aggregate.LAST, name=quantity("phase"), where=PLACE)
    return Panel(
        title=quantity("phase"),
        about=both(Text("控制器所报阶段。", "The phase that the controller reports."), series_of("sample", "phase")),
        kind=Kind.STATE_TIMELINE,
        asks=(ask,),
        unit="none",
        size=(24, 4),
        meanings=phase_meanings(),
        interval="30s",
    )


def _switches() -> Panel:
    names = ("burner1_on", "burner2_on", "charge_door_open", "ash_door_open", "trolley_in")
    asks = tuple(
        Ask(measurement="sample", field=name, aggregate=Aggregate.LAST, name=quantity(name), where=PLACE)
        for name in names
    )
    return Panel(
        title=Text("燃烧器与炉门", "Burners and doors"),
        about=both(Text("开关量，空白为无数据。", "Switches; blank is no data."), series_of("sample", *names)),
        kind=Kind.STATE_TIMELINE,
        asks=asks,
        unit="none",
        size=(24, 7),
        meanings=switch_meanings(),
        interval="30s",
    )


def _gas() -> tuple[Panel, ...]:
    temperatures = ("chamber1_temperature", "chamber2_temperature", "stack_temperature")
    return (
        _trend(Text("炉温", "Temperatures"), temperatures, (12, 9), Pollutant.CHAMBER2_TEMPERATURE),
        _trend(
            Text("急冷与除尘温度", "Cooler and filter"),
            ("cooler_outlet_temperature", "filter_inlet_temperature"),
            (12, 9),
        ),
        _trend(quantity("flue_o2"), ("flue_o2",), (12, 8)),
        _trend(quantity("co"), ("co",), (12, 8)),
        _trend(
            Text("酸性气体与烟尘（实测）", "Acid gases and dust, as measured"), ("so2", "nox", "hcl", "dust"), (12, 8)
        ),
        _trend(quantity("opacity"), ("opacity",), (12, 8)),
    )


def _plant() -> tuple[Panel, ...]:
    return (
        _trend(quantity("chamber_draught"), ("chamber_draught",), (12, 8)),
        _trend(Text("风机频率", "Fan frequencies"), ("combustion_fan_frequency", "induced_fan_frequency"), (12, 8)),
        _trend(Text("燃烧器负荷", "Burner modulation"), ("burner1_modulation", "burner2_modulation"), (12, 8)),
        _trend(quantity("gas_flow"), ("gas_flow",), (12, 8)),
        _trend(quantity("filter_pressure_drop"), ("filter_pressure_drop",), (12, 8)),
        _trend(Text("投加量", "Dosing"), ("lime_dosing", "carbon_dosing"), (12, 8)),
        _trend(quantity("stack_velocity"), ("stack_velocity",), (12, 8)),
        _trend(quantity("stack_moisture"), ("stack_moisture",), (12, 8)),
    )


def _trend(title: Text, names: tuple[str, ...], size: tuple[int, int], limited: Pollutant | None = None) -> Panel:
    """Minute means of quantities of one unit, what they usually are, and the limit by which the furnace is judged."""
    watched = tuple(name for name in names if name in WATCHED)
    return Panel(
        title=title,
        about=_about(names, watched, limited),
        kind=Kind.TIME_SERIES,
        asks=(
            *_usual(watched),
            *(_of_minutes("minute_mean", name, quantity(name)) for name in names),
            *_limit(limited),
        ),
        unit=unit_of(names[0]),
        size=size,
        interval="1m",
        dashed=(_LIMIT,) if limited else (),
        bands=tuple(Band(quantity(name), _bound(name, "low"), _bound(name, "high")) for name in watched),
    )


def _about(names: tuple[str, ...], watched: tuple[str, ...], limited: Pollutant | None) -> Text:
    parts = [
        Text("分钟均值；断开处为无有效数据。", "Minute means; a gap is no good value."),
        series_of("minute_mean", *names),
    ]
    if watched:
        parts += [_EXPECTED, *(series_of(f"expected_{bound}", *watched) for bound in _BOUNDS)]
    if limited:
        parts += [limits_text(limited), series_of("average", "limit")]
    return both(*parts)


def _usual(watched: tuple[str, ...]) -> Iterator[Ask]:
    """The lower bounds, then the upper ones: a statement each in InfluxQL."""
    for bound in _BOUNDS:
        yield from (_of_minutes(f"expected_{bound}", name, _bound(name, bound)) for name in watched)


def _limit(limited: Pollutant | None) -> Iterator[Ask]:
    if limited:
        where = (*PLACE, Match("pollutant", text=limited.value))
        yield Ask(measurement="average", field="limit", aggregate=Aggregate.LAST, name=_LIMIT, where=where, window="1h")


def _of_minutes(measurement: str, name: str, shown: Text) -> Ask:
    return Ask(measurement=measurement, field=name, aggregate=Aggregate.MEAN, name=shown, where=PLACE)


def _bound(name: str, bound: str) -> Text:
    """What a bound of the expected is called."""
    own, words = quantity(name), _BOUNDS[bound]
    return Text(f"{own.zh}（{words.zh}）", f"{own.en} ({words.en})")


def _bad() -> Panel:
    names = ("flue_o2", "co", "chamber2_temperature")
    asks = tuple(
        Ask(
            measurement="quality",
            field=name,
            aggregate=Aggregate.COUNT,
            name=quantity(name),
            where=PLACE,
            window="1h",
        )
        for name in names
    )
    return Panel(
        title=Text("不良样本", "Doubtful and bad samples"),
        about=both(
            Text("每小时品质码非良好的样本数。", "Samples of an hour that are not simply good."),
            series_of("quality", *names),
        ),
        kind=Kind.TIME_SERIES,
        asks=asks,
        unit="none",
        size=(24, 7),
        interval="1h",
        low=0,
        decimals=0,
    )
