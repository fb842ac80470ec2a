"""Puts a report's view-model together from what is on record. Reads; decides nothing."""

from collections.abc import Callable, Sequence
from datetime import tzinfo
from zoneinfo import ZoneInfo

import msgspec

from edge_agent.wire.durations import HOUR_MS, MINUTE_MS
from ingest_service.cycles.settings import Cremations
from ingest_service.emissions.averages import Averaging
from ingest_service.emissions.local_hours import hour_start_ms
from ingest_service.emissions.pack import RulePack
from ingest_service.emissions.periods import day_bounds, local, month_bounds, quarter_bounds
from ingest_service.emissions.rulebook import RuleBook
from ingest_service.emissions.units import Oxide, Pollutant, scale_of
from ingest_service.reports.dosing import REAGENTS, dosing_of
from ingest_service.reports.filled_mass import Chimney, filled_mass
from ingest_service.reports.filling import filled_of, filling_of
from ingest_service.reports.gas_reading import read_gas
from ingest_service.reports.model import (
    DosedCremation,
    Filled,
    Filling,
    FurnacePart,
    Operation,
    Part,
    Report,
    RuleLine,
    Said,
    Stage,
)
from ingest_service.reports.operation import masses_of, operating_minutes, used
from ingest_service.reports.span import Kind, ReportSpan
from ingest_service.reports.statistics import limit_lines, losses_of, parts_of
from ingest_service.store import overview, trends
from ingest_service.store.cycles import CycleRow, cycles_of
from ingest_service.store.gaps import gaps_between
from ingest_service.store.journal import alarms_raised
from ingest_service.store.marks import marks_of
from ingest_service.store.overview import Reader
from ingest_service.store.remarks import newest_on, remarks_on
from ingest_service.store.rows import FurnaceRow, HomeRow
from ingest_service.store.timeseries import TimeSeriesStore
from ingest_service.store.trends import JudgedPeriod

MOST_EXCEEDANCES = 100_000


class Records(msgspec.Struct, frozen=True):
    """Where a report's figures are on record, and what else goes into it: the site's own of its stacks and its air.

    `awaits` (furnace id, from, to in ms) says whether an hour in that time has yet to be judged with a mark.
    """

    reader: Reader
    store: TimeSeriesStore
    book: RuleBook
    zone: ZoneInfo
    software: str
    awaits: Callable[[int, int, int], bool]
    cremations: Cremations = Cremations()
    barometric_pa: float | None = None


def gather(records: Records, home: HomeRow, furnaces: Sequence[FurnaceRow], span: ReportSpan) -> Report:
    """The report on these furnaces of a home. Raises StoreError."""
    parts = tuple(_furnace(records, furnace, span) for furnace in furnaces)
    return Report(
        span=span,
        home=home,
        zone=records.zone.key,
        software=records.software,
        stage=_stage(parts, span),
        rules=_rules(records, parts),
        furnaces=parts,
    )


def month_filled(records: Records, furnace: FurnaceRow, span: ReportSpan) -> tuple[Filled, ...]:
    """What rules in force put in the place of a furnace's missing hours of a month; of no other span."""
    packs = records.book.packs
    if span.kind is not Kind.MONTH or not any(filling_of(pack) is Filling.IN_FORCE for pack in packs):
        return ()
    quarter, _ = quarter_bounds(local(span.from_ms, records.zone))
    times = (round(quarter.timestamp() * 1000), span.to_ms)
    periods = trends.judgements(records.reader, furnace.id, *times, Averaging.CLOCK_HOUR)
    return tuple(_with_mass(records, furnace, one) for one in filled_of(periods, span.from_ms, packs))


