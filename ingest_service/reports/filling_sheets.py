"""The tables of missing hours that a rule fills in, in one language: what it comes to, and every gap. Pure."""

from collections.abc import Iterator

from ingest_service.reports.cells import Cell, Flag, Sheet
from ingest_service.reports.model import Filled, Filling, FurnacePart, Report, RuleLine
from ingest_service.reports.telling import Telling, mean, moment, rounded, share, unit

Row = tuple[Cell, ...]
COLUMNS = {
    "filling": "furnace pollutant due filled still_missing capture mean mean_filled unit filled_mass filled_minutes "
    "rule",
    "substituted": "furnace pollutant start end hours label value unit method rule clause",
}


def filling_sheets(report: Report, tell: Telling) -> list[Sheet]:
    """Both; where no rule is in force one, which says so and why."""
    if not any(rule.filling is Filling.IN_FORCE for rule in report.rules):
        return [_totals(report, tell, tell.words("report.nil_filling"))]
    return [_totals(report, tell, tell.words("report.nil_filled")), _gaps(report, tell)]


def _totals(report: Report, tell: Telling, nil: str) -> Sheet:
    def row(part: FurnacePart, found: Filled, step: float) -> Row:
        return (
            tell.furnace(part.furnace),
            tell.pollutant(found.subject.pollutant),
            found.due,
            found.filled,
            found.missing,
            share(found.capture_pct),
            mean(found.mean, step),
            mean(found.mean_with_filled, step),
            unit(found.subject.unit),
            None if found.mass_kg is None else rounded(found.mass_kg, 0.001),
            None if found.mass_kg is None else found.mass_minutes,
            found.subject.rule,
        )

    why = [_why(rule, tell) for rule in report.rules if rule.filling is not Filling.IN_FORCE]
    note = [tell.words("report.filling_note"), *why] if len(why) < len(report.rules) else why
    return Sheet(
        key="filling",
        title=tell.words("report.filling"),
        columns=tell.columns(COLUMNS["filling"]),
        rows=tuple(row(*found) for found in _lines(report)),
        nil=nil,
        note=" ".join(note),
    )


def _gaps(report: Report, tell: Telling) -> Sheet:
    rows = tuple(
        (
            tell.furnace(part.furnace),
            tell.pollutant(found.subject.pollutant),
            moment(gap.start_ms),
            moment(gap.end_ms),
            gap.hours,
            Flag(tell.words("report.substituted"), "doubt"),
            mean(gap.value, step),
            unit(found.subject.unit),
            tell.words("report.highest_of", n=gap.of_hours),
            found.subject.rule,
            tell.words.either(found.clause_zh, found.clause_en),
        )
        for part, found, step in _lines(report)
        for gap in found.gaps
    )
    return Sheet(
        key="substituted",
        title=tell.words("report.gaps_filled"),
        columns=tell.columns(COLUMNS["substituted"]),
        rows=rows,
        nil=tell.words("report.nil_filled"),
        note=tell.words("report.gaps_filled_note"),
    )


def _lines(report: Report) -> Iterator[tuple[FurnacePart, Filled, float]]:
    """Everything filled in, with the resolution of its limit."""
    for part in report.furnaces:
        steps = {line.subject: line.step for line in part.limits}
        yield from ((part, found, steps[found.subject]) for found in part.filled)


def _why(rule: RuleLine, tell: Telling) -> str:
    """Why a rule pack fills nothing in."""
    if rule.filling is Filling.NO_RULE:
        return tell.words("report.no_filling_rule", rule=rule.key)
    note = tell.words.either(rule.filling_zh, rule.filling_en)
    return tell.words("report.filling_disabled", rule=rule.key, note=note, source=rule.filling_source)
