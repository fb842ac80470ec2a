"""What a panel asks, without the language of any store."""

from collections.abc import Sequence
from enum import Enum, StrEnum, unique

import msgspec

from dashboards.text import Text
from ingest_service.store.derived.point import MEASUREMENTS, Kept


@unique
class Aggregate(StrEnum):
    """How the values of a window, or of everything, become one."""

    MEAN = "mean"
    SUM = "sum"
    COUNT = "count"
    MIN = "min"
    MAX = "max"
    LAST = "last"


@unique
class Shape(Enum):
    """What comes back."""

    OVER_TIME = "over_time"  # a value a window of time
    AT_ONCE = "at_once"  # one value for each set of tags
    ROWS = "rows"  # a row for each set of tags, a column an ask
    EVENTS = "events"  # a row an event


@unique
class Source(StrEnum):
    """The variable of the data source: where InfluxDB keeps a measurement."""

    RAW = "raw"
    MINUTE = "minute"
    HOUR = "hour"


_OF_MINUTES = {
    *(f"minute_{part}" for part in ("mean", "low", "high", "covered")),
    *(name for name, kept in MEASUREMENTS.items() if kept is Kept.MINUTE),
}


IDS = ("home", "furnace")  # by which dashboards address each other


def shown(tags: Sequence[str]) -> tuple[str, ...]:
    """Without ids that stand beside names."""
    names = any(tag.endswith(("_zh", "_en")) for tag in tags)
    return tuple(tag for tag in tags if tag not in IDS or not names)


class Match(msgspec.Struct, frozen=True):
    """A tag that is one of the texts that a variable holds, or is a text."""

    tag: str
    variable: str = ""
    text: str = ""


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """An aggregate of a field. `where` on tags, `only` on fields that must be 1; `window` replaces the panel's own."""

    measurement: str
    field: str
    aggregate: Aggregate
    name: Text
    by: tuple[str, ...] = ()
    where: tuple[Match, ...] = ()
    only: tuple[str, ...] = ()
    window: str = ""

    @property
    def legend(self) -> tuple[str, ...]:
        """The tags by which a reader tells series apart: where a place has a name, its id is not shown."""
        return shown(self.by)

    @property
    def source(self) -> Source:
        """Where it is kept."""
        if self.measurement in ("sample", "quality"):
            return Source.RAW
        return Source.MINUTE if self.measurement in _OF_MINUTES else Source.HOUR


HOME = Match("home", variable="home")
FURNACE = Match("furnace", variable="furnace")
PLACE = (HOME, FURNACE)
