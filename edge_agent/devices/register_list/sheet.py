"""A register list file as rows of text: CSV in any usual encoding and separator, or XLSX."""

import csv
import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from zipfile import BadZipFile

import msgspec
import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from edge_agent.devices.register_list.cells import squeezed
from edge_agent.devices.register_list.columns import Column, find_columns
from edge_agent.errors import ConfigError

SEPARATORS = ",;\t|"
HEADING_ROWS = 30  # how far down the row with the headings is looked for
_ENCODINGS = ("utf-8-sig", "gb18030")  # gb18030 holds GBK and GB2312
_BOMS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}

Rows = list[list[str]]


class Row(msgspec.Struct, frozen=True):
    """The cells of a row as text; `number` counts from 1 as a spreadsheet does."""

    number: int
    cells: tuple[str, ...]


class Sheet(msgspec.Struct, frozen=True):
    """A list: its headings, the rows below them that hold anything, and what was left aside."""

    file: str
    headings: tuple[str, ...]
    columns: dict[Column, int]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


def read_sheet(path: Path, mapped: Mapping[str, Column], sheet_name: str = "") -> Sheet:
    """The list in a file. Raises ConfigError naming what cannot be read or found."""
    suffix = path.suffix.lower()
    if suffix == ".xls":
        raise ConfigError(str(path), "", "the old .xls format cannot be read", "save it as .xlsx or as CSV")
    if suffix in (".xlsx", ".xlsm"):
        return _from_workbook(path, mapped, sheet_name)
    text = _decoded(path)
    tables = [list(csv.reader(io.StringIO(text), delimiter=separator)) for separator in SEPARATORS]
    best = max(tables, key=lambda rows: _heading_row(rows, mapped)[1])
    return _sheet(str(path), best, mapped, ())


def _decoded(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(str(path), "", f"cannot be read: {error.strerror}") from error
    for encoding in (_BOMS.get(data[:2], ""), *_ENCODINGS):
        try:
            return data.decode(encoding) if encoding else data.decode("ascii")
        except UnicodeDecodeError:
            continue
    raise ConfigError(str(path), "", "is not text in a known encoding", "UTF-8, UTF-16 with BOM, GBK, or .xlsx")


def _from_workbook(path: Path, mapped: Mapping[str, Column], sheet_name: str) -> Sheet:
    """The sheet of that name, or the one with the best headings."""
    sheets = dict(_workbook_rows(path))
    if sheet_name and sheet_name not in sheets:
        raise ConfigError(str(path), "--sheet", f'there is no sheet "{sheet_name}"', ", ".join(sheets))
    best = sheet_name or max(sheets, key=lambda name: _heading_row(sheets[name], mapped)[1])
    others = [name for name, rows in sheets.items() if name != best and any(map(any, rows))]
    notes = (f"read sheet {best}; not read: {', '.join(others)} (--sheet chooses)",) if others else ()
    return _sheet(str(path), sheets[best], mapped, notes)


def _workbook_rows(path: Path) -> Iterator[tuple[str, Rows]]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of decorations that openpyxl does not keep
            workbook = openpyxl.load_workbook(path, data_only=True)
    except OSError as error:
        raise ConfigError(str(path), "", f"cannot be read: {error.strerror or error}") from error
    except (InvalidFileException, BadZipFile, KeyError, ValueError) as error:
        raise ConfigError(str(path), "", "is no workbook that can be read", "save it as .xlsx or as CSV") from error
    for worksheet in workbook.worksheets:
        yield worksheet.title, [[_text(cell) for cell in row] for row in worksheet.iter_rows(values_only=True)]


def _text(cell: object) -> str:
    """A cell as a person reads it: 40001 and not 40001.0."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:.15g}"
    return str(cell)


def _sheet(file: str, rows: Sequence[Sequence[str]], mapped: Mapping[str, Column], notes: tuple[str, ...]) -> Sheet:
    at, known = _heading_row(rows, mapped)
    headings = tuple(cell.strip() for cell in rows[at]) if rows else ()
    columns = find_columns(headings, mapped)
    has_name = {Column.NAME, Column.NAME_ZH, Column.NAME_EN, Column.COMMENT} & set(columns)
    if known < 2 or Column.ADDRESS not in columns or not has_name:
        found = ", ".join(heading for heading in headings if heading) or "nothing"
        problem = f"no row of headings with a name and an address in the first {HEADING_ROWS} rows; best: {found}"
        raise ConfigError(
            file, "", problem, "headings such as 名称 and 地址, or --map heading=name --map heading=address"
        )
    _check_mapped(file, headings, mapped)
    filled = [Row(number, tuple(cell.strip() for cell in row)) for number, row in enumerate(rows, 1) if number > at + 1]
    return Sheet(file, headings, columns, tuple(row for row in filled if any(row.cells)), notes)


def _check_mapped(file: str, headings: Sequence[str], mapped: Mapping[str, Column]) -> None:
    """A heading that the list does not have is a slip of the pen. Raises ConfigError."""
    known = {squeezed(heading) for heading in headings}
    for heading in mapped:
        if heading not in known:
            allowed = ", ".join(heading for heading in headings if heading)
            raise ConfigError(file, "--map", f'there is no column "{heading}"', allowed)


def _heading_row(rows: Sequence[Sequence[str]], mapped: Mapping[str, Column]) -> tuple[int, int]:
    """The position of the row with the most known headings, the first of equals, and how many those are."""
    counts = [len(find_columns(row, mapped)) for row in rows[:HEADING_ROWS]]
    most = max(counts, default=0)
    return (counts.index(most), most) if counts else (0, 0)
