"""An open alarm in a few words, beside the value or on the furnace that it is about. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from edge_agent.wire.quantity import quantities
from ingest_service.alarms.facts import ExceedanceFacts, Name, ShortfallFacts, StuckFacts, UnusualFacts
from ingest_service.api.page.formats import Clock
from ingest_service.api.page.texts import Texts
from ingest_service.store.journal import AlarmRecord
from ingest_service.store.overview import KnownSeries


class AlarmMark(msgspec.Struct, frozen=True):
    """What stands beside a value; `href` leads to the alarm."""

    href: str
    kind: str
    severity: str
    words: str


def marks_by_series(
    alarms: Iterable[AlarmRecord], series: Sequence[KnownSeries], now_ms: int, clock: Clock, t: Texts
) -> Mapping[int, list[AlarmMark]]:
    """The lasting alarms of one furnace by the series that they are about; none for what is back to normal."""
    first = {one.quantity: one.id for one in reversed(series)}
    found: defaultdict[int, list[AlarmMark]] = defaultdict(list)
    for alarm in alarms:
        about = alarm.series_id if alarm.series_id is not None else first.get(quantity_of(alarm))
        if about is not None and alarm.cleared_at_ms is None:
            mark = AlarmMark(f"/alarms/{alarm.id}", alarm.kind, alarm.severity, _since(alarm, now_ms, clock, t))
            found[about].append(mark)
    return found


def brief(alarm: AlarmRecord, now_ms: int, clock: Clock, t: Texts) -> str:
    """The alarm for a place with little room: what it is about, what is wrong with it, since when."""
    name, quantity = _named(alarm), quantity_of(alarm)
    about = t.known("short", quantity) if quantity in t.under("short") else name.text(t.locale) if name else ""
    words = " ".join(filter(None, (about, _since(alarm, now_ms, clock, t))))
    return words if alarm.cleared_at_ms is None else t("alarms.over", what=words)


def quantity_of(alarm: AlarmRecord) -> str:
    """The quantity that an alarm is about, found by its name; "" where it is about none that we know."""
    name = _named(alarm)
    if name is None:
        return ""
    return next((key for key, known in quantities().items() if known.en == name.en or known.zh == name.zh), "")


def _named(alarm: AlarmRecord) -> Name | None:
    match alarm.facts:
        case (
            ExceedanceFacts(pollutant=name)
            | ShortfallFacts(quantity=name)
            | StuckFacts(channel=name)
            | UnusualFacts(channel=name)
        ):
            return name
        case _:
            return None


def _since(alarm: AlarmRecord, now_ms: int, clock: Clock, t: Texts) -> str:
    return t(f"alarm_mark.{alarm.kind}", time=clock.minute(alarm.raised_at_ms, now_ms))
