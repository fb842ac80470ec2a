"""Are the limits kept, and do the data count: means against limits, validity, exceedances."""

from dashboards.asking import PLACE, Aggregate, Ask, Match
from dashboards.fields import BEGIN
from dashboards.panel import Colour, Column, Dashboard, Kind, Panel, Step
from dashboards.text import Locale, Text, quantity
from dashboards.words import (
    FURNACE,
    HOME,
    ROOM_STEPS,
    both,
    judged_pollutants,
    limit_unit,
    limits_text,
    place_tags,
    pollutant_name,
    rules_text,
    series_of,
    unit_of,
    verdict_meanings,
)
from ingest_service.emissions.units import Pollutant

_LIMIT = Text("限值", "Limit")
_MEAN = Text("均值", "Mean")
_ROOM = Text("余量", "Head-room")
_CAPTURE = Text("有效分钟", "Valid minutes")
_NO_NAME = Text("", "")
_GASES = tuple(one for one in judged_pollutants() if one.is_concentration)


def emissions(locale: Locale) -> Dashboard:
    """The dashboard of what the law asks; names of places are asked for in the language."""
    by = place_tags(locale)
    return Dashboard(
        name="emissions",
        title=Text("排放", "Emissions"),
        about=Text(
            "换算后的均值与规则限值、有效性、超标记录。", "Converted means against limits, validity, exceedances."
        ),
        variables=(HOME, FURNACE),
        annotations=("exceedance", "mark"),
        since="now-2d",
        refresh="1m",
        rows=(
            (Text("判定", "Verdicts"), (_calendar(by), _standing(by))),
            (Text("均值与限值", "Means and limits"), tuple(_against_limit(one, by) for one in judged_pollutants())),
            (Text("有效性", "Validity"), (_capture(by), _measured(by))),
            (Text("超标记录", "Exceedances"), (_exceedances(),)),
        ),
    )


def _ask(field: str, aggregate: Aggregate, name: Text, by: tuple[str, ...], **more: tuple[Match, ...]) -> Ask:
    return Ask(
        measurement="average", field=field, aggregate=aggregate, name=name, by=by, where=more.get("where", PLACE)
    )


def _against_limit(pollutant: Pollutant, names: tuple[str, ...]) -> Panel:
    where = (*PLACE, Match("pollutant", text=pollutant.value))
    mean = Ask(
        measurement="average",
        field="mean",
        aggregate=Aggregate.MIN if pollutant is Pollutant.CHAMBER2_TEMPERATURE else Aggregate.MAX,
        name=_NO_NAME,
        by=(*names, "period"),
        where=where,
        only=("valid",),
    )
    limit = _ask("limit", Aggregate.MAX, _LIMIT, ("period",), where=where)
    return Panel(
        title=pollutant_name(pollutant),
        about=both(
            Text(
                "规则所定基准下的有效均值；虚线为所用规则的限值。",
                "Valid means at the rule's reference, the worst of each step; dashed: the limit in force.",
            ),
            limits_text(pollutant),
            series_of("average", "mean", "limit"),
        ),
        kind=Kind.TIME_SERIES,
        asks=(mean, limit),
        unit=limit_unit(pollutant),
        size=(12, 8),
        interval="1h",
        dashed=(_LIMIT,),
    )


def _calendar(names: tuple[str, ...]) -> Panel:
    ask = Ask(
        measurement="average",
        field="state",
        aggregate=Aggregate.LAST,
        name=_NO_NAME,
        by=(*names, "pollutant"),
        where=(*PLACE, Match("period", text="clock_hour")),
        window="1h",
    )
    return Panel(
        title=Text("每小时判定", "Hours"),
        about=both(
            Text("每台火化机每项每小时的判定；空白为尚未判定。", "The verdict on each hour; blank is not judged yet."),
            rules_text(),
            series_of("average", "state"),
        ),
        kind=Kind.STATUS_HISTORY,
        asks=(ask,),
        unit="none",
        size=(24, 9),
        meanings=verdict_meanings(),
        interval="1h",
    )


def _standing(place: tuple[str, ...]) -> Panel:
    by = (*place, "pollutant", "period", "rule")
    names = {"mean": _MEAN, "limit": _LIMIT, "headroom_pct": _ROOM, "capture_pct": _CAPTURE}
    return Panel(
        title=Text("最近一次判定", "Last verdicts"),
        about=both(
            Text(
                "各项最近的均值、限值与余量，及所用规则。",
                "The newest mean of each, its limit, and the rule that was used.",
            ),
            rules_text(),
            series_of("average", *names),
        ),
        kind=Kind.TABLE,
        asks=tuple(_ask(field, Aggregate.LAST, name, by) for field, name in names.items()),
        unit="none",
        size=(24, 9),
        decimals=1,
        columns=(
            Column(_ROOM, "percent", ROOM_STEPS),
            Column(_CAPTURE, "percent"),
            Column(Text("火化机", "Furnace"), leads_to="furnace"),
        ),
    )


def _capture(names: tuple[str, ...]) -> Panel:
    return Panel(
        title=Text("有效分钟比例", "Capture"),
        about=both(
            Text(
                "每个均值周期中有效分钟的比例；低于规则要求时该均值无效。",
                "The share of valid minutes of a period; below what the rule asks the mean does not count.",
            ),
            rules_text(),
            series_of("average", "capture_pct"),
        ),
        kind=Kind.TIME_SERIES,
        asks=(_ask("capture_pct", Aggregate.MEAN, _NO_NAME, (*names, "pollutant")),),
        unit="percent",
        size=(12, 8),
        low=0,
        high=100,
        interval="1h",
        steps=(Step(None, Colour.WARN), Step(75, Colour.NORMAL)),
    )


def _measured(names: tuple[str, ...]) -> Panel:
    asks = tuple(
        Ask(
            measurement="measured",
            field=one.value,
            aggregate=Aggregate.MEAN,
            name=quantity(one.value),
            by=names,
            where=PLACE,
        )
        for one in _GASES
    )
    return Panel(
        title=Text("实测小时均值（未换算）", "Hour means as measured"),
        about=both(
            Text("分析仪读数，未换算。", "As the analyser shows them, not converted."), series_of("measured", *_GASES)
        ),
        kind=Kind.TIME_SERIES,
        asks=asks,
        unit=unit_of(_GASES[0].value),
        size=(12, 8),
        interval="1h",
    )


def _exceedances() -> Panel:
    return Panel(
        title=Text("超标记录", "Exceedances"),
        about=both(
            Text("规则与条款见说明。", "The text names rule and clause."),
            rules_text(),
            series_of("event", "kind = exceedance"),
        ),
        kind=Kind.TABLE,
        unit="none",
        size=(24, 8),
        events="exceedance",
        columns=(Column(Text("结束", "End"), "dateTimeAsLocal"), Column(BEGIN, "dateTimeAsLocal")),
    )