def _with_mass(records: Records, furnace: FurnaceRow, found: Filled) -> Filled:
    """The same with the mass that its substituted hours stand for, where the stack is known."""
    area_m2, pollutant = records.cremations.area_of(furnace.home_id, furnace.name), Pollutant(found.subject.pollutant)
    scale = scale_of(pollutant, found.subject.unit)
    pack = next(one for one in records.book.packs if one.key == found.subject.rule)
    if area_m2 is None or scale is None or not found.gaps:
        return found
    series = overview.series(records.reader, [furnace.id])
    o2_is_wet = any(one.quantity == "flue_o2" and one.basis.startswith("wet") for one in series)
    chimney = Chimney(area_m2, records.barometric_pa, o2_is_wet)
    masses = []
    for gap in found.gaps:
        gas = read_gas(records.store, series, (pollutant, *Oxide), gap.start_ms, gap.end_ms)
        burned = cycles_of(records.reader, [furnace.id], gap.start_ms, gap.end_ms)
        masses.append(filled_mass(pollutant, scale.inward(gap.value), pack.reference, gas, chimney, burned))
    minutes = sum(one.minutes for one in masses)
    kg = sum(one.kg for one in masses) if minutes else None
    return msgspec.structs.replace(found, mass_kg=kg, mass_minutes=minutes)


def cremation_span(cremation: CycleRow) -> ReportSpan:
    """The time of one cremation."""
    return ReportSpan(Kind.CREMATION, cremation.case_number, cremation.start_ms, cremation.end_ms)


def _furnace(records: Records, furnace: FurnaceRow, span: ReportSpan) -> FurnacePart:
    reader, ids, bounds = records.reader, [furnace.id], (span.from_ms, span.to_ms)
    first_ms = hour_start_ms(span.from_ms, records.zone)  # the hour in which a cremation began
    marks = marks_of(reader, ids, *bounds)
    unjudged = [one.id for one in marks if records.awaits(furnace.id, one.start_ms, one.end_ms)]
    periods = trends.judgements(reader, furnace.id, first_ms, span.to_ms)  # last: what waited and is judged is in it
    over = trends.exceedances(reader, None, furnace.id, *bounds, MOST_EXCEEDANCES)[::-1]
    said = remarks_on(reader, ids, *bounds)
    cremations = [one for one in cycles_of(reader, ids, *bounds) if span.from_ms <= one.start_ms]
    packs = records.book.packs
    return FurnacePart(
        furnace=furnace,
        until_ms=max((period.end_ms for period in periods), default=None),
        limits=limit_lines(periods, over, packs),
        parts=_parts(periods, span, records.zone),
        hours=tuple(periods),
        losses=losses_of(periods),
        filled=month_filled(records, furnace, span),
        exceedances=tuple(Said(found, newest_on(said, found)) for found in over),
        cremations=tuple(cremations),
        dosed=_dosed(records, furnace, cremations),
        operation=_operation(records, furnace, cremations, span),
        marks=tuple(marks),
        unjudged_marks=tuple(unjudged),
        gaps=tuple(gaps_between(reader, *bounds, furnace_id=furnace.id)),
        alarms=tuple(alarms_raised(reader, furnace.id, *bounds)),
        revisions=tuple(trends.revisions(reader, furnace.id, first_ms, span.to_ms)),
    )


def _parts(periods: Sequence[JudgedPeriod], span: ReportSpan, zone: tzinfo) -> tuple[Part, ...]:
    """The days of a month, the months of a year; a shorter span has none."""
    bounds = {Kind.MONTH: day_bounds, Kind.YEAR: month_bounds}.get(span.kind)
    if bounds is None:
        return ()

    def part_of(at_ms: int) -> tuple[int, int]:
        begin, end = bounds(local(at_ms, zone))
        return round(begin.timestamp() * 1000), round(end.timestamp() * 1000)

    return parts_of(periods, part_of)


def _dosed(records: Records, furnace: FurnaceRow, cremations: Sequence[CycleRow]) -> tuple[DosedCremation, ...]:
    if not cremations:
        return ()
    bounds = min(one.charge_ms for one in cremations), max(one.end_ms for one in cremations)
    known = {one.quantity: one.id for one in reversed(overview.series(records.reader, [furnace.id]))}
    means = {name: records.store.means(MINUTE_MS, [known[name]], *bounds) for name in REAGENTS if name in known}
    return dosing_of(means, cremations)


