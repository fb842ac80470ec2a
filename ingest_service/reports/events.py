"""The tables of what happened and what people recorded, in one language. Pure."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import msgspec

from edge_agent.wire.durations import MINUTE_MS
from ingest_service.alarms.texts import describe
from ingest_service.emissions.limits import Verdict
from ingest_service.reports.cells import Cell, Flag, Sheet
from ingest_service.reports.dosing import REAGENTS
from ingest_service.reports.model import Dosing, FurnacePart, Report, Said
from ingest_service.reports.overturned import overturned
from ingest_service.reports.telling import Telling, mean, moment, rounded, share, unit
from ingest_service.store.cycles import CycleRow
from ingest_service.store.gaps import KnownGap
from ingest_service.store.journal import AlarmRecord
from ingest_service.store.marks import MarkRow
from ingest_service.store.trends import JudgedPeriod

Record = TypeVar("Record")
Row = tuple[Cell, ...]
COLUMNS = {
    "exceedances": "furnace pollutant averaging start end lasted mean worst limit unit cause action who recorded",
    "cremations": "furnace case start end lasted start_kind chamber2_least below co_peak co_first_hour co_half_hour "
    "gas electricity co2 lime carbon",
    "marks": "furnace number state start end reason who recorded holds",
    "gaps": "furnace start end where reason samples",
    "alarms": "furnace number start end severity what acknowledged who",
    "revisions": "furnace start pollutant averaging revision reason verdict mean unit recorded",
}
_FROM_THE_BEGINNING = 0


def event_sheets(report: Report, tell: Telling) -> list[Sheet]:
    """Exceedances, cremations, marks, gaps, alarms and revisions, each with what is said where there is none."""
    return [
        _exceedances(report, tell),
        _sheet(report, tell, "cremations", _cremation, _dosed),
        _sheet(report, tell, "marks", _mark, lambda part: part.marks),
        _sheet(report, tell, "gaps", _gap, lambda part: part.gaps),
        _sheet(report, tell, "alarms", _alarm, lambda part: part.alarms),
        _sheet(report, tell, "revisions", _revision, lambda part: part.revisions),
    ]


def _sheet(
    report: Report,
    tell: Telling,
    key: str,
    row: Callable[[FurnacePart, Record, Telling], Row],
    records: Callable[[FurnacePart], Iterable[Record]],
) -> Sheet:
    rows = tuple(row(part, record, tell) for part in report.furnaces for record in records(part))
    return Sheet(
        key=key,
        title=tell.words(f"report.{key}"),
        columns=tell.columns(COLUMNS[key]),
        rows=rows,
        nil=tell.words(f"report.nil_{key}"),
    )


def _exceedances(report: Report, tell: Telling) -> Sheet:
    """Those that hold, with a note of how many periods were over a limit before they were judged again."""
    sheet = _sheet(report, tell, "exceedances", _exceedance, lambda part: part.exceedances)
    gone = sum(1 for part in report.furnaces for _ in overturned(part.revisions))
    return msgspec.structs.replace(sheet, note=tell.words("report.overturned", n=gone) if gone else "")


def _exceedance(part: FurnacePart, said: Said, tell: Telling) -> Row:
    found, remark, t = said.found, said.remark, tell.words
    cause = Flag(t("report.not_filled_in"), "doubt") if remark is None else _cause(remark.cause, remark.detail, tell)
    return (
        tell.furnace(part.furnace),
        tell.pollutant(found.pollutant),
        tell.averaging(found.averaging),
        moment(found.start_ms),
        moment(found.end_ms),
        (found.end_ms - found.start_ms) // MINUTE_MS,
        mean(found.mean, 1.0),
        mean(found.peak, 1.0),
        f"{found.limit:g}",
        unit(found.unit),
        cause,
        Flag(t("report.not_filled_in"), "doubt") if remark is None else remark.action,
        remark.who if remark else "",
        moment(remark.recorded_at_ms) if remark else None,
    )


def _cause(cause: str, detail: str, tell: Telling) -> str:
    word = tell.words.known("exceedance_cause", cause)
    return f"{word}{tell.words('report.because')}{detail}" if detail else word


def _cremation(part: FurnacePart, found: tuple[CycleRow, tuple[Dosing, ...]], tell: Telling) -> Row:
    one, on_pct = found[0], {dosing.reagent: dosing.on_pct for dosing in found[1]}
    return (
        tell.furnace(part.furnace),
        one.case_number,
        moment(one.start_ms),
        moment(one.end_ms),
        round(one.duration_s / 60),
        tell.words.known("start_kind", one.start_kind),
        _figure(one.chamber2_least_c, 1.0),
        _figure(one.chamber2_below_s, 1.0),
        _figure(one.co_peak, 0.1),
        _figure(one.co_first_hour, 0.1),
        _figure(one.co_half_hour, 0.1),
        _figure(one.gas_m3, 0.1),
        _figure(one.electricity_kwh, 0.1),
        _figure(one.co2_kg, 0.1),
        *(share(on_pct.get(reagent)) for reagent in REAGENTS),
    )


def _dosed(part: FurnacePart) -> Iterator[tuple[CycleRow, tuple[Dosing, ...]]]:
    """Every cremation with what was dosed in it."""
    dosing = {one.case_number: one.dosing for one in part.dosed}
    return ((one, dosing.get(one.case_number, ())) for one in part.cremations)


def _figure(value: float | None, step: float) -> Cell:
    return None if value is None else rounded(value, step)


def _mark(part: FurnacePart, mark: MarkRow, tell: Telling) -> Row:
    t = tell.words
    holds = t("mark.holds") if mark.holds else t.known("mark", "withdrawn" if mark.act == "withdrawn" else "replaced")
    return (
        tell.furnace(part.furnace),
        mark.id,
        t.known("plant_state", mark.state),
        moment(mark.start_ms),
        moment(mark.end_ms),
        mark.reason,
        mark.who,
        moment(mark.recorded_at_ms),
        holds,
    )


def _gap(part: FurnacePart, gap: KnownGap, tell: Telling) -> Row:
    begins = tell.words("report.unknown_beginning") if gap.from_ms == _FROM_THE_BEGINNING else moment(gap.from_ms)
    where = f"{gap.edge} {gap.device} {', '.join(gap.channels)}".strip()
    return (
        tell.furnace(part.furnace),
        begins,
        moment(gap.to_ms),
        where,
        tell.words.known("gap", gap.reason),
        gap.samples,
    )


def _alarm(part: FurnacePart, alarm: AlarmRecord, tell: Telling) -> Row:
    return (
        tell.furnace(part.furnace),
        alarm.id,
        moment(alarm.raised_at_ms),
        moment(alarm.cleared_at_ms),
        tell.words.known("severity", alarm.severity),
        describe(alarm.facts, tell.words.locale, tell.zone).what,
        moment(alarm.acknowledged_at_ms),
        alarm.acknowledged_by,
    )


def _revision(part: FurnacePart, period: JudgedPeriod, tell: Telling) -> Row:
    return (
        tell.furnace(part.furnace),
        moment(period.start_ms),
        tell.pollutant(period.pollutant),
        tell.averaging(period.averaging),
        period.revision,
        tell.words.known("revision_reason", period.revision_reason) if period.revision else "",
        _verdict(period, tell),
        mean(period.mean, 1.0),
        unit(period.unit),
        moment(period.computed_at_ms),
    )


def _verdict(period: JudgedPeriod, tell: Telling) -> Flag:
    return Flag(
        tell.reason(period.verdict, period.cause), "over" if period.verdict == Verdict.EXCEEDED.label else "plain"
    )
