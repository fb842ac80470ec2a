"""A report as an XLSX workbook, a sheet a table; the same report gives the same bytes. Pure."""

import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from xlsxwriter import Workbook

from ingest_service.reports.cells import Cell, Figure, Flag, Moment, Sheet
from ingest_service.reports.telling import Telling

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ROWS = 1_000_000  # of one sheet; a workbook's format ends shortly after
_LONGEST_TITLE = 31  # of a sheet
_LONGEST_TEXT = 32_767  # of a cell
_FORBIDDEN = str.maketrans(dict.fromkeys("[]:*?/\\", " "))
_WIDEST, _LEAST_WIDEST, _READABLE = 80, 28, 190  # characters of a column, and of a printed page's width
_LOOKED_AT = 1_000  # rows by which columns are made wide
_LINE_POINTS = 15.0
_SIGNED, _ROOM = "signatures", 24  # the table in which people write by hand, and the characters that they need
_A4 = 9
_TOP = {"valign": "top"}
_TEXT = {"valign": "top", "align": "left", "indent": 1}
_WRAPPED = {**_TEXT, "text_wrap": True}
_HEAD = {**_TEXT, "bold": True, "text_wrap": True, "bg_color": "#E3E6EA", "bottom": 1}
_NOTE = {**_WRAPPED, "font_color": "#535B65"}
_LEVELS = {"over": {"bold": True, "font_color": "#A13D00"}, "doubt": {"bold": True, "font_color": "#6B5000"}}


class _Looks:
    """How cells are set: each look is made once for a workbook."""

    def __init__(self, book: Workbook) -> None:
        self._book, self._made = book, dict[str, Any]()
        self.head, self.note = book.add_format(_HEAD), book.add_format(_NOTE)
        self.text, self.wrapped = book.add_format(_TEXT), book.add_format(_WRAPPED)

    def level(self, level: str) -> Any:
        """Of a flag."""
        return self._look(level, {**_WRAPPED, **_LEVELS.get(level, {})})

    def count(self, level: str) -> Any:
        """Of a count, a flag or not."""
        return self._look(f"count {level}", {**_TOP, **_LEVELS.get(level, {})})

    def number(self, decimals: int) -> Any:
        """Of a figure."""
        shape = f"#,##0.{'0' * decimals}" if decimals else "#,##0"
        return self._look(shape, {**_TOP, "num_format": shape})

    def _look(self, key: str, properties: dict[str, Any]) -> Any:
        if key not in self._made:
            self._made[key] = self._book.add_format(properties)
        return self._made[key]


def xlsx_of(sheets: Sequence[Sheet], tell: Telling, dated_ms: int) -> bytes:
    """The workbook; `dated_ms` stands in it as its date. Text stays text, whatever it begins with."""
    file = io.BytesIO()
    book = Workbook(file, {"in_memory": True})
    looks, title = _Looks(book), sheets[0].title
    for sheet in (page for whole in sheets for page in _pages(whole)):
        page = book.add_worksheet(sheet.title)
        _lay_out(page, sheet, title)
        _write(page, sheet, looks, tell)
    dated = datetime.fromtimestamp(dated_ms / 1000, UTC).replace(tzinfo=None)
    book.set_properties({"author": "Clearstack", "title": title, "created": dated})
    book.close()
    return file.getvalue()


def _pages(sheet: Sheet) -> Iterator[Sheet]:
    """The table as sheets that a workbook can hold, the second and further ones numbered."""
    plain = sheet.title.translate(_FORBIDDEN)
    for number, first in enumerate(range(0, max(1, len(sheet.rows)), MOST_ROWS), start=1):
        tail = f" {number}" if number > 1 else ""
        title = plain[: _LONGEST_TITLE - len(tail)] + tail
        yield msgspec.structs.replace(sheet, title=title, rows=sheet.rows[first : first + MOST_ROWS])


def _lay_out(page: Any, sheet: Sheet, title: str) -> None:
    """As it is printed: landscape, as wide as the paper, the head on every page."""
    page.freeze_panes(1, 0)
    page.set_landscape()
    page.set_paper(_A4)
    page.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    page.fit_to_pages(1, 0)
    page.repeat_rows(0)
    page.set_footer(f"&L{_of_footer(title)}&C{_of_footer(sheet.title)}&R&P / &N")


def _of_footer(text: str) -> str:
    return text.replace("&", "&&")