def _operation(records: Records, furnace: FurnaceRow, cremations: Sequence[CycleRow], span: ReportSpan) -> Operation:
    known = {one.quantity: one.id for one in reversed(overview.series(records.reader, [furnace.id]))}
    if span.kind is Kind.CREMATION:
        return _of_cremations(cremations)
    minutes = None
    if "phase" in known:
        minutes = operating_minutes(records.store.means(MINUTE_MS, [known["phase"]], span.from_ms, span.to_ms))
    return Operation(
        operating_minutes=minutes,
        gas_m3=_used(records, known.get("gas_total"), span),
        electricity_kwh=_used(records, known.get("electricity_total"), span),
        masses=masses_of(cremations),
    )


def _of_cremations(cremations: Sequence[CycleRow]) -> Operation:
    """What cremations took in all; None where any of them has no figure."""
    gas = [one.gas_m3 for one in cremations if one.gas_m3 is not None]
    electricity = [one.electricity_kwh for one in cremations if one.electricity_kwh is not None]
    return Operation(
        operating_minutes=sum(round(one.duration_s) for one in cremations) // 60,
        gas_m3=sum(gas) if gas and len(gas) == len(cremations) else None,
        electricity_kwh=sum(electricity) if electricity and len(electricity) == len(cremations) else None,
        masses=masses_of(cremations),
    )


def _used(records: Records, series: int | None, span: ReportSpan) -> float | None:
    if series is None:
        return None
    kept_ms = MINUTE_MS if span.from_ms % HOUR_MS else HOUR_MS  # hours are kept by UTC, which half-hour zones cut
    return used(records.store.means(kept_ms, [series], span.from_ms - HOUR_MS, span.to_ms), span.from_ms)


def _stage(parts: Sequence[FurnacePart], span: ReportSpan) -> Stage:
    judged = [part.until_ms for part in parts if part.until_ms is not None]
    if not judged or min(judged) < span.to_ms:
        return Stage.PRELIMINARY
    return Stage.PROVISIONAL if any(part.unjudged_marks for part in parts) else Stage.FINAL


def rules_of(records: Records, furnace: FurnaceRow) -> tuple[RuleLine, ...]:
    """Every pack that holds for a furnace."""
    return tuple(_rule(pack.key, pack) for pack in records.book.of(furnace.home_id, furnace.name))


def _rules(records: Records, parts: Sequence[FurnacePart]) -> tuple[RuleLine, ...]:
    """Every pack that judged something here, and those that hold for these furnaces."""
    named = {line.subject.rule for part in parts for line in part.limits}
    held = {pack.key for part in parts for pack in records.book.of(part.furnace.home_id, part.furnace.name)}
    packs = {pack.key: pack for pack in records.book.packs}
    return tuple(_rule(key, packs.get(key)) for key in sorted(named | held))


def _rule(key: str, pack: RulePack | None) -> RuleLine:
    if pack is None:
        return RuleLine(key=key)
    reference, filling = pack.reference, pack.substitution
    return RuleLine(
        key=key,
        title_zh=pack.title_zh,
        title_en=pack.title_en,
        source=pack.source,
        verified=pack.verified,
        reference_o2_pct=pack.reference_o2_pct,
        reference_verified=reference.verified if reference else "",
        confirm_zh=reference.confirm_zh if reference else "",
        confirm_en=reference.confirm_en if reference else "",
        valid_minutes=pack.validity.valid_minutes,
        validity_source=pack.validity.source,
        exclusion_zh=pack.exclusion.note_zh,
        exclusion_en=pack.exclusion.note_en,
        rounding=pack.rounding.compared,
        filling=filling_of(pack),
        filling_source=filling.source if filling else "",
        filling_zh=filling.note_zh if filling else "",
        filling_en=filling.note_en if filling else "",
    )
