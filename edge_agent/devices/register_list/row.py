"""The cells of one row by what they hold, and the doubts that reading them raises."""

import re
from collections.abc import Callable
from typing import TypeVar

from edge_agent.devices.register_list.cells import CellError, printable
from edge_agent.devices.register_list.columns import Column
from edge_agent.devices.register_list.numbers import parse_number
from edge_agent.devices.register_list.sheet import Row

T = TypeVar("T")
_NOTHING = ("", "-", "--", "—", "/", "\\", "无", "n/a")
CJK = re.compile(r"[\u4e00-\u9fff]")


class WrongCell(ValueError):
    """The cell of a row that cannot be used."""

    def __init__(self, column: Column, problem: str, allowed: str = "") -> None:
        self.column, self.problem, self.allowed = column, problem, allowed
        super().__init__(problem)


class RowCells:
    """Reads cells; `doubts` is what a person should look at."""

    def __init__(self, row: Row, columns: dict[Column, int]) -> None:
        self._cells, self._columns = row.cells, columns
        self.number = row.number
        self.doubts: list[str] = []

    def text(self, column: Column) -> str:
        """What is written there; "" where there is no such column, or a dash."""
        position = self._columns.get(column)
        text = printable(self._cells[position]) if position is not None and position < len(self._cells) else ""
        return "" if text.casefold() in _NOTHING else text

    def read(self, column: Column, reader: Callable[[str], T]) -> T:
        """The cell through a reader. Raises WrongCell."""
        try:
            return reader(self.text(column))
        except CellError as error:
            raise WrongCell(column, error.problem, error.allowed) from error

    def read_optional(self, column: Column, reader: Callable[[str], T]) -> T | None:
        """The same, None for an empty cell."""
        return self.read(column, reader) if self.text(column) else None

    def doubt(self, text: str) -> None:
        """Remember what a person should look at."""
        self.doubts.append(text)

    def written(self) -> str:
        """The row in short, as it was written."""
        shown = (Column.NAME, Column.NAME_ZH, Column.NAME_EN, Column.ADDRESS, Column.TYPE, Column.UNIT, Column.COMMENT)
        return ", ".join(" ".join(text.split()) for column in shown if (text := self.text(column)))


def whole_number(text: str) -> int:
    """A count or position. Raises CellError."""
    number = parse_number(text)
    if number != int(number) or number < 0:
        raise CellError(f'"{text}" is no whole number', "0, 1, 2, ...")
    return int(number)
