"""What a cremation takes: gas, electricity, CO2; what goes while nothing burns; who takes most."""

from dashboards.asking import PLACE, Aggregate, Ask
from dashboards.panel import Column, Dashboard, Kind, Panel
from dashboards.text import Locale, Text
from dashboards.words import FURNACE, HOME, both, place_tags, series_of

_NO_NAME = Text("", "")
_HOLDS = ("holds",)
_COUNT = Text("火化次数", "Cremations")
_GAS = Text("燃气/次", "Gas each")
_POWER = Text("用电/次", "Electricity each")
_CO2 = Text("CO2/次", "CO2 each")
_TIME = Text("时长/次", "Time each")
_MINUS_IDLE = Text("仅统计有燃气表或电表的火化机。", "Only of furnaces that have a meter.")


def energy(locale: Locale) -> Dashboard:
    """The dashboard of consumption; names of places are asked for in the language."""
    by = place_tags(locale)
    return Dashboard(
        name="energy",
        title=Text("能耗", "Energy"),
        about=Text(
            "每次火化的燃气、用电与 CO2，待机消耗与排名。", "Gas, electricity and CO2 a cremation; idling; ranking."
        ),
        variables=(HOME, FURNACE),
        annotations=(),
        since="now-30d",
        refresh="5m",
        rows=(
            (Text("合计", "Totals"), _totals()),
            (
                Text("每次火化", "Each cremation"),
                (
                    _ranking(by),
                    _each("gas_m3", Text("燃气", "Gas"), "m3", by),
                    _each("electricity_kwh", Text("用电", "Electricity"), "kwatth", by),
                ),
            ),
            (
                Text("待机", "Idling"),
                (
                    _idle("gas_idle_m3", Text("待机燃气", "Gas outside cremations"), "m3", by),
                    _idle("electricity_idle_kwh", Text("待机用电", "Electricity outside cremations"), "kwatth", by),
                ),
            ),
        ),
    )


def _totals() -> tuple[Panel, ...]:
    return (
        _total(_COUNT, "count", "none"),
        _total(Text("燃气", "Gas"), "gas_m3", "m3"),
        _total(Text("用电", "Electricity"), "electricity_kwh", "kwatth"),
        _total(Text("CO2", "CO2"), "co2_kg", "masskg"),
    )


def _cycle(field: str, aggregate: Aggregate, name: Text, by: tuple[str, ...] = ()) -> Ask:
    return Ask(measurement="cycle", field=field, aggregate=aggregate, name=name, by=by, where=PLACE, only=_HOLDS)


def _total(title: Text, field: str, unit: str) -> Panel:
    return Panel(
        title=title,
        about=both(Text("所选时段内全部火化之和。", "Of all cremations of the time shown."), series_of("cycle", field)),
        kind=Kind.STAT,
        asks=(_cycle(field, Aggregate.SUM, title),),
        unit=unit,
        size=(6, 5),
        decimals=0,
    )


def _ranking(by: tuple[str, ...]) -> Panel:
    means = {"gas_m3": _GAS, "electricity_kwh": _POWER, "co2_kg": _CO2, "duration_s": _TIME}
    return Panel(
        title=Text("排名", "Ranking"),
        about=both(
            Text("每次火化的平均值，点击列名排序。", "Means of a cremation; sort by any column."),
            series_of("cycle", "count", *means),
        ),
        kind=Kind.TABLE,
        asks=(
            _cycle("count", Aggregate.SUM, _COUNT, by),
            *(_cycle(field, Aggregate.MEAN, name, by) for field, name in means.items()),
        ),
        unit="none",
        size=(24, 9),
        decimals=1,
        columns=(
            Column(_GAS, "m3"),
            Column(_POWER, "kwatth"),
            Column(_CO2, "masskg"),
            Column(_TIME, "s"),
            Column(Text("火化机", "Furnace"), leads_to="furnace"),
        ),
    )


def _each(field: str, title: Text, unit: str, by: tuple[str, ...]) -> Panel:
    return Panel(
        title=Text(f"每次火化{title.zh}", f"{title.en} a cremation"),
        about=both(Text("按入炉时间。", "At the time of the charge."), _MINUS_IDLE, series_of("cycle", field)),
        kind=Kind.TIME_SERIES,
        asks=(_cycle(field, Aggregate.MEAN, _NO_NAME, by),),
        unit=unit,
        size=(12, 8),
        interval="1h",
        low=0,
    )


def _idle(field: str, title: Text, unit: str, by: tuple[str, ...]) -> Panel:
    ask = Ask(
        measurement="energy",
        field=field,
        aggregate=Aggregate.SUM,
        name=_NO_NAME,
        by=by,
        where=PLACE,
        window="1d",
    )
    return Panel(
        title=title,
        about=both(Text("每日合计。", "Sums of a day (UTC)."), _MINUS_IDLE, series_of("energy", field)),
        kind=Kind.TIME_SERIES,
        asks=(ask,),
        unit=unit,
        size=(12, 8),
        interval="1d",
        low=0,
    )
