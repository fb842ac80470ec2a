"""Which time a report is about. Pure: the zone is an argument."""

from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum, unique

import msgspec


@unique
class Kind(StrEnum):
    """What a report is about."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"
    CREMATION = "cremation"


class ReportSpan(msgspec.Struct, frozen=True):
    """`[from_ms, to_ms)`, ms since 1970 UTC; `label` names it: 2026-11-23, 2026-11, 2026, or a case number."""

    kind: Kind
    label: str
    from_ms: int
    to_ms: int


YEARS = range(1970, 9999)
SHAPES = {Kind.DAY: "2026-11-23", Kind.MONTH: "2026-11", Kind.YEAR: "2026"}


def calendar_span(kind: Kind, label: str, zone: tzinfo) -> ReportSpan:
    """The local day, month or year of that name. Raises ValueError with the shape of a name for anything else."""
    first, after = _bounds(kind, label)
    return ReportSpan(kind, label, _midnight_ms(first, zone), _midnight_ms(after, zone))


def _bounds(kind: Kind, label: str) -> tuple[date, date]:
    shape = SHAPES[kind]
    try:
        if len(label) != len(shape):
            raise ValueError
        day = date.fromisoformat(_whole(kind, label))
        if day.year not in YEARS:
            raise ValueError
    except ValueError:
        raise ValueError(f"{label!r} is no {kind}: write it as {shape}") from None
    match kind:
        case Kind.MONTH:
            return day, (day + timedelta(days=31)).replace(day=1)
        case Kind.YEAR:
            return day, date(day.year + 1, 1, 1)
        case _:
            return day, day + timedelta(days=1)


def _whole(kind: Kind, label: str) -> str:
    """The first day of the span, as a whole date."""
    return label + {Kind.DAY: "", Kind.MONTH: "-01", Kind.YEAR: "-01-01"}[kind]


def _midnight_ms(day: date, zone: tzinfo) -> int:
    return round(datetime.combine(day, time(), zone).timestamp() * 1000)
