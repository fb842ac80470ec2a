"""What an alarm tells a person, in Chinese and English: what, cause, consequence, action and time to respond."""

from datetime import UTC, datetime, tzinfo
from functools import singledispatch

import msgspec

from ingest_service.alarms.facts import (
    ClockFacts,
    DeviceBadFacts,
    ExceedanceFacts,
    Facts,
    PlumbingFacts,
    ShortfallFacts,
    SilentFacts,
    StuckFacts,
    UnusualFacts,
    kind_of,
)
from ingest_service.alarms.phrases import phrases
from ingest_service.alarms.vocabulary import Locale


class AlarmText(msgspec.Struct, frozen=True):
    """An alarm in words of one language. `what` stands alone (a subject line); `respond_within_min` is in minutes."""

    where: str
    what: str
    cause: str
    consequence: str
    action: str
    respond: str
    respond_within_min: int


def describe(facts: Facts, locale: Locale, zone: tzinfo) -> AlarmText:
    """The alarm of these facts in words; times are written in `zone`."""
    entry = phrases().kind[kind_of(facts)]
    sentences = entry.sentences(locale)
    fields = {"where": _where(facts, locale), **_fields(facts, locale, zone)}
    return AlarmText(
        where=fields["where"],
        what=sentences.what.format(**fields),
        cause=sentences.cause.format(**fields),
        consequence=sentences.consequence.format(**fields),
        action=sentences.action.format(**fields),
        respond=phrases().respond[locale].format(minutes=entry.respond_within_min),
        respond_within_min=entry.respond_within_min,
    )


def _where(facts: Facts, locale: Locale) -> str:
    """The home, and the furnace where there is one; or the node of the organisation."""
    if isinstance(facts, PlumbingFacts):
        return facts.node.text(locale)
    parts = [facts.home.text(locale)]
    if not isinstance(facts, SilentFacts | ClockFacts) and facts.furnace.text(locale):
        parts.append(facts.furnace.text(locale))
    return " ".join(parts) if locale is Locale.ZH else ", ".join(parts)


@singledispatch
def _fields(facts: object, locale: Locale, zone: tzinfo) -> dict[str, str]:
    """What the phrases of a kind may name, formatted."""
    raise TypeError(f"no texts for {type(facts).__name__}")


@_fields.register
def _(facts: ExceedanceFacts, locale: Locale, zone: tzinfo) -> dict[str, str]:
    return {
        "pollutant": facts.pollutant.text(locale),
        "mean": number(facts.mean),
        "peak": number(facts.peak),
        "limit": number(facts.limit),
        "times": number(facts.mean / facts.limit) if facts.limit else "-",
        "unit": unit_text(facts.unit),
        "basis": _basis(facts.reference_o2_pct, locale),
        "period": _period(facts.averaging, locale),
        "start": clock(facts.start_ms, zone),
        "end": clock(facts.end_ms, zone)[-5:],
        "rule": facts.rule,
        "clause": facts.clause.text(locale),
    }


@_fields.register
def _(facts: ShortfallFacts, locale: Locale, zone: tzinfo) -> dict[str, str]:
    return {
        "quantity": facts.quantity.text(locale),
        "mean": number(facts.mean),
        "lowest": number(facts.lowest),
        "limit": number(facts.limit),
        "unit": unit_text(facts.unit),
        "period": _period(facts.averaging, locale),
        "start": clock(facts.start_ms, zone),
        "end": clock(facts.end_ms, zone)[-5:],
        "rule": facts.rule,
        "clause": facts.clause.text(locale),
    }


@_fields.register
def _(facts: StuckFacts, locale: Locale, zone: tzinfo) -> dict[str, str]:
    return {
        "channel": facts.channel.text(locale),
        "value": number(facts.value),
        "unit": unit_text(facts.unit),
        "held": number(facts.held_s),
        "threshold": number(facts.threshold_s),
        "since": clock(facts.since_ms, zone),
    }


@_fields.register
def _(facts: SilentFacts, locale: Locale, zone: tzinfo) -> dict[str, str]:
    return {
        "edge": facts.edge,
        "since": clock(facts.last_seen_ms, zone),
        "threshold": number(facts.silent_after_s),
    }


@_fields.register
def _(facts: DeviceBadFacts, locale: Locale, zone: tzinfo) -> dict[str, str]:
    return {
        "device": facts.device,
        "channels": str(facts.channels),
        "reason": phrases().reasons[locale].get(facts.reason, facts.reason),
        "since": clock(facts.since_ms, zone),
    }


def _basis(reference_o2_pct: float | None, locale: Locale) -> str:
    """To which gas the figures refer."""
    words = phrases().basis[locale]
    return words.measured if reference_o2_pct is None else words.converted.format(o2=number(reference_o2_pct))


def _period(averaging: str, locale: Locale) -> str:
    """What the mean is called; an averaging of a newer version is shown as it came."""
    return phrases().period[locale].get(averaging, averaging)


@_fields.register
def _(facts: ClockFacts, locale: Locale, zone: tzinfo) -> dict[str, str]:
    return {
        "edge": facts.edge,
        "offset": f"{abs(facts.offset_s):.1f}",
        "direction": phrases().clock[locale]["behind" if facts.offset_s > 0 else "ahead"],
        "threshold": number(facts.threshold_s),
        "clears": number(facts.clears_within_s),
        "since": clock(facts.since_ms, zone),
    }


@_fields.register
def _(facts: PlumbingFacts, locale: Locale, zone: tzinfo) -> dict[str, str]:
    return {"rule": facts.rule, "summary": facts.summary or "-", "since": clock(facts.since_ms, zone)}


@_fields.register
def _(facts: UnusualFacts, locale: Locale, zone: tzinfo) -> dict[str, str]:
    return {
        "channel": facts.channel.text(locale),
        "value": number(facts.value),
        "low": number(facts.low),
        "high": number(facts.high),
        "unit": unit_text(facts.unit),
        "phase": phrases().phase[locale].get(facts.phase, facts.phase),
        "minutes": str(facts.minutes),
        "score": f"{facts.score:.1f}",
        "threshold": number(facts.threshold),
        "since": clock(facts.since_ms, zone),
    }


def number(value: float) -> str:
    """Four significant digits, no digit of the integer part lost: 45.23, 0.113, 12400. Enough to tell 30.04 from 30."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def unit_text(unit: str) -> str:
    """A unit as people write it."""
    return unit.replace("m3", "m³")


def clock(at_ms: int, zone: tzinfo) -> str:
    """Date and minute of a moment (ms since 1970 UTC) in that zone, e.g. 2026-03-02 10:41."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M")
