"""A report as an XLSX workbook, a sheet a table; the same report gives the same bytes. Pure."""

import io
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast

from openpyxl import Workbook
from openpyxl.cell import Cell as BookCell
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.xml.functions import tostring

from ingest_service.reports.cells import Cell, Figure, Flag, Moment, Sheet
from ingest_service.reports.telling import Telling

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_NO_DATE = (1980, 1, 1, 0, 0, 0)  # the first that a ZIP archive can hold
_CORE = "docProps/core.xml"
_LONGEST_TITLE = 31  # of a sheet
_FORBIDDEN = str.maketrans(dict.fromkeys("[]:*?/\\", " "))
_WIDEST = 48
_BOLD = Font(bold=True)


def xlsx_of(sheets: Sequence[Sheet], tell: Telling, dated_ms: int) -> bytes:
    """The workbook; `dated_ms` stands in it as its date. Text stays text, whatever it begins with."""
    book = Workbook(write_only=True)
    for sheet in sheets:
        _write(book.create_sheet(sheet.title.translate(_FORBIDDEN)[:_LONGEST_TITLE]), sheet, tell)
    dated = datetime.fromtimestamp(dated_ms / 1000, UTC).replace(tzinfo=None)
    book.properties.creator = "Clearstack"
    book.properties.title = sheets[0].title
    file = io.BytesIO()
    book.save(file)
    book.properties.created = book.properties.modified = dated
    return _undated(file, tostring(book.properties.to_tree()))


def _write(page: WriteOnlyWorksheet, sheet: Sheet, tell: Telling) -> None:
    page.freeze_panes = "A2"
    dimensions = cast(Worksheet, page).column_dimensions  # a write-only sheet has them, though its stub does not
    for at, width in enumerate(_widths(sheet, tell), start=1):
        dimensions[get_column_letter(at)].width = width
    page.append([_text(page, name, _BOLD) for name in sheet.columns])
    for row in sheet.rows:
        page.append([_cell(page, cell, tell) for cell in row])
    for words in (sheet.nil if not sheet.rows else "", sheet.note):
        if words:
            page.append([_text(page, words)])


def _cell(page: WriteOnlyWorksheet, cell: Cell, tell: Telling) -> BookCell:
    match cell:
        case None:
            return _text(page, "")
        case Figure():
            found = WriteOnlyCell(page, cell.value)
            found.number_format = f"0.{'0' * cell.decimals}" if cell.decimals else "0"
            return found
        case Moment():
            return _text(page, tell.iso(cell.at_ms))
        case Flag():
            return _text(page, cell.text, _BOLD if cell.level != "plain" else None)
        case int():
            return WriteOnlyCell(page, cell)
        case _:
            return _text(page, cell)


def _text(page: WriteOnlyWorksheet, text: str, font: Font | None = None) -> BookCell:
    """Text that is no formula."""
    cell = WriteOnlyCell(page, _printable(text))
    cell.data_type = "s"
    if font is not None:
        cell.font = font
    return cell


def _printable(text: str) -> str:
    """Without the control characters that a workbook cannot hold."""
    return "".join(character for character in text if character >= " " or character in "\t\n")


def _widths(sheet: Sheet, tell: Telling) -> list[int]:
    """Wide enough for what is in them, within reason."""
    longest = [_width(name) for name in sheet.columns]
    for row in sheet.rows[:200]:
        for at, cell in enumerate(row):
            longest[at] = max(longest[at], _width(_shown(cell, tell)))
    return [min(_WIDEST, width + 2) for width in longest]


def _shown(cell: Cell, tell: Telling) -> str:
    match cell:
        case Figure():
            return f"{cell.value:.{cell.decimals}f}"
        case Moment():
            return tell.iso(cell.at_ms)
        case Flag():
            return cell.text
        case _:
            return "" if cell is None else str(cell)


def _width(text: str) -> int:
    """Columns of a screen: Chinese characters take two."""
    return sum(2 if ord(character) > 0x2E80 else 1 for character in text)


def _undated(file: io.BytesIO, core: bytes) -> bytes:
    """The archive with no time of its making in it."""
    made = io.BytesIO()
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            entry = zipfile.ZipInfo(name, _NO_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, core if name == _CORE else source.read(name))
    return made.getvalue()
