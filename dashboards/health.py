"""Do the data arrive, complete and in time: edges, outboxes, clocks, the service itself."""

from dashboards.asking import HOME as IN_HOME
from dashboards.asking import PLACE, Aggregate, Ask, Match
from dashboards.fields import BEGIN
from dashboards.panel import Colour, Column, Dashboard, Kind, Meaning, Panel, Step
from dashboards.text import Locale, Text, quantity
from dashboards.words import FURNACE, HOME, both, home_tags, place_tags, series_of

_NO_NAME = Text("", "")
_ONLINE = Text("在线", "Online")
_SILENT = Text("静默时长", "Silent for")
_LAG = Text("数据延迟", "Lag of data")
_OUTBOX = Text("待发数据块", "Blocks waiting")
_OLDEST = Text("最早待发", "Oldest waiting")
_CLOCK = Text("时钟偏差", "Clock offset")
_FIGURES = {
    "lag_s": Text("距最近入库", "Since the newest commit"),
    "queued_messages": Text("排队消息", "Messages waiting"),
    "deliveries_pending": Text("待发送", "Waiting"),
    "deliveries_dead": Text("已放弃", "Given up"),
    "samples_rejected": Text("拒收样本", "Samples refused"),
    "disk_bytes": Text("已用", "Used"),
    "free_bytes": Text("剩余", "Free"),
}
_LATE = (Step(None, Colour.NORMAL), Step(60, Colour.WARN), Step(600, Colour.BAD))
_YES = (Meaning(1, Text("是", "yes"), Colour.NORMAL), Meaning(0, Text("否", "no"), Colour.BAD))


def health(locale: Locale) -> Dashboard:
    """The dashboard of the plumbing; names of homes are asked for in the language."""
    names = place_tags(locale)
    by = (*home_tags(locale), "edge")
    return Dashboard(
        name="health",
        title=Text("数据健康", "Data health"),
        about=Text(
            "网关、延迟、缓存、完整率、时钟、服务与通知。", "Edges, lag, outboxes, completeness, clocks, the service."
        ),
        variables=(HOME, FURNACE),
        annotations=("alarm",),
        refresh="30s",
        rows=(
            (
                Text("边缘网关", "Edges"),
                (
                    _edges(by),
                    _over_time(_LAG, "lag_s", "s", by),
                    _over_time(_OUTBOX, "outbox_blocks", "none", by),
                    _over_time(_CLOCK, "clock_offset_ms", "ms", by),
                    _complete(names),
                ),
            ),
            (Text("品质", "Quality"), (_covered(names),)),
            (Text("服务", "Service"), _service()),
            (Text("检测与报警", "Detectors and alarms"), (_found(),)),
        ),
    )


def _edges(by: tuple[str, ...]) -> Panel:
    fields = {
        "online": _ONLINE,
        "silent_s": _SILENT,
        "lag_s": _LAG,
        "outbox_blocks": _OUTBOX,
        "outbox_oldest_s": _OLDEST,
        "clock_offset_ms": _CLOCK,
    }
    return Panel(
        title=Text("边缘网关", "Edges"),
        about=both(
            Text(
                "延迟为最新样本的时长；待发为网关尚未被确认的数据块。",
                "Lag: age of the newest sample. Waiting: blocks that the centre has not acknowledged.",
            ),
            series_of("edge", *fields),
        ),
        kind=Kind.TABLE,
        asks=tuple(
            Ask(measurement="edge", field=field, aggregate=Aggregate.LAST, name=name, by=by, where=(IN_HOME,))
            for field, name in fields.items()
        ),
        unit="none",
        size=(24, 9),
        decimals=0,
        last="10m",
        columns=(
            Column(_ONLINE, meanings=_YES),
            Column(_SILENT, "s", _LATE),
            Column(_LAG, "s", _LATE),
            Column(_OUTBOX, "none"),
            Column(_OLDEST, "s", _LATE),
            Column(_CLOCK, "ms"),
        ),
    )


