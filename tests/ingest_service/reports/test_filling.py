"""Missing hours that a rule fills in: apart from what was measured, never judged, and off until somebody read it."""

import csv
import io

import msgspec
import pytest

from ingest_service.alarms.vocabulary import Locale
from ingest_service.emissions.pack import RulePack, Unread
from ingest_service.emissions.rulepack import load_pack, pack_names
from ingest_service.emissions.substitution import Band, Substitution
from ingest_service.emissions.vocabulary import Verified
from ingest_service.reports.digest import sha256_of
from ingest_service.reports.filling import filled_of, filling_of
from ingest_service.reports.forms import Form, render
from ingest_service.reports.model import Filling, Report, RuleLine
from ingest_service.reports.span import Kind, calendar_span
from ingest_service.reports.statistics import limit_lines
from ingest_service.store.trends import JudgedPeriod
from tests.ingest_service.reports.examples import DAY, PACK, ZONE, full_part, period, report, telling

READ = Substitution(
    enabled=True,
    band=(Band(capture_pct=75.0, of_hours=3),),
    source="a permit",
    note_zh="已核对",
    note_en="read",
    clause_zh="许可证第7条",
    clause_en="permit, clause 7",
)
IN_FORCE = msgspec.structs.replace(PACK, substitution=READ)
MONTH = calendar_span(Kind.MONTH, "2026-03", ZONE)
LOST = (None, "invalid", "missing_values")
# Hours of one day: 12 valid ones, two lost, an hour without operation, one lost, two valid, one lost after them.
MEASURED = [
    *(period(hour, 10.0 + hour) for hour in range(12)),
    period(12, *LOST),
    period(13, *LOST),
    period(14, None, "not_judged", "not_operating"),
    period(15, None, "invalid", "marked"),
    period(16, 5.0),
    period(17, 6.0),
]


def month_report(pack: RulePack) -> Report:
    line = RuleLine(
        key=pack.key,
        title_en=pack.title_en,
        filling=filling_of(pack),
        filling_source=pack.substitution.source if pack.substitution else "",
        filling_zh=pack.substitution.note_zh if pack.substitution else "",
        filling_en=pack.substitution.note_en if pack.substitution else "",
    )
    part = msgspec.structs.replace(
        full_part(),
        hours=tuple(MEASURED),
        limits=limit_lines(MEASURED, [], [pack]),
        filled=filled_of(MEASURED, DAY.from_ms, [pack]),
    )
    return msgspec.structs.replace(report(part, span=MONTH), rules=(line,))


def table(made: Report, title: str, locale: Locale = Locale.EN) -> list[list[str]]:
    """The rows of one table of the CSV, its head first."""
    rows = list(csv.reader(io.StringIO(render(made, Form.CSV, telling(locale)).content.decode("utf-8-sig"))))
    first = rows.index([f"# {title}"]) + 1
    return rows[first : rows.index([], first)]


def test_missing_hours_take_the_highest_of_the_valid_hours_before_them() -> None:
    (found,) = filled_of(MEASURED, DAY.from_ms, [IN_FORCE])
    (gap,) = found.gaps
    assert (gap.value, gap.of_hours, gap.hours) == (21.0, 3, 3), "hours 9 to 11 showed 19, 20 and 21"
    assert (gap.start_ms, gap.end_ms) == (MEASURED[12].start_ms, MEASURED[15].end_ms)
    assert (found.due, found.filled, found.missing) == (17, 3, 0)
    assert found.mean == pytest.approx((sum(range(10, 22)) + 11.0) / 14)
    assert found.mean_with_filled == pytest.approx((sum(range(10, 22)) + 11.0 + 63.0) / 17)


def test_judged_means_hold_no_value_that_was_filled_in() -> None:
    with_rule, without = month_report(IN_FORCE), month_report(PACK)
    assert with_rule.furnaces[0].limits == without.furnaces[0].limits
    assert with_rule.furnaces[0].hours == without.furnaces[0].hours
    assert sha256_of(with_rule) != sha256_of(without)


