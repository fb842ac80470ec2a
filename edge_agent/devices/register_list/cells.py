"""What the readers of cells share: the plain form of a text, and what is wrong with a cell."""

import re
import unicodedata

import msgspec

_BRACKETED = re.compile(r"[(\[{（【].*?[)\]}）】]")
_FILLERS = re.compile(r"[\s_\-.:/\\#*]+")


class CellError(ValueError):
    """A cell that cannot be used: what is wrong with it, and what is allowed."""

    def __init__(self, problem: str, allowed: str = "") -> None:
        self.problem, self.allowed = problem, allowed
        super().__init__(problem)


class RowProblem(msgspec.Struct, frozen=True):
    """A row that cannot be used; `row` counts from 1 as a spreadsheet does, `column` is its heading."""

    row: int
    column: str
    problem: str
    allowed: str = ""

    def line(self, file: str) -> str:
        """One line for a person."""
        where = f"{file}: row {self.row}: " + (f"{self.column}: " if self.column else "")
        return where + self.problem + (f" (allowed: {self.allowed})" if self.allowed else "")


def unified(text: str) -> str:
    """Full-width letters, superscripts and ℃ as their plain forms, in lower case, without outer spaces."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def squeezed(text: str) -> str:
    """The plain form without spaces, separators and brackets with what they hold."""
    return _FILLERS.sub("", _BRACKETED.sub("", unified(text)))


def printable(text: str) -> str:
    """The text with a space in the place of whatever does not show, without outer spaces."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()
