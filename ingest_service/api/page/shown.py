"""A reading as people see it: the same words in the page's first form and in the live stream. Pure."""

import msgspec

from edge_agent.wire.quantity import PHASES, quantities
from ingest_service.api.page.formats import duration, number, unit_text
from ingest_service.api.page.texts import Texts
from ingest_service.api.readings import Reading, Trust, stale_after_ms
from ingest_service.store.overview import KnownSeries

NO_VALUE = "—"
BOOLEAN = 11  # Sparkplug data type
# What 0 and 1 mean for a contact, as keys of the table `state`.
CONTACTS = {
    "burner1_on": ("off", "on"),
    "burner2_on": ("off", "on"),
    "charge_door_open": ("closed", "open"),
    "ash_door_open": ("closed", "open"),
    "trolley_in": ("out", "in"),
}


class Shown(msgspec.Struct, frozen=True):
    """What stands on the page for one series. `text` is a number, a state's name or, where bad, the reason in words.

    `why` says what is doubtful ("" for a live value), `at_ms` is the time of measurement, `age` its age in words.
    """

    id: int
    quantity: str
    name: str
    text: str
    unit: str
    trust: Trust
    why: str
    at_ms: int | None
    stale_after_ms: int | None
    age: str


def shown(reading: Reading, now_ms: int, t: Texts) -> Shown:
    """That reading in the words of one language."""
    series, trust, age_ms = reading.series, reading.trust(now_ms), reading.age_ms(now_ms)
    has_number = reading.value is not None and trust is not Trust.BAD
    return Shown(
        id=series.id,
        quantity=series.quantity,
        name=series_name(series, t),
        text=_text(reading, trust, t),
        unit=unit_text(series.unit) if has_number else "",
        trust=trust,
        why=_why(reading, trust, t),
        at_ms=reading.measured_at_ms,
        stale_after_ms=stale_after_ms(series),
        age="" if age_ms is None else duration(age_ms, t),
    )


def series_name(series: KnownSeries, t: Texts) -> str:
    """What the edge calls it, else what its quantity is called, else the channel's own name."""
    known = quantities().get(series.quantity)
    zh, en = (known.zh, known.en) if known else ("", "")
    return t.either(series.name_zh or zh, series.name_en or en, series.channel)


def _text(reading: Reading, trust: Trust, t: Texts) -> str:
    if trust is Trust.NEVER:
        return t("trust.never")
    if trust is Trust.BAD:
        return t.known("quality", reading.reason.label)
    return NO_VALUE if reading.value is None else value_text(reading.series, reading.value, t)


def value_text(series: KnownSeries, value: float, t: Texts) -> str:
    """A value of that series: a state by its name, a number at its resolution."""
    code = round(value)
    if series.quantity == "phase" and code in PHASES:
        return t(f"phase.{PHASES[code]}")
    if code in series.states:
        return series.states[code]
    if series.quantity in CONTACTS or series.datatype == BOOLEAN:
        return t(f"state.{CONTACTS.get(series.quantity, ('off', 'on'))[code != 0]}")
    return number(value, series.unit, series.quantity)


def _why(reading: Reading, trust: Trust, t: Texts) -> str:
    match trust:
        case Trust.STALE:
            return t("trust.stale")
        case Trust.UNCERTAIN:
            return t.known("quality", reading.reason.label)
        case Trust.BAD:
            return t("trust.bad")
        case Trust.LIVE | Trust.NEVER:
            return ""
