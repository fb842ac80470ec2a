import csv
import io
import re
import zipfile

import msgspec
import pytest
from openpyxl import load_workbook

from ingest_service.alarms.vocabulary import Locale
from ingest_service.reports import xlsx
from ingest_service.reports.digest import sha256_of
from ingest_service.reports.forms import Form, render
from ingest_service.reports.model import Stage
from ingest_service.reports.span import Kind, calendar_span
from tests.ingest_service.reports.examples import (
    HOSTILE,
    HOURS,
    MARK,
    ZONE,
    empty_part,
    full_part,
    period,
    report,
    telling,
)


def content(form: Form, locale: Locale = Locale.EN, *, full: bool = True) -> bytes:
    return render(report(full_part() if full else empty_part()), form, telling(locale)).content


def text(form: Form, locale: Locale = Locale.EN, *, full: bool = True) -> str:
    return content(form, locale, full=full).decode()


def rows(file: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(file.decode("utf-8-sig"))))


def cells(file: bytes) -> list[object]:
    book = load_workbook(io.BytesIO(file))
    return [cell for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row]


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("locale", Locale)
def test_the_same_report_gives_the_same_bytes(form: Form, locale: Locale) -> None:
    assert content(form, locale) == content(form, locale)


def test_the_workbook_holds_no_time_of_its_making() -> None:
    with zipfile.ZipFile(io.BytesIO(content(Form.XLSX))) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        core = archive.read("docProps/core.xml").decode()
    assert re.findall(r"\d{4}-\d\d-\d\dT[\d:]+Z", core) == ["2026-03-09T16:00:00Z"] * 2


@pytest.mark.parametrize("form", Form)
def test_the_check_sum_of_the_content_stands_in_every_form_and_language(form: Form) -> None:
    known = sha256_of(report(full_part()))
    for locale in Locale:
        file = content(form, locale)
        assert known in (cells(file) if form is Form.XLSX else file.decode())


def test_the_check_sum_changes_with_any_figure() -> None:
    part = full_part()
    other = msgspec.structs.replace(part, hours=part.hours[:-1])
    assert sha256_of(report(part)) != sha256_of(report(other))


def test_an_exceedance_that_a_mark_took_away_is_told_in_every_form() -> None:
    first = period(10, 51.3, "exceeded")
    part = msgspec.structs.replace(full_part(), exceedances=(), revisions=(first, HOURS[3]))
    for form in Form:
        file = render(report(part), form, telling()).content
        told = " ".join(map(str, cells(file))) if form is Form.XLSX else file.decode()
        assert "judged as exceeded and are no longer, after a mark or late data: 1" in told
        assert "51.3" in told
    kept = msgspec.structs.replace(part, revisions=(period(10), HOURS[3]))
    assert "no longer" not in render(report(kept), Form.CSV, telling()).content.decode()


@pytest.mark.parametrize(
    ("locale", "told"), [(Locale.EN, "not judged yet with the mark"), (Locale.ZH, "的标记尚未计入判定")]
)
def test_a_mark_that_waits_to_be_judged_is_told_with_its_time(locale: Locale, told: str) -> None:
    part = msgspec.structs.replace(full_part(), unjudged_marks=(4,))
    waiting = msgspec.structs.replace(report(part), stage=Stage.PROVISIONAL)
    html = render(waiting, Form.HTML, telling(locale)).content.decode()
    assert told in html
    assert "2026-03-09 10:00" in html
    assert 'class="stamp"' in html
    assert 'class="stamp"' not in text(Form.HTML, locale)


def test_no_cell_of_the_workbook_is_a_formula() -> None:
    book = load_workbook(io.BytesIO(content(Form.XLSX)))
    found = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell.coordinate for cell in found if cell.data_type == "f"]
    assert HOSTILE in [cell.value for cell in found]


def test_no_cell_of_the_csv_begins_like_a_formula() -> None:
    found = [cell for row in rows(content(Form.CSV)) for cell in row]
    assert not [cell for cell in found if cell.startswith(("=", "+", "@")) or re.match(r"-\D", cell)]
    assert f"'{HOSTILE}" in found
    assert "'+span gas" in found
    assert "'-x" in found


def test_the_html_escapes_what_people_wrote() -> None:
    html = text(Form.HTML)
    assert "&#34;http://example.org&#34;" in html
    assert "<script" not in html
    assert not re.search(r"""(?:href|src)=""", html), "the file needs nothing beside it"


