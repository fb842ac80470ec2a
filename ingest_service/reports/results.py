"""The tables of what was measured and judged, in one language. Pure."""

from collections.abc import Iterator, Sequence

from ingest_service.emissions.averages import WIDTHS, Averaging
from ingest_service.emissions.limits import Verdict
from ingest_service.reports.cells import Cell, Flag, Sheet
from ingest_service.reports.dosing_sheet import dosing_sheet
from ingest_service.reports.filling_sheets import filling_sheets
from ingest_service.reports.hours import hour_sheet
from ingest_service.reports.model import FurnacePart, LimitLine, Part, Report
from ingest_service.reports.span import Kind
from ingest_service.reports.statistics import is_idle, subject_of
from ingest_service.reports.telling import Telling, mean, moment, per, rounded, share, unit
from ingest_service.store.trends import JudgedPeriod

Row = tuple[Cell, ...]
LONG = (Kind.MONTH, Kind.YEAR)
COLUMNS = {
    "periods": "furnace start end pollutant averaging mean worst limit unit minutes verdict cause revision rule",
    "verdicts": "furnace pollutant averaging limit mean highest highest_at lowest worst exceedances "
    "exceeded_minutes verdict clause",
    "validity": "furnace pollutant averaging valid exceeded lost idle capture",
    "losses": "furnace pollutant averaging cause periods",
    "operation": "furnace operating_hours cremations gas gas_each electricity electricity_each co2_each",
    "masses": "furnace pollutant mass cremations mass_each",
    "parts": "furnace date pollutant mean highest limit unit valid exceeded lost",
}


def result_sheets(report: Report, tell: Telling) -> list[Sheet]:
    """Verdicts, validity, operation, dosing, emitted mass, and the days or months."""
    sheets = [_verdicts(report, tell), _validity(report, tell), _losses(report, tell), _operation(report, tell)]
    sheets += [dosing_sheet(report, tell), _masses(report, tell)]
    if report.span.kind is Kind.MONTH:
        sheets += filling_sheets(report, tell)
    return [*sheets, _parts(report, tell) if report.span.kind in LONG else hour_sheet(report, tell)]


def period_sheet(report: Report, tell: Telling, *, filled: bool = True) -> Sheet:
    """Every judged period in full: an annex. Of a long span those only that were due, and fine ones that exceeded."""
    t = tell.words
    whole = report.span.kind not in LONG
    furnaces = report.furnaces if filled else ()
    rows = tuple(row for part in furnaces for row in _period_rows(part, tell, whole=whole))
    return Sheet(
        key="periods",
        title=t("report.periods"),
        columns=tell.columns(COLUMNS["periods"]),
        rows=rows,
        nil=t("report.nil_periods"),
        note="" if whole else t("report.periods_note"),
        annex=True,
    )


def _lines(report: Report) -> Iterator[tuple[FurnacePart, LimitLine]]:
    return ((part, line) for part in report.furnaces for line in part.limits)


def _verdicts(report: Report, tell: Telling) -> Sheet:
    def row(part: FurnacePart, line: LimitLine) -> Row:
        subject = line.subject
        return (
            tell.furnace(part.furnace),
            tell.pollutant(subject.pollutant),
            tell.averaging(subject.averaging),
            tell.limit(subject, line.bound),
            mean(line.mean, line.step),
            mean(line.highest, line.step),
            moment(line.highest_at_ms),
            mean(line.lowest, line.step),
            mean(line.worst_minute, line.step),
            line.exceedances,
            line.exceeded_minutes,
            tell.verdict(line),
            tell.words.either(line.clause_zh, line.clause_en, subject.rule),
        )

    return Sheet(
        key="verdicts",
        title=tell.words("report.verdicts"),
        columns=tell.columns(COLUMNS["verdicts"]),
        rows=tuple(row(part, line) for part, line in _lines(report)),
        nil=tell.words("report.nil_periods"),
        note=tell.words("report.verdicts_note"),
    )


def _validity(report: Report, tell: Telling) -> Sheet:
    def row(part: FurnacePart, line: LimitLine) -> Row:
        return (
            tell.furnace(part.furnace),
            tell.pollutant(line.subject.pollutant),
            tell.averaging(line.subject.averaging),
            line.valid,
            line.exceeded,
            line.lost,
            line.idle,
            share(line.capture_pct),
        )

    return Sheet(
        key="validity",
        title=tell.words("report.validity"),
        columns=tell.columns(COLUMNS["validity"]),
        rows=tuple(row(part, line) for part, line in _lines(report)),
        nil=tell.words("report.nil_periods"),
        note=tell.words("report.validity_note"),
    )