def _over_time(title: Text, field: str, unit: str, by: tuple[str, ...]) -> Panel:
    ask = Ask(measurement="edge", field=field, aggregate=Aggregate.MAX, name=_NO_NAME, by=by, where=(IN_HOME,))
    return Panel(
        title=title,
        about=both(Text("每分钟一点，取最大。", "One point a minute; the greatest."), series_of("edge", field)),
        kind=Kind.TIME_SERIES,
        asks=(ask,),
        unit=unit,
        size=(12, 8),
        interval="1m",
    )


def _complete(names: tuple[str, ...]) -> Panel:
    ask = Ask(
        measurement="completeness",
        field="covered_pct",
        aggregate=Aggregate.MEAN,
        name=_NO_NAME,
        by=names,
        where=PLACE,
    )
    return Panel(
        title=Text("每小时完整率", "Completeness"),
        about=both(
            Text("全部通道有效数据覆盖时间的比例。", "The share of the hour for which all channels had good values."),
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


def _covered(names: tuple[str, ...]) -> Panel:
    fields = ("flue_o2", "co", "chamber2_temperature")
    asks = tuple(
        Ask(
            measurement="measured",
            field=f"{name}_covered",
            aggregate=Aggregate.MIN,
            name=quantity(name),
            by=names,
            where=PLACE,
        )
        for name in fields
    )
    return Panel(
        title=Text("关键通道覆盖率", "Coverage of key channels"),
        about=both(
            Text("1 为整小时有效。", "1 is a whole hour of good values."),
            series_of("measured", *(f"{name}_covered" for name in fields)),
        ),
        kind=Kind.TIME_SERIES,
        asks=asks,
        unit="percentunit",
        size=(24, 8),
        interval="1h",
        low=0,
        high=1,
    )


def _service() -> tuple[Panel, ...]:
    return (
        _figure(Text("入库延迟", "Since the newest commit"), ("lag_s",), "s", Aggregate.MAX),
        _figure(Text("排队消息", "Messages waiting"), ("queued_messages",), "none", Aggregate.MAX),
        _figure(Text("通知", "Notifications"), ("deliveries_pending", "deliveries_dead"), "none", Aggregate.MAX),
        _figure(Text("拒收样本（累计）", "Samples refused, in all"), ("samples_rejected",), "none", Aggregate.MAX),
        _figure(Text("存储", "Disk"), ("disk_bytes", "free_bytes"), "decbytes", Aggregate.LAST),
        _alarms(),
    )


def _figure(title: Text, fields: tuple[str, ...], unit: str, aggregate: Aggregate) -> Panel:
    asks = tuple(Ask(measurement="service", field=field, aggregate=aggregate, name=_FIGURES[field]) for field in fields)
    return Panel(
        title=title,
        about=both(
            Text(
                "服务自身的数字；只有可见全部殡仪馆者能看到。", "The service's own; shown to those who see every home."
            ),
            series_of("service", *fields),
        ),
        kind=Kind.TIME_SERIES,
        asks=asks,
        unit=unit,
        size=(8, 7),
        interval="1m",
        low=0,
    )


def _alarms() -> Panel:
    ask = Ask(
        measurement="alarm",
        field="open",
        aggregate=Aggregate.SUM,
        name=_NO_NAME,
        by=("severity",),
        where=(Match("home", variable="home"),),
        window="1m",
    )
    return Panel(
        title=Text("未结报警", "Open alarms"),
        about=both(Text("按级别。", "By severity."), series_of("alarm", "open")),
        kind=Kind.STAT,
        asks=(ask,),
        unit="none",
        size=(8, 7),
        decimals=0,
        last="10m",
        steps=(Step(None, Colour.NORMAL), Step(1, Colour.WARN)),
    )


def _found() -> Panel:
    return Panel(
        title=Text("报警记录", "Alarms"),
        about=both(
            Text(
                "检测器所见（如读数不变）、离线网关、设备故障、时钟偏差。",
                "What detectors found, as a value that stood still; silent edges, dead devices, wrong clocks.",
            ),
            series_of("event", "kind = alarm"),
        ),
        kind=Kind.TABLE,
        unit="none",
        size=(24, 8),
        events="alarm",
        columns=(Column(Text("结束", "End"), "dateTimeAsLocal"), Column(BEGIN, "dateTimeAsLocal")),
    )