@pytest.mark.parametrize(
    "expected",
    [
        "26.6", "41.8", "2026-03-09 09:00", "18.0", "▲ </span>exceeded", "75.0", "5.1", "61.2", "24.5", "41.0",
        "20260309-08", "861", "31.0", "40.0", "0.024", "lime feeder empty", "not filled in", "Calibration",
        "agent was not running", "GB 13801-2015 Table 2, hydrogen chloride", "31/45 min: marked by an operator",
        "a mark", "No alarm was raised in this time.",
    ],
)  # fmt: skip
def test_the_printed_form_holds_every_figure(expected: str) -> None:
    assert expected in re.sub(r"\s+", " ", text(Form.HTML))


@pytest.mark.parametrize("form", [Form.HTML, Form.CSV])
@pytest.mark.parametrize(
    "sentence",
    [
        "There was no exceedance in this time.",
        "There was no cremation in this time.",
        "Nothing was marked in this time.",
        "No gap in the data is known in this time.",
        "No alarm was raised in this time.",
        "No judgement of this time was revised.",
        "Nothing was judged in this time.",
    ],
)
def test_what_did_not_happen_is_said(form: Form, sentence: str) -> None:
    assert sentence in text(form, full=False)


def test_both_languages_hold_the_same_figures() -> None:
    def figures(locale: Locale) -> list[str]:
        found = [cell for row in rows(content(Form.CSV, locale)) for cell in row]
        return [cell for cell in found if re.fullmatch(r"-?\d+(\.\d+)?", cell)]

    assert figures(Locale.ZH) == figures(Locale.EN)
    assert len(figures(Locale.ZH)) > 60


def test_numbers_of_the_workbook_are_numbers_and_times_have_their_offset() -> None:
    found = cells(content(Form.XLSX))
    assert 41.8 in found
    assert "2026-03-09T09:00+08:00" in found


def test_every_sheet_of_the_workbook_prints_as_wide_as_its_paper_with_its_head_on_every_page() -> None:
    for sheet in load_workbook(io.BytesIO(content(Form.XLSX))):
        assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
        fitted = sheet.sheet_properties.pageSetUpPr
        assert fitted is not None
        assert fitted.fitToPage
        assert sheet.page_setup.fitToHeight == 0, "as many pages long as it takes"
        assert (sheet.print_title_rows, sheet.freeze_panes) == ("$1:$1", "A2")


@pytest.mark.parametrize("locale", Locale)
def test_long_texts_wrap_in_rows_high_enough_for_them(locale: Locale) -> None:
    book = load_workbook(io.BytesIO(content(Form.XLSX, locale)))
    handling = book[telling(locale).words("report.handling")]
    longest = max(handling["B"], key=lambda cell: len(str(cell.value)))
    assert longest.alignment.wrap_text
    assert handling.row_dimensions[longest.row].height >= 30
    assert handling.column_dimensions["B"].width < 82


def test_a_table_longer_than_a_sheet_goes_on_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "MOST_ROWS", 7)
    book = load_workbook(io.BytesIO(content(Form.XLSX)))
    pages = [sheet for sheet in book if sheet.title.startswith("Judged periods")]
    assert [sheet.title for sheet in pages] == ["Judged periods", "Judged periods 2", "Judged periods 3"]
    whole = [row for sheet in pages for row in list(sheet.iter_rows(min_row=2, values_only=True)) if row[1]]
    assert [row[1] for row in whole] == [telling().iso(one.start_ms) for one in HOURS]


def test_what_a_cell_cannot_hold_is_left_out_of_it() -> None:
    part = msgspec.structs.replace(full_part(), marks=(msgspec.structs.replace(MARK, reason="\x01" + "长" * 40_000),))
    assert "长" * 32_767 in cells(render(report(part), Form.XLSX, telling()).content)


@pytest.mark.parametrize(("kind", "label"), [(Kind.MONTH, "2026-03"), (Kind.YEAR, "2026")])
def test_a_long_report_leaves_its_periods_to_the_files(kind: Kind, label: str) -> None:
    long = report(full_part(), span=calendar_span(kind, label, ZONE))
    html = render(long, Form.HTML, telling()).content.decode()
    assert "in the CSV and XLSX files: Judged periods" in html
    table = rows(render(long, Form.CSV, telling()).content)
    assert ["# Judged periods"] in table
    assert not [row for row in table if "not operating" in row], "what was not due is left out"
    assert [row for row in table if "marked by an operator" in row]


def test_a_file_is_named_for_home_furnace_time_and_language() -> None:
    assert render(report(full_part()), Form.CSV, telling(Locale.ZH)).name == "beishan-furnace-1-2026-03-09-zh.csv"
    assert render(report(full_part(), empty_part()), Form.HTML, telling()).name == "beishan-2026-03-09-en.html"
