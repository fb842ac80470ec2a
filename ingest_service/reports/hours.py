"""The hours of a day side by side: a row an hour, a column a limit. Pure."""

from collections.abc import Iterator, Mapping

from ingest_service.emissions.averages import Averaging
from ingest_service.emissions.limits import Verdict
from ingest_service.reports.cells import Cell, Figure, Flag, Sheet
from ingest_service.reports.model import FurnacePart, LimitLine, Report, Subject
from ingest_service.reports.statistics import is_idle, subject_of
from ingest_service.reports.telling import Telling, mean, moment
from ingest_service.store.trends import JudgedPeriod

Row = tuple[Cell, ...]
Cells = Mapping[tuple[int, Subject], JudgedPeriod]


def hour_sheet(report: Report, tell: Telling) -> Sheet:
    """Hour means of every limit on clock hours, with why there is none in words."""
    t, subjects = tell.words, _subjects(report)
    heads = [
        f"{tell.pollutant(one.subject.pollutant)} {tell.limit(one.subject, one.bound)}" for one in subjects.values()
    ]
    return Sheet(
        key="hours",
        title=t("report.hours"),
        columns=(*tell.columns("furnace start"), *heads),
        rows=tuple(row for part in report.furnaces for row in _rows(report, part, subjects, tell)),
        nil=t("report.nil_periods"),
        note=t("report.hours_note"),
    )


def _subjects(report: Report) -> dict[Subject, LimitLine]:
    hourly = Averaging.CLOCK_HOUR
    lines = [line for part in report.furnaces for line in part.limits if line.subject.averaging == hourly]
    return {line.subject: line for line in lines}


def _rows(report: Report, part: FurnacePart, subjects: Mapping[Subject, LimitLine], tell: Telling) -> Iterator[Row]:
    cells = {(period.start_ms, subject_of(period)): period for period in part.hours}
    starts = sorted({start_ms for start_ms, subject in cells if subject in subjects})
    for start_ms in starts:
        found = [(cells.get((start_ms, subject)), line) for subject, line in subjects.items()]
        needed = {rule.key: rule.valid_minutes for rule in report.rules}
        yield (
            tell.furnace(part.furnace),
            moment(start_ms),
            *(_cell(period, line, needed.get(line.subject.rule), tell) for period, line in found),
        )


def _cell(period: JudgedPeriod | None, line: LimitLine, needed: int | None, tell: Telling) -> Cell:
    if period is None:
        return None
    told = mean(period.mean, line.step)
    if told is not None and period.verdict == Verdict.WITHIN.label:
        return told
    if told is not None:
        return Flag(f"{_text(told)} {tell.words('verdict.exceeded')}", "over")
    return Flag(why_none(period, needed, tell), "plain" if is_idle(period) else "doubt")


def why_none(period: JudgedPeriod, needed: int | None, tell: Telling) -> str:
    """Why a period has no valid mean, with the minutes that it had and needed."""
    if period.verdict == Verdict.INVALID.label and needed is not None:
        why = tell.words.known("cause", period.cause)
        return tell.words("report.too_few_short", n=period.valid_minutes, needed=needed, why=why)
    return tell.words.known("cause", period.cause)


def _text(figure: Figure) -> str:
    return f"{figure.value:.{figure.decimals}f}"
