"""A whole report as tables in one language: cover, results, events, rules, how data were handled, and the check sum."""

from ingest_service.reports.cells import Cell, Flag, Sheet
from ingest_service.reports.digest import sha256_of
from ingest_service.reports.events import event_sheets
from ingest_service.reports.model import Report, RuleLine, Stage
from ingest_service.reports.results import period_sheet, result_sheets
from ingest_service.reports.telling import Telling, moment

HANDLING = ("event_time", "conversion", "rounding", "flags", "raw", "revisions", "substitution", "personal")
SIGNATURES = ("prepared", "reviewed", "approved")
RULE_COLUMNS = "rule title source verified reference validity exclusion compared"
PLAIN_COLUMNS = ("item content", "item name date signature")
COVER = (
    "home", "furnaces", "report", "from", "to", "zone", "stage", "judged_until", "rules", "software", "sha256",
)  # fmt: skip


def sheets_of(report: Report, tell: Telling, *, annexes_filled: bool = True) -> list[Sheet]:
    """Every table, in the order in which it is read; annexes may be left empty where only their names are told."""
    results, events = result_sheets(report, tell), event_sheets(report, tell)
    return [
        cover(report, tell),
        *results,
        *events,
        period_sheet(report, tell, filled=annexes_filled),
        _rules(report, tell),
        _handling(tell),
        _signatures(tell),
    ]


def title_of(report: Report, tell: Telling) -> str:
    """What the report is called."""
    return f"{tell.words(f'report.title_{report.span.kind}')} {report.span.label}"


def cover(report: Report, tell: Telling) -> Sheet:
    """Who, where, when, by which rules, in which state; and the check sum of the content."""
    t, judged = tell.words, [part.until_ms for part in report.furnaces if part.until_ms is not None]
    facts: tuple[Cell, ...] = (
        tell.home(report.home),
        t("report.comma").join(tell.furnace(part.furnace) for part in report.furnaces),
        title_of(report, tell),
        moment(report.span.from_ms),
        moment(report.span.to_ms),
        report.zone,
        _stage(report, tell),
        moment(min(judged)) if judged else t("report.nothing_judged"),
        t("report.comma").join(rule.key for rule in report.rules),
        f"Clearstack {report.software}",
        sha256_of(report),
    )
    return Sheet(
        key="cover",
        title=title_of(report, tell),
        columns=tell.columns(PLAIN_COLUMNS[0]),
        rows=tuple((t(f"report.cover_{name}"), cell) for name, cell in zip(COVER, facts, strict=True)),
        note=t("report.sha256_note"),
    )


def _stage(report: Report, tell: Telling) -> Flag:
    """How final the report is; a mark that waits is named by the time at which it begins."""
    waiting = [mark for part in report.furnaces for mark in part.marks if mark.id in part.unjudged_marks]
    times = dict.fromkeys(f"{tell.at(mark.start_ms):%Y-%m-%d %H:%M}" for mark in waiting)
    text = tell.words(f"report.{report.stage}", marks=tell.words("report.comma").join(times))
    return Flag(text, "plain" if report.stage is Stage.FINAL else "doubt")


def _rules(report: Report, tell: Telling) -> Sheet:
    t = tell.words
    return Sheet(
        key="rules",
        title=t("report.rules"),
        columns=tell.columns(RULE_COLUMNS),
        rows=tuple(_rule(rule, tell) for rule in report.rules),
        nil=t("report.nil_rules"),
    )


def _rule(rule: RuleLine, tell: Telling) -> tuple[Cell, ...]:
    t = tell.words
    if not rule.title_en:
        return rule.key, t("report.not_in_book"), "", "", "", "", "", ""
    reference = "" if rule.reference_o2_pct is None else f"{rule.reference_o2_pct:g} % O2"
    confirm = t.either(rule.confirm_zh, rule.confirm_en)
    return (
        rule.key,
        t.either(rule.title_zh, rule.title_en),
        rule.source,
        t.known("verified", rule.verified),
        f"{reference} ({t.known('verified', rule.reference_verified)}) {confirm}".strip() if reference else "",
        t("report.validity_rule", n=rule.valid_minutes, source=rule.validity_source),
        t.either(rule.exclusion_zh, rule.exclusion_en),
        t.known("compared", rule.rounding),
    )


def _handling(tell: Telling) -> Sheet:
    t = tell.words
    return Sheet(
        key="handling",
        title=t("report.handling"),
        columns=tell.columns(PLAIN_COLUMNS[0]),
        rows=tuple((t(f"handling.{name}_name"), t(f"handling.{name}")) for name in HANDLING),
    )


def _signatures(tell: Telling) -> Sheet:
    t = tell.words
    return Sheet(
        key="signatures",
        title=t("report.signatures"),
        columns=tell.columns(PLAIN_COLUMNS[1]),
        rows=tuple((t(f"report.{name}"), "", "", "") for name in SIGNATURES),
    )
