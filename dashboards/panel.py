"""Panels and dashboards as people think of them; how Grafana writes them is in `writing`."""

from enum import StrEnum, unique

import msgspec

from dashboards.asking import Ask, Match, Shape
from dashboards.text import Text


@unique
class Kind(StrEnum):
    """How a panel shows; names are those of Grafana's panel types."""

    STAT = "stat"
    TIME_SERIES = "timeseries"
    TABLE = "table"
    STATE_TIMELINE = "state-timeline"
    STATUS_HISTORY = "status-history"

    @property
    def shape(self) -> Shape:
        """What it shows best."""
        if self is Kind.TABLE:
            return Shape.ROWS
        return Shape.AT_ONCE if self is Kind.STAT else Shape.OVER_TIME


@unique
class Colour(StrEnum):
    """Told apart by those who do not see all colours; saturated ones only for what is not normal (ISA-101)."""

    NORMAL = "#8E98A3"
    GOOD = "#0072B2"
    WARN = "#E69F00"
    BAD = "#D55E00"
    NOTHING = "#4A5058"
    # of what is normal but not the same
    LIGHT = "#C3CCD5"
    SOFT = "#9DB2C6"
    STEEL = "#6F93B3"
    DEEP = "#3E6F9E"


class Step(msgspec.Struct, frozen=True):
    """From that value on a colour holds; None is from below everything."""

    value: float | None
    colour: Colour


class Meaning(msgspec.Struct, frozen=True):
    """What a number stands for."""

    number: int
    text: Text
    colour: Colour


class Column(msgspec.Struct, frozen=True):
    """A column of a table that needs more than the panel has: a unit, colours, or a way to another dashboard."""

    name: Text
    unit: str = "none"
    steps: tuple[Step, ...] = ()
    meanings: tuple[Meaning, ...] = ()
    leads_to: str = ""


class Band(msgspec.Struct, frozen=True):
    """The names of three asks: what is shown, and the two between which it is expected."""

    of: Text
    low: Text
    high: Text


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """A question with its answer. `size` is width of 24 and height; `last` is a time span that replaces the page's."""

    title: Text
    about: Text
    kind: Kind
    asks: tuple[Ask, ...] = ()
    unit: str
    size: tuple[int, int]
    steps: tuple[Step, ...] = (Step(None, Colour.NORMAL),)
    meanings: tuple[Meaning, ...] = ()
    columns: tuple[Column, ...] = ()
    dashed: tuple[Text, ...] = ()  # the asks that are limits
    bands: tuple[Band, ...] = ()  # drawn as areas, and not in the legend
    low: float | None = None
    high: float | None = None
    decimals: int | None = None
    last: str = ""
    interval: str = ""  # the shortest window
    points: int = 1_000  # at most so many windows
    events: str = ""  # a table of the events of that kind
    leads_to: str = ""

    @property
    def shape(self) -> Shape:
        """What is asked: of windows where an ask has its own, else what the kind shows best."""
        return Shape.OVER_TIME if any(ask.window for ask in self.asks) else self.kind.shape


class Variable(msgspec.Struct, frozen=True):
    """A tag whose values a reader chooses from; `within` are the variables that it depends on."""

    tag: str
    name: Text
    measurement: str
    field: str
    within: tuple[Match, ...] = ()
    many: bool = True


class Dashboard(msgspec.Struct, frozen=True, kw_only=True):
    """One page: `name` is part of its address. Rows have a title and panels."""

    name: str
    title: Text
    about: Text
    variables: tuple[Variable, ...]
    rows: tuple[tuple[Text, tuple[Panel, ...]], ...]
    annotations: tuple[str, ...] = ()
    since: str = "now-24h"
    refresh: str = "30s"
