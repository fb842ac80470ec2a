"""Asks in PromQL, for VictoriaMetrics: `<measurement>_<field>` with the tags as labels."""

from collections.abc import Sequence

from dashboards.asking import Aggregate, Ask, Match, Shape
from dashboards.text import Locale

# Measurements whose points are written again when they are revised, and in what time there is one: of several in that
# time the latest counts, so others must not enter into a sum or a mean.
_REVISED = {
    "average": "1h", "completeness": "1h", "energy": "1h", "cycle": "1m", "expected_low": "1m", "expected_high": "1m",
}  # fmt: skip
# How one series is made of a window, and how several become one.
_OVER = {
    Aggregate.MEAN: "avg_over_time({0}[{1}])",
    Aggregate.SUM: "sum_over_time({0}[{1}])",
    Aggregate.COUNT: "count_over_time({0}[{1}])",
    Aggregate.MIN: "min_over_time({0}[{1}])",
    Aggregate.MAX: "max_over_time({0}[{1}])",
    Aggregate.LAST: "last_over_time({0}[{1}])",
}
_ACROSS = {
    Aggregate.MEAN: "avg", Aggregate.SUM: "sum", Aggregate.COUNT: "sum", Aggregate.MIN: "min", Aggregate.MAX: "max",
    Aggregate.LAST: "max",
}  # fmt: skip


def expression(ask: Ask, shape: Shape) -> str:
    """The question; what comes at once or in rows is of the whole range of the panel."""
    window = (ask.window or "$__interval") if shape is Shape.OVER_TIME else "$__range"
    asked = _aggregated(ask, window)
    by = f" by ({', '.join(ask.by)})" if ask.by else ""
    return f"{_ACROSS[ask.aggregate]}{by} ({asked})"


def label_values(measurement: str, field: str, tag: str, where: Sequence[Match]) -> str:
    """The values of a label, for a variable."""
    return f"label_values({_selector(f'{measurement}_{field}', where)}, {tag})"


def events(kind: str, where: Sequence[Match], locale: Locale, window: str = "$__interval") -> str:
    """When each event of a kind began (ms), with its texts as labels."""
    matches = (*where, Match("kind", text=kind))
    begin, holds = (
        f"last_over_time({_selector(f'event_{field}', matches)}[{window}])" for field in ("begin_ms", "holds")
    )
    by = f"home_{locale}, furnace_{locale}, home, furnace, subject, title_{locale}, text_{locale}"
    return f"max by ({by}) ({begin} and {holds} == 1)"


def _aggregated(ask: Ask, window: str) -> str:
    """One value a series and window, of revised points by way of the latest in each step."""
    step = _REVISED.get(ask.measurement)
    if step is None or ask.aggregate is Aggregate.LAST:
        return _held(ask, ask.aggregate, window)
    return _OVER[ask.aggregate].format(f"({_held(ask, Aggregate.LAST, step)})", f"{window}:{step}")


def _held(ask: Ask, aggregate: Aggregate, window: str) -> str:
    """The aggregate where the fields that must be 1 are."""
    asked = _OVER[aggregate].format(_selector(f"{ask.measurement}_{ask.field}", ask.where), window)
    for field in ask.only:
        last = _OVER[Aggregate.LAST].format(_selector(f"{ask.measurement}_{field}", ask.where), window)
        asked = f"{asked} and {last} == 1"
    return asked


def _selector(metric: str, where: Sequence[Match]) -> str:
    labels = ",".join(f'{one.tag}=~"${one.variable}"' if one.variable else f'{one.tag}="{one.text}"' for one in where)
    return f"{metric}{{{labels}}}"