def test_hours_of_the_quarter_before_the_month_count_as_measured_but_are_not_told() -> None:
    first_ms = MEASURED[13].start_ms
    (found,) = filled_of(MEASURED, first_ms, [IN_FORCE])
    assert (found.due, found.filled) == (4, 2)
    assert [(gap.start_ms, gap.value) for gap in found.gaps] == [(first_ms, 21.0)]
    assert found.capture_pct == pytest.approx(100.0 * 14 / 17)


def test_poor_capture_leaves_hours_missing() -> None:
    poor: list[JudgedPeriod] = [period(0, 10.0), period(1, *LOST), period(2, *LOST)]
    (found,) = filled_of(poor, DAY.from_ms, [IN_FORCE])
    assert (found.filled, found.missing, found.gaps) == (0, 2, ())
    assert found.mean_with_filled == found.mean == 10.0


def test_what_is_no_concentration_or_no_clock_hour_is_left_alone() -> None:
    warm = [period(hour, 900.0, pollutant="chamber2_temperature") for hour in range(4)]
    halves = [period(hour, 10.0, averaging="half_hour") for hour in range(4)]
    assert filled_of([*warm, *halves], DAY.from_ms, [IN_FORCE]) == ()


@pytest.mark.parametrize("name", pack_names())
def test_no_pack_that_comes_with_the_product_fills_anything_in(name: str) -> None:
    assert filling_of(load_pack(name)) is not Filling.IN_FORCE


def test_a_pack_that_nobody_checked_fills_nothing_in_whatever_it_says() -> None:
    pack = msgspec.structs.replace(
        IN_FORCE, verified=Verified.UNVERIFIED, unread=(Unread(zh="全文", en="all", where="-"),)
    )
    assert filling_of(pack) is Filling.DISABLED
    assert filled_of(MEASURED, DAY.from_ms, [pack]) == ()


def test_the_monthly_report_tells_what_was_filled_in_by_which_rule_and_clause() -> None:
    made = month_report(IN_FORCE)
    total = table(made, "Missing hours filled in (not judged)")[1]
    assert total[1:] == ["Hydrogen chloride", "17", "3", "0", "82.4", "14.1", "15.3", "mg/m³", "", "", PACK.key]
    gap = table(made, "Substituted values, gap by gap")[1]
    assert gap[2:4] == ["2026-03-09T12:00+08:00", "2026-03-09T16:00+08:00"]
    assert gap[4:8] == ["3", "substituted", "21.0", "mg/m³"]
    assert gap[8:] == ["highest of the 3 valid hours before", PACK.key, "permit, clause 7"]


def test_the_mass_of_what_was_filled_in_stands_apart() -> None:
    made = month_report(IN_FORCE)
    (part,) = made.furnaces
    filled = tuple(msgspec.structs.replace(one, mass_kg=0.01234, mass_minutes=95) for one in part.filled)
    told = msgspec.structs.replace(made, furnaces=(msgspec.structs.replace(part, filled=filled),))
    assert table(told, "Missing hours filled in (not judged)")[1][9:11] == ["0.012", "95"]
    assert table(told, "Emitted mass") == table(made, "Emitted mass")


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        (Locale.EN, ("no rule for missing hours is in force", "has not been checked against the text", "from memory")),
        (Locale.ZH, ("没有启用的缺失数据规则", "未与标准正文核对")),
    ],
)
@pytest.mark.parametrize("form", [Form.HTML, Form.CSV])
def test_where_no_rule_is_in_force_the_report_says_that_nothing_was_filled_in_and_why(
    form: Form, locale: Locale, said: tuple[str, ...]
) -> None:
    file = render(month_report(PACK), form, telling(locale)).content.decode()
    assert [words for words in said if words not in file] == []
    assert telling(locale).words("report.gaps_filled") not in file


@pytest.mark.parametrize("form", Form)
def test_the_same_month_gives_the_same_bytes(form: Form) -> None:
    one, other = (render(month_report(IN_FORCE), form, telling()).content for _ in range(2))
    assert one == other


def test_a_day_has_no_table_of_filled_in_hours() -> None:
    assert "Missing hours filled in (not judged)" not in render(report(), Form.CSV, telling()).content.decode()
