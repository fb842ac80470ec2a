"""What is derived: points of a measurement with tags, as every store keeps them; and the protocol of who keeps them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import Enum
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from ingest_service.config import Retention

Tags = tuple[tuple[str, str], ...]  # sorted, without empty values
Admits = Callable[[Mapping[str, str]], bool]


class Kept(Enum):
    """For how long a measurement is kept: as the means of that period are."""

    MINUTE = "minute"
    HOUR = "hour"

    def before_ms(self, retention: Retention, now_ms: int) -> int | None:
        """Points from before that time may go; None where none may."""
        return retention.minutes_before_ms(now_ms) if self is Kept.MINUTE else retention.hours_before_ms(now_ms)


# Names of measurements and fields are what dashboards ask for: never rename one.
MEASUREMENTS: dict[str, Kept] = {
    "furnace": Kept.MINUTE,
    "edge": Kept.MINUTE,
    "alarm": Kept.MINUTE,
    "service": Kept.MINUTE,
    "expected_low": Kept.MINUTE,  # fields are quantities, as those of minute means
    "expected_high": Kept.MINUTE,
    "average": Kept.HOUR,
    "completeness": Kept.HOUR,
    "cycle": Kept.HOUR,
    "energy": Kept.HOUR,
    "event": Kept.HOUR,
    "measured": Kept.HOUR,
    "name": Kept.HOUR,
    "progress": Kept.HOUR,
}
WITH_TEXTS = ("event", "name")  # whose points say something to a person


class Point(msgspec.Struct, frozen=True, gc=False):
    """Values of one measurement at one time (ms since 1970 UTC). `texts` are what a person reads of an event."""

    measurement: str
    tags: Tags
    at_ms: int
    fields: tuple[tuple[str, float], ...]
    texts: Tags = ()


class DerivedColumn(msgspec.Struct, frozen=True):
    """One field of one set of tags: times (ms, ascending) and values: numbers, or texts as objects."""

    tags: Tags
    field: str
    at_ms: NDArray[np.int64]
    value: NDArray[Any]


class DerivedStore(Protocol):
    """Any thread may call. Every method raises StoreError when it cannot be done now."""

    def write(self, points: Sequence[Point]) -> None:
        """Put each in the place of what there is of its measurement, tags and time, field by field."""

    def read(
        self,
        measurement: str,
        admits: Admits,
        from_ms: int,
        to_ms: int,
        fields: Collection[str] | None = None,
        where: Tags = (),
    ) -> list[DerivedColumn]:
        """The columns of these fields (all, where None) in `from_ms <= time < to_ms` whose tags are admitted.

        Of those, the ones that have the tags `where`: only they are asked for.
        """

    def retire(self, retention: Retention, now_ms: int) -> None:
        """Take away what is older than it must be kept, where the store does not do it itself."""

    def close(self) -> None:
        """Let go of files and connections."""


def tags_of(**tags: str) -> Tags:
    """Tags in their order, without those that say nothing."""
    return tuple(sorted((name, value) for name, value in tags.items() if value))


def fields_of(**fields: float | None) -> tuple[tuple[str, float], ...]:
    """The fields that have a value, which is a number."""
    known = ((name, value) for name, value in fields.items() if value is not None)
    return tuple((name, float(value)) for name, value in known if np.isfinite(value))


def column_of(tags: Tags, field: str, at_ms: Sequence[int], values: Sequence[float | str]) -> DerivedColumn:
    """A column from rows in the order of time."""
    kind = np.object_ if values and isinstance(values[0], str) else np.float64
    return DerivedColumn(tags, field, np.array(at_ms, np.int64), np.array(values, kind))
