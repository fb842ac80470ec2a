"""An alarm as people see it, in one language. Pure."""

from collections.abc import Iterable
from urllib.parse import quote

import msgspec

from ingest_service.alarms.texts import AlarmText, describe
from ingest_service.alarms.vocabulary import Severity, State
from ingest_service.api.page.formats import Clock, duration
from ingest_service.api.page.texts import Texts
from ingest_service.store.journal import AlarmRecord

_BY_URGENCY = list(Severity)


class AlarmView(msgspec.Struct, frozen=True):
    """What a card and a page of an alarm show; `href` leads to its furnace or its home, "" where it has neither."""

    id: int
    kind: str
    severity: str
    state: State
    words: AlarmText
    href: str
    span: str
    raised_at_ms: int
    noticed_at_ms: int
    acknowledged_at_ms: int | None
    acknowledged_by: str
    cleared_at_ms: int | None


def alarm_view(record: AlarmRecord, now_ms: int, clock: Clock, t: Texts) -> AlarmView:
    """That alarm in the words of one language, at `now_ms`."""
    ended_ms = now_ms if record.cleared_at_ms is None else record.cleared_at_ms
    return AlarmView(
        id=record.id,
        kind=record.kind,
        severity=record.severity,
        state=record.state,
        words=describe(record.facts, t.locale, clock.zone),
        href=_href(record),
        span=duration(ended_ms - record.raised_at_ms, t),
        raised_at_ms=record.raised_at_ms,
        noticed_at_ms=record.noticed_at_ms,
        acknowledged_at_ms=record.acknowledged_at_ms,
        acknowledged_by=record.acknowledged_by,
        cleared_at_ms=record.cleared_at_ms,
    )


def urgency(record: AlarmRecord) -> tuple[bool, int, int]:
    """A key that sorts what needs someone first: unacknowledged, most urgent, newest."""
    rank = _BY_URGENCY.index(Severity(record.severity))
    return record.acknowledged_at_ms is not None, rank, -record.raised_at_ms


def worst(alarms: Iterable[AlarmRecord]) -> str:
    """The most urgent severity among them, "" where there is none."""
    return most_urgent(alarm.severity for alarm in alarms)


def most_urgent(severities: Iterable[str]) -> str:
    """The most urgent of these severities, "" where there is none."""
    return min(map(Severity, severities), key=_BY_URGENCY.index, default="")


def _href(record: AlarmRecord) -> str:
    if record.furnace:
        return furnace_href(record.home_id, record.furnace)
    return home_href(record.home_id) if record.home_id else ""


def home_href(home_id: str) -> str:
    """The address of a home's page."""
    return f"/homes/{quote(home_id, safe='')}"


def furnace_href(home_id: str, furnace: str) -> str:
    """The address of a furnace's page."""
    return f"{home_href(home_id)}/furnaces/{quote(furnace, safe='')}"