def _losses(report: Report, tell: Telling) -> Sheet:
    rows = tuple(
        (
            tell.furnace(part.furnace),
            tell.pollutant(loss.subject.pollutant),
            tell.averaging(loss.subject.averaging),
            tell.reason(loss.verdict, loss.cause),
            loss.periods,
        )
        for part in report.furnaces
        for loss in part.losses
    )
    return Sheet(
        key="losses",
        title=tell.words("report.losses"),
        columns=tell.columns(COLUMNS["losses"]),
        rows=rows,
        nil=tell.words("report.nil_losses"),
    )


def _operation(report: Report, tell: Telling) -> Sheet:
    def row(part: FurnacePart) -> Row:
        done, burned = part.operation, len(part.cremations)
        hours = None if done.operating_minutes is None else rounded(done.operating_minutes / 60, 0.1)
        gas = None if done.gas_m3 is None else rounded(done.gas_m3, 0.1)
        power = None if done.electricity_kwh is None else rounded(done.electricity_kwh, 0.1)
        return (
            tell.furnace(part.furnace),
            hours,
            burned,
            gas,
            _mean_of([one.gas_m3 for one in part.cremations]),
            power,
            _mean_of([one.electricity_kwh for one in part.cremations]),
            _mean_of([one.co2_kg for one in part.cremations]),
        )

    return Sheet(
        key="operation",
        title=tell.words("report.operation"),
        columns=tell.columns(COLUMNS["operation"]),
        rows=tuple(row(part) for part in report.furnaces),
        note=tell.words("report.operation_note"),
    )


def _mean_of(values: Sequence[float | None]) -> Cell:
    known = [value for value in values if value is not None]
    return per(sum(known), len(known), 0.1)


def _masses(report: Report, tell: Telling) -> Sheet:
    rows = tuple(
        (
            tell.furnace(part.furnace),
            tell.pollutant(mass.pollutant),
            rounded(mass.kg, 0.001),
            mass.cremations,
            per(mass.kg * 1000, mass.cremations, 0.1),
        )
        for part in report.furnaces
        for mass in part.operation.masses
    )
    return Sheet(
        key="masses",
        title=tell.words("report.masses"),
        columns=tell.columns(COLUMNS["masses"]),
        rows=rows,
        nil=tell.words("report.nil_masses"),
        note=tell.words("report.masses_note"),
    )


def _parts(report: Report, tell: Telling) -> Sheet:
    shape = "%Y-%m-%d" if report.span.kind is Kind.MONTH else "%Y-%m"

    def row(part: FurnacePart, found: Part, step: float) -> Row:
        over = Flag(str(found.exceeded), "over") if found.exceeded else found.exceeded
        return (
            tell.furnace(part.furnace),
            tell.at(found.start_ms).strftime(shape),
            tell.pollutant(found.subject.pollutant),
            mean(found.mean, step),
            mean(found.highest, step),
            f"{found.subject.limit:g}",
            unit(found.subject.unit),
            found.valid,
            over,
            found.lost,
        )

    rows = []
    for part in report.furnaces:
        steps = {line.subject: line.step for line in part.limits}
        rows += [row(part, found, steps[found.subject]) for found in part.parts if found.valid or found.lost]
    return Sheet(
        key="parts",
        title=tell.words("report.days") if report.span.kind is Kind.MONTH else tell.words("report.months"),
        columns=tell.columns(COLUMNS["parts"]),
        rows=tuple(rows),
        nil=tell.words("report.nil_periods"),
        note=tell.words("report.parts_note"),
    )


def _period_rows(part: FurnacePart, tell: Telling, *, whole: bool) -> Iterator[Row]:
    steps = {line.subject: line.step for line in part.limits}
    for period in part.hours:
        if not whole and (is_idle(period) or (_is_fine(period) and period.verdict != Verdict.EXCEEDED.label)):
            continue
        step = steps[subject_of(period)]
        yield (
            tell.furnace(part.furnace),
            moment(period.start_ms),
            moment(period.end_ms),
            tell.pollutant(period.pollutant),
            tell.averaging(period.averaging),
            mean(period.mean, step),
            mean(period.peak, step),
            f"{period.limit:g}",
            unit(period.unit),
            period.valid_minutes,
            _verdict(period, tell),
            tell.words.known("cause", period.cause) if period.cause else "",
            period.revision,
            period.rule,
        )


def _is_fine(period: JudgedPeriod) -> bool:
    """True for periods of which there are many a day."""
    return period.averaging == Averaging.ROLLING_HOUR or WIDTHS.get(Averaging(period.averaging), 60) < 60


def _verdict(period: JudgedPeriod, tell: Telling) -> Flag:
    levels = {Verdict.EXCEEDED.label: "over", Verdict.INVALID.label: "doubt"}
    return Flag(tell.words.known("verdict", period.verdict), levels.get(period.verdict, "plain"))
