"""A report as one CSV file: its tables one after the other, each under its name. Pure."""

import csv
import io
from collections.abc import Sequence

from ingest_service.reports.cells import Cell, Figure, Flag, Moment, Sheet
from ingest_service.reports.telling import Telling

BYTE_ORDER_MARK = "\ufeff"  # spreadsheets take the file for UTF-8 by it
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_of(sheets: Sequence[Sheet], tell: Telling) -> bytes:
    """The file. Text that a spreadsheet would take for a formula begins with an apostrophe."""
    file = io.StringIO(BYTE_ORDER_MARK)
    file.seek(0, io.SEEK_END)
    writer = csv.writer(file, lineterminator="\r\n")
    for sheet in sheets:
        writer.writerow([f"# {harmless(sheet.title)}"])
        writer.writerow([harmless(name) for name in sheet.columns])
        writer.writerows([cell_text(cell, tell) for cell in row] for row in sheet.rows)
        if not sheet.rows:
            writer.writerow([harmless(sheet.nil)])
        if sheet.note:
            writer.writerow([harmless(sheet.note)])
        writer.writerow([])
    return file.getvalue().encode("utf-8")


def harmless(text: str) -> str:
    """Text that no spreadsheet computes."""
    return f"'{text}" if text.startswith(_FORMULAS) else text


def cell_text(cell: Cell, tell: Telling) -> str:
    """A cell as CSV has it: numbers without thousands separators, times with their offset."""
    match cell:
        case None:
            return ""
        case Figure():
            return f"{cell.value:.{cell.decimals}f}"
        case Moment():
            return tell.iso(cell.at_ms)
        case Flag():
            return harmless(cell.text)
        case int():
            return str(cell)
        case _:
            return harmless(cell)