def _write(page: Any, sheet: Sheet, looks: _Looks, tell: Telling) -> None:
    longest = _longest(sheet, tell)
    widest = _widest(longest)
    least = _ROOM if sheet.key == _SIGNED else 0
    widths = [max(least, min(widest, width + 3)) for width in longest]
    texts = [looks.wrapped if width + 3 > widest else looks.text for width in longest]
    _write_head(page, sheet, widths, looks)
    for row, cells in enumerate(sheet.rows, start=1):
        for at, cell in enumerate(cells):
            _put(page, row, at, cell, texts[at], looks, tell)
        if looks.wrapped in texts or least:
            page.set_row(row, _LINE_POINTS * _lines_of(cells, widths, 2 if least else 1))
    _write_notes(page, sheet, widths, looks)


def _write_head(page: Any, sheet: Sheet, widths: Sequence[int], looks: _Looks) -> None:
    page.set_row(0, _LINE_POINTS * max(map(_lines, sheet.columns, widths)))
    for at, width in enumerate(widths):
        page.set_column(at, at, width)
        page.write_string(0, at, sheet.columns[at], looks.head)


def _write_notes(page: Any, sheet: Sheet, widths: Sequence[int], looks: _Looks) -> None:
    """What is said of an empty table, and the note, over the whole width."""
    said = [words for words in (sheet.nil if not sheet.rows else "", sheet.note) if words]
    for row, words in enumerate(said, start=len(sheet.rows) + 1):
        page.set_row(row, _LINE_POINTS * _lines(words, sum(widths)))
        page.merge_range(row, 0, row, len(widths) - 1, _printable(words), looks.note)


def _put(page: Any, row: int, at: int, cell: Cell, text: Any, looks: _Looks, tell: Telling) -> None:
    match cell:
        case None:
            return
        case Figure():
            page.write_number(row, at, cell.value, looks.number(cell.decimals))
        case Flag(text=told) if told.isdecimal():
            page.write_number(row, at, int(told), looks.count(cell.level))
        case Flag():
            page.write_string(row, at, _printable(cell.text), looks.level(cell.level))
        case Moment():
            page.write_string(row, at, tell.iso(cell.at_ms), text)
        case int():
            page.write_number(row, at, cell, looks.count("plain"))
        case _:
            page.write_string(row, at, _printable(cell), text)


def _printable(text: str) -> str:
    """As much as a cell takes, without the control characters that a workbook cannot hold."""
    return text[:_LONGEST_TEXT] if text.isprintable() else _without_controls(text)[:_LONGEST_TEXT]


def _without_controls(text: str) -> str:
    return "".join(character for character in text if character >= " " or character in "\t\n")


def _longest(sheet: Sheet, tell: Telling) -> list[int]:
    """How wide each column's content is; heads may wrap between words."""
    longest = [max(-(-_width(name) // 2), *map(_width, name.split(" "))) for name in sheet.columns]
    for row in sheet.rows[:_LOOKED_AT]:
        for at, cell in enumerate(row):
            longest[at] = max(longest[at], _width(_shown(cell, tell)))
    return longest


def _widest(longest: Sequence[int]) -> int:
    """How wide a column may be, so that a page of them can be read."""
    fits = (most for most in range(_WIDEST, _LEAST_WIDEST, -2) if sum(min(most, one) for one in longest) <= _READABLE)
    return next(fits, _LEAST_WIDEST)


def _lines(text: str, width: int) -> int:
    """How many lines a text takes in a column, broken between words where there are any."""
    room, lines, used = max(width - 3, 1), 1, 0
    for word in text.split(" "):
        wide = _width(word)
        if used and used + 1 + wide > room:
            lines, used = lines + 1, 0
        used += wide + (used > 0)
        lines, used = lines + max(0, used - 1) // room, (used - 1) % room + 1 if used else 0
    return lines


def _lines_of(cells: Sequence[Cell], widths: Sequence[int], least: int) -> int:
    """How many lines a row takes, and no fewer than that."""
    return max(least, *map(_lines, map(_plain, cells), widths))


def _plain(cell: Cell) -> str:
    """The text of a cell that may wrap."""
    return cell.text if isinstance(cell, Flag) else cell if isinstance(cell, str) else ""


def _shown(cell: Cell, tell: Telling) -> str:
    match cell:
        case Figure():
            return f"{cell.value:,.{cell.decimals}f}"
        case Moment():
            return tell.iso(cell.at_ms)
        case Flag():
            return cell.text
        case _:
            return "" if cell is None else str(cell)


def _width(text: str) -> int:
    """Columns of a screen: Chinese characters take two."""
    return sum(2 if ord(character) > 0x2E80 else 1 for character in text)
