"""The file formats of a report. Pure."""

from enum import StrEnum, unique

import msgspec

from ingest_service.reports.csv_file import csv_of
from ingest_service.reports.html import html_of
from ingest_service.reports.model import Report
from ingest_service.reports.sheets import sheets_of
from ingest_service.reports.telling import Telling
from ingest_service.reports.xlsx import MEDIA_TYPE, xlsx_of


@unique
class Form(StrEnum):
    """What a report is written as."""

    HTML = "html"
    CSV = "csv"
    XLSX = "xlsx"


MEDIA_TYPES = {Form.HTML: "text/html; charset=utf-8", Form.CSV: "text/csv; charset=utf-8", Form.XLSX: MEDIA_TYPE}


class ReportFile(msgspec.Struct, frozen=True):
    """A rendered report and what it is called."""

    name: str
    media_type: str
    content: bytes


def render(report: Report, form: Form, tell: Telling) -> ReportFile:
    """The report in one language as one file; the same report gives the same bytes."""
    sheets = sheets_of(report, tell, annexes_filled=form is not Form.HTML)
    match form:
        case Form.HTML:
            content = html_of(report, sheets, tell)
        case Form.CSV:
            content = csv_of(sheets, tell)
        case Form.XLSX:
            content = xlsx_of(sheets, tell, report.span.to_ms)
    return ReportFile(file_name(report, form, tell), MEDIA_TYPES[form], content)


def file_name(report: Report, form: Form, tell: Telling) -> str:
    """Home, furnace (where it is one), time and language, in characters that every disk takes."""
    furnace = [report.furnaces[0].furnace.name] if len(report.furnaces) == 1 else []
    parts = [report.home.id, *furnace, report.span.label, tell.words.locale]
    return "-".join(_plain(part) for part in parts) + f".{form}"


def _plain(text: str) -> str:
    return "".join(one if one.isascii() and (one.isalnum() or one in "._") else "-" for one in text)
