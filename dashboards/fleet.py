"""Is every furnace well, and which one is not: city, home, furnace."""

from dashboards.asking import HOME as IN_HOME
from dashboards.asking import Aggregate, Ask
from dashboards.panel import Colour, Column, Dashboard, Kind, Panel, Step
from dashboards.text import Locale, Text
from dashboards.words import (
    HOME,
    ROOM_STEPS,
    SOME_STEPS,
    both,
    home_tags,
    phase_meanings,
    place_tags,
    rules_text,
    series_of,
)

PHASE = Text("阶段", "Phase")
ROOM = Text("距限值余量", "Head-room")
ALARMS = Text("未结报警", "Open alarms")
AGE = Text("数据时长", "Age of data")
_RECENT = "10m"
_MINUTE = "1m"
_FEW_POINTS = 200  # of hundreds of furnaces at once


def fleet(locale: Locale) -> Dashboard:
    """The dashboard; names of places are asked for in the language."""
    of_furnace, of_home = place_tags(locale), home_tags(locale)
    everything = (f"city_{locale}", f"district_{locale}", *of_furnace)
    return Dashboard(
        name="fleet",
        title=Text("机群总览", "Fleet"),
        about=Text(
            "各城市、殡仪馆、火化机的状态：余量、报警、离线网关。", "Every furnace: head-room, alarms, silent edges."
        ),
        variables=(HOME,),
        rows=(
            (Text("现在", "Now"), _now()),
            (Text("火化机", "Furnaces"), (_table(everything), _phases(of_furnace))),
            (Text("数据", "Data"), (_rooms(of_home), _complete(of_home))),
        ),
    )


def _now() -> tuple[Panel, ...]:
    return (
        _count(Text("正在火化", "Burning"), "furnace", "burning", (Step(None, Colour.NORMAL),), 6),
        _count(Text("本小时均值已超限", "Running hour beyond its limit"), "furnace", "beyond", SOME_STEPS, 6),
        _count(ALARMS, "alarm", "open", SOME_STEPS, 6),
        _count(Text("离线网关", "Silent edges"), "edge", "silent", SOME_STEPS, 6),
    )


def _count(title: Text, measurement: str, field: str, steps: tuple[Step, ...], width: int) -> Panel:
    """How many there are this minute: each home or furnace has one point a minute."""
    ask = Ask(
        measurement=measurement, field=field, aggregate=Aggregate.SUM, name=title, where=(IN_HOME,), window=_MINUTE
    )
    said = Text("每分钟统计一次。", "Counted once a minute.")
    about = both(said, *([rules_text()] if field == "beyond" else []), series_of(measurement, field))
    return Panel(
        title=title,
        about=about,
        kind=Kind.STAT,
        asks=(ask,),
        unit="none",
        size=(width, 5),
        steps=steps,
        decimals=0,
        last=_RECENT,
    )


def _last(field: str, name: Text, by: tuple[str, ...]) -> Ask:
    return Ask(measurement="furnace", field=field, aggregate=Aggregate.LAST, name=name, by=by, where=(IN_HOME,))


def _table(by: tuple[str, ...]) -> Panel:
    return Panel(
        title=Text("每台火化机", "Every furnace"),
        about=both(
            Text(
                "余量为本小时换算均值距规则限值的百分比，取最差一项；小于 0 为超限。点击火化机查看详情。",
                "Head-room: how far the running hour's converted mean is from the limit of its rule, in % of it, the "
                "worst quantity; below 0 it is beyond. Follow a furnace's name for more.",
            ),
            rules_text(),
            series_of("furnace", "phase", "headroom_pct", "alarms", "age_s"),
        ),
        kind=Kind.TABLE,
        asks=(
            _last("phase", PHASE, by),
            _last("headroom_pct", ROOM, by),
            _last("alarms", ALARMS, by),
            _last("age_s", AGE, by),
        ),
        unit="none",
        size=(24, 12),
        columns=(
            Column(Text("火化机", "Furnace"), leads_to="furnace"),
            Column(PHASE, meanings=phase_meanings()),
            Column(ROOM, "percent", ROOM_STEPS),
            Column(ALARMS, "none", SOME_STEPS),
            Column(AGE, "s", (Step(None, Colour.NORMAL), Step(60, Colour.WARN), Step(600, Colour.BAD))),
        ),
        last=_RECENT,
        decimals=0,
    )


def _phases(by: tuple[str, ...]) -> Panel:
    return Panel(
        title=Text("火化阶段", "Phases"),
        about=both(
            Text("每分钟一个状态；空白为无数据。", "One state a minute; blank is no data."),
            series_of("furnace", "phase"),
        ),
        kind=Kind.STATE_TIMELINE,
        asks=(
            Ask(
                measurement="furnace",
                field="phase",
                aggregate=Aggregate.LAST,
                name=Text("", ""),
                by=by,
                where=(IN_HOME,),
            ),
        ),
        unit="none",
        size=(24, 9),
        meanings=phase_meanings(),
        interval=_MINUTE,
        points=_FEW_POINTS,
    )


def _rooms(by: tuple[str, ...]) -> Panel:
    ask = Ask(
        measurement="furnace",
        field="headroom_pct",
        aggregate=Aggregate.MIN,
        name=Text("", ""),
        by=by,
        where=(IN_HOME,),
    )
    return Panel(
        title=Text("各馆最差余量", "Worst head-room of each home"),
        about=both(
            Text("低于 0 为超限。", "Below 0 a mean is beyond its limit."),
            rules_text(),
            series_of("furnace", "headroom_pct"),
        ),
        kind=Kind.TIME_SERIES,
        asks=(ask,),
        unit="percent",
        size=(12, 8),
        steps=ROOM_STEPS,
        interval=_MINUTE,
        high=100,
    )


def _complete(by: tuple[str, ...]) -> Panel:
    ask = Ask(
        measurement="completeness",
        field="covered_pct",
        aggregate=Aggregate.MEAN,
        name=Text("", ""),
        by=by,
        where=(IN_HOME,),
    )
    return Panel(
        title=Text("数据完整率", "Completeness"),
        about=both(
            Text("每小时有效数据覆盖时间的比例。", "The share of each hour for which good values held."),
            series_of("completeness", "covered_pct"),
        ),
        kind=Kind.TIME_SERIES,
        asks=(ask,),
        unit="percent",
        size=(12, 8),
        low=0,
        high=100,
        interval="1h",
    )
