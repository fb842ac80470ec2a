"""What a statement says, as frozen structs."""

import re
from collections.abc import Mapping
from enum import StrEnum, unique

import msgspec

FOR_EVER_MS = 1 << 62


@unique
class Function(StrEnum):
    """The aggregates that are answered."""

    MEAN = "mean"
    SUM = "sum"
    COUNT = "count"
    MIN = "min"
    MAX = "max"
    FIRST = "first"
    LAST = "last"
    SPREAD = "spread"

    @property
    def is_selector(self) -> bool:
        """True for what picks one point, whose time it then tells."""
        return self in (Function.MIN, Function.MAX, Function.FIRST, Function.LAST)


@unique
class Fill(StrEnum):
    """What stands where a window has no value."""

    NULL = "null"
    NONE = "none"
    PREVIOUS = "previous"
    NUMBER = "number"


class Item(msgspec.Struct, frozen=True):
    """One thing that is selected: a field or tag as it is, or an aggregate of a field."""

    name: str
    function: Function | None = None
    alias: str = ""

    @property
    def heading(self) -> str:
        """The column's name in the answer."""
        return self.alias or (self.function.value if self.function else self.name)


class TagTest(msgspec.Struct, frozen=True):
    """A tag is, or is not, a text; or matches, or does not match, a pattern."""

    tag: str
    text: str = ""
    pattern: re.Pattern[str] | None = None
    negated: bool = False


class FieldTest(msgspec.Struct, frozen=True):
    """A field compared with a number; `sign` is one of = != < <= > >=."""

    field: str
    sign: str
    number: float


class Both(msgspec.Struct, frozen=True):
    """Every part holds; without parts it always does."""

    parts: tuple["Condition", ...] = ()


class Either(msgspec.Struct, frozen=True):
    """One part holds at least."""

    parts: tuple["Condition", ...]


Condition = TagTest | FieldTest | Both | Either


class Span(msgspec.Struct, frozen=True):
    """Times from `from_ms`, included, to `to_ms`, left out (ms since 1970 UTC)."""

    from_ms: int = 0
    to_ms: int = FOR_EVER_MS


class Windows(msgspec.Struct, frozen=True):
    """GROUP BY time(length, offset), ms, and what fills empty ones."""

    length_ms: int
    offset_ms: int = 0
    fill: Fill = Fill.NULL
    number: float = 0.0


class Select(msgspec.Struct, frozen=True, kw_only=True):
    """SELECT. `every_tag` is GROUP BY *; `limit` 0 is none."""

    items: tuple[Item, ...]
    measurement: str
    where: Condition = Both()
    span: Span = Span()
    by: tuple[str, ...] = ()
    every_tag: bool = False
    windows: Windows | None = None
    descending: bool = False
    limit: int = 0


@unique
class Subject(StrEnum):
    """What SHOW lists."""

    MEASUREMENTS = "measurements"
    FIELD_KEYS = "field keys"
    TAG_KEYS = "tag keys"
    TAG_VALUES = "tag values"
    RETENTION_POLICIES = "retention policies"
    DATABASES = "databases"


class Show(msgspec.Struct, frozen=True, kw_only=True):
    """SHOW. `measurement` "" is all; `keys` are those of SHOW TAG VALUES."""

    subject: Subject
    measurement: str = ""
    pattern: re.Pattern[str] | None = None
    keys: tuple[str, ...] = ()
    where: Condition = Both()
    span: Span = Span()
    limit: int = 0


Statement = Select | Show


def admits(condition: Condition, tags: Mapping[str, str]) -> bool:
    """True where points with these tags may hold the condition, whatever their fields are."""
    match condition:
        case TagTest():
            value = tags.get(condition.tag, "")
            held = bool(condition.pattern.search(value)) if condition.pattern else value == condition.text
            return held != condition.negated
        case FieldTest():
            return True
        case Both(parts):
            return all(admits(part, tags) for part in parts)
        case Either(parts):
            return any(admits(part, tags) for part in parts)


def tested_fields(condition: Condition) -> frozenset[str]:
    """The fields that a condition compares."""
    match condition:
        case FieldTest(field=name):
            return frozenset({name})
        case Both(parts) | Either(parts):
            return frozenset().union(*(tested_fields(part) for part in parts))
        case _:
            return frozenset()
