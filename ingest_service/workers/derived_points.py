"""Derived points from what the service knows. Pure; the names of fields are those that dashboards ask for."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import tzinfo

import msgspec

from edge_agent.wire.durations import MINUTE_MS
from edge_agent.wire.quantity import quantities
from ingest_service.alarms.facts import Name
from ingest_service.alarms.phrases import phrases
from ingest_service.alarms.texts import describe, number, unit_text
from ingest_service.alarms.vocabulary import Kind, Locale, Severity
from ingest_service.emissions.averages import Averaging
from ingest_service.emissions.limits import Verdict
from ingest_service.emissions.pack import RulePack
from ingest_service.emissions.units import Pollutant
from ingest_service.emissions.vocabulary import Bound
from ingest_service.store.derived.changes import Burned, Exceeded, Marked, Period, Used
from ingest_service.store.derived.point import Point, Tags, fields_of, tags_of
from ingest_service.store.journal import AlarmRecord

_JUDGED = {Verdict.WITHIN.label: 0.0, Verdict.EXCEEDED.label: 1.0}
_TIMES = re.compile(r"[:@]?\d{10,}")  # in a key; a tag with them would make a series of each event
_STATES = {verdict.label: float(verdict) for verdict in Verdict}
_CREMATION = Name("火化", "Cremation")
_MARK = Name("标记", "Mark")
_WITHDRAWN = Name("已不成立", "no longer one")
EXCEEDANCE = "exceedance"


def average(period: Period, bound: Bound) -> Point:
    """A mean against its limit; `valid` says whether it counts, whatever an earlier revision said."""
    valid = period.verdict in _JUDGED and period.mean is not None
    minutes = max(1, (period.end_ms - period.start_ms) // MINUTE_MS)
    return Point(
        "average",
        tags_of(
            home=period.home_id, furnace=period.furnace, pollutant=period.pollutant, period=period.averaging,
            rule=period.rule,
        ),
        period.start_ms,
        fields_of(
            mean=period.mean, limit=period.limit, headroom_pct=headroom_pct(period.mean, period.limit, bound),
            valid=float(valid), exceeded=_JUDGED.get(period.verdict, 0.0), valid_minutes=float(period.valid_minutes),
            capture_pct=min(100.0, 100.0 * period.valid_minutes / minutes), state=_STATES.get(period.verdict),
        ),
    )  # fmt: skip


def bound_of(packs: Sequence[RulePack], period: Period) -> Bound:
    """On which side of its limit the mean must stay; of a pack that is no longer in use, below it."""
    for pack in packs:
        if pack.key == period.rule:
            limit = pack.limit_of(Pollutant(period.pollutant), Averaging(period.averaging))
            return limit.bound if limit else Bound.AT_MOST
    return Bound.AT_MOST


def headroom_pct(mean: float | None, limit: float, bound: Bound = Bound.AT_MOST) -> float | None:
    """How far a mean is from its limit, % of the limit; below 0 beyond it. None without a mean, or of a limit of 0."""
    if mean is None or not limit:
        return None
    away = mean - limit if bound is Bound.AT_LEAST else limit - mean
    return 100.0 * away / abs(limit)


def cremation(burned: Burned) -> Point:
    """What one cremation took, at the time of its charge."""
    return Point(
        "cycle",
        tags_of(home=burned.home_id, furnace=burned.furnace),
        burned.charge_ms,
        fields_of(
            duration_s=(burned.end_ms - burned.start_ms) / 1000, gas_m3=burned.gas_m3,
            electricity_kwh=burned.electricity_kwh, co2_kg=burned.co2_kg, co_peak=burned.co_peak,
            co_mean=burned.co_mean, chamber2_least_c=burned.chamber2_least_c,
            chamber2_below_s=burned.chamber2_below_s, covered_pct=100 * burned.covered_share,
            cold=float(burned.start_kind == "cold"), holds=float(not burned.withdrawn), count=1.0,
        ),
    )  # fmt: skip


def withdrawn_cremation(burned: Burned, charge_ms: int) -> Point:
    """That there was no cremation at a time where an earlier revision had one."""
    tags = tags_of(home=burned.home_id, furnace=burned.furnace)
    return Point("cycle", tags, charge_ms, fields_of(holds=0.0))


def energy(used: Used) -> Point:
    """What a furnace used in an hour, and of that outside cremations."""
    return Point(
        "energy",
        tags_of(home=used.home_id, furnace=used.furnace),
        used.start_ms,
        fields_of(
            gas_m3=used.gas_m3, gas_idle_m3=_rest(used.gas_m3, used.gas_in_cycles_m3),
            electricity_kwh=used.electricity_kwh,
            electricity_idle_kwh=_rest(used.electricity_kwh, used.electricity_in_cycles_kwh),
            burning_s=used.burning_s, hot_idle_s=used.hot_idle_s,
        ),
    )  # fmt: skip


def exceedance_event(one: Exceeded, clause: Name) -> Point:
    """An exceedance as an annotation of its own span, with its figures, whoever was told of it."""
    known = quantities().get(one.pollutant)
    name = Name(known.zh, known.en) if known else Name(one.pollutant, one.pollutant)
    sign, unit = ("<" if one.bound == Bound.AT_LEAST else ">"), unit_text(one.unit)
    said = {
        locale: f"{name.text(locale)} {phrases().period[locale].get(one.averaging, one.averaging)} "
        f"{number(one.mean)} {sign} {number(one.limit)} {unit}"
        for locale in Locale
    }
    point = _event(
        exceedance_tags(one),
        one.start_ms,
        one.end_ms,
        Name(said[Locale.ZH], said[Locale.EN]),
        Name(
            f"最差分钟值 {number(one.peak)} {unit}；{clause.zh}（{one.rule}）",
            f"Worst minute {number(one.peak)} {unit}; {clause.en} ({one.rule})",
        ),
    )
    figures = fields_of(mean=one.mean, peak=one.peak, limit=one.limit)
    return msgspec.structs.replace(point, fields=(*point.fields, *figures))


def exceedance_tags(one: Exceeded) -> Tags:
    """Of the events of one subject."""
    subject = f"{one.rule}:{one.pollutant}:{one.averaging}"
    return tags_of(home=one.home_id, furnace=one.furnace, kind=EXCEEDANCE, subject=subject)


def withdrawn_exceedance(tags: Tags, begin_ms: int) -> Point:
    """That there is no exceedance where one began before."""
    return _event(tags, begin_ms, 0, _WITHDRAWN, _WITHDRAWN)


def clause_of(packs: Sequence[RulePack], one: Exceeded) -> Name:
    """The clause that the limit cites; of a pack that is no longer in use, as it was recorded."""
    for pack in packs:
        limit = pack.limit_of(Pollutant(one.pollutant), Averaging(one.averaging)) if pack.key == one.rule else None
        if limit:
            return Name(limit.clause_zh, limit.clause_en)
    return Name(one.clause, one.clause)


def alarm_event(record: AlarmRecord, zone: tzinfo) -> Point | None:
    """An alarm as an annotation; one of an exceedance has none beside that of the exceedance itself."""
    if record.kind in (Kind.EXCEEDANCE, Kind.SHORTFALL):
        return None
    said = {locale: describe(record.facts, locale, zone) for locale in Locale}
    return _event(
        tags_of(home=record.home_id, furnace=record.furnace, kind="alarm", subject=_TIMES.sub("", record.key)),
        record.raised_at_ms,
        record.cleared_at_ms or record.raised_at_ms,
        Name(said[Locale.ZH].what, said[Locale.EN].what),
        Name(said[Locale.ZH].cause, said[Locale.EN].cause),
    )


def cremation_event(burned: Burned) -> Point:
    """A cremation as an annotation; without an end it is none any more."""
    minutes = (burned.end_ms - burned.start_ms) / MINUTE_MS
    return _event(
        tags_of(home=burned.home_id, furnace=burned.furnace, kind="cycle"),
        burned.start_ms,
        0 if burned.withdrawn else burned.end_ms,
        _CREMATION,
        Name(f"{burned.case_number}，{minutes:.0f} 分钟", f"{burned.case_number}, {minutes:.0f} min"),
    )


def mark_event(mark: Marked, *, holds: bool) -> Point:
    """A mark of plant state as an annotation; one that does not hold has no end."""
    return _event(
        tags_of(home=mark.home_id, furnace=mark.furnace, kind="mark", subject=mark.state),
        mark.start_ms,
        mark.end_ms if holds else 0,
        _MARK,
        Name(mark.reason, mark.reason),
    )


def open_alarms(records: Iterable[AlarmRecord], homes: Iterable[str], at_ms: int) -> Iterator[Point]:
    """How many alarms are open in each home, and in none of them, by severity: also where there are none."""
    found: dict[tuple[str, str], list[AlarmRecord]] = {}
    for record in records:
        found.setdefault((record.home_id, record.severity), []).append(record)
    for home in (*homes, ""):
        for severity in Severity:
            own = found.get((home, severity.value), [])
            waiting = sum(record.acknowledged_at_ms is None for record in own)
            fields = fields_of(open=float(len(own)), unacknowledged=float(waiting))
            yield Point("alarm", tags_of(home=home, severity=severity.value), at_ms, fields)


def progress(seen: Mapping[str, int], at_ms: int) -> list[Point]:
    """How far the rows of each table have become points."""
    return [Point("progress", tags_of(what=what), at_ms, fields_of(row=float(row))) for what, row in seen.items()]


def _event(tags: Tags, begin_ms: int, end_ms: int, title: Name, text: Name) -> Point:
    texts = {"title_zh": title.zh, "title_en": title.en, "text_zh": text.zh, "text_en": text.en}
    fields = fields_of(begin_ms=float(begin_ms), end_ms=float(end_ms), holds=float(end_ms > 0))
    return Point("event", tags, begin_ms, fields, tags_of(**texts))


def _rest(whole: float | None, part: float | None) -> float | None:
    return None if whole is None or part is None else max(0.0, whole - part)
