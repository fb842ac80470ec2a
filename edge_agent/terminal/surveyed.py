"""What was found behind a unit id, as tables for people and as a register list that `edge-agent import` reads."""

import csv
import io
from collections.abc import Iterable, Iterator

import msgspec
from rich import box
from rich.table import Table as RichTable

from edge_agent.modbus.guess import ORDERS, Certainty, Field, OrderGuess, divide, float_of, guess_order
from edge_agent.modbus.search import Span
from edge_agent.modbus.survey import TableSurvey
from edge_agent.modbus.value import Order, Table

BITS_A_LINE = 16
LIST_HEADINGS = ("name", "address", "type", "order", "comment")
_PREFIXES = {Table.HOLDING: "HR", Table.INPUT: "IR", Table.COIL: "CO", Table.DISCRETE: "DI"}
_FIRST_MODICON = {Table.HOLDING: 400_001, Table.INPUT: 300_001}
_CHOSEN, _OTHER = "bold green", "dim"


class GuessedTable(msgspec.Struct, frozen=True):
    """What was read of a table, and its byte order: devices and gateways may keep one for each table."""

    survey: TableSurvey
    guess: OrderGuess

    @property
    def table(self) -> Table:
        """Which table it is."""
        return self.survey.table


class UnitSurvey(msgspec.Struct, frozen=True):
    """All tables of one unit."""

    unit_id: int
    tables: tuple[GuessedTable, ...]

    @property
    def is_readable(self) -> bool:
        """True when anything could be read."""
        return any(one.survey.pieces for one in self.tables)


def unit_survey(unit_id: int, surveys: Iterable[TableSurvey]) -> UnitSurvey:
    """The survey of a unit, with the byte order guessed from the registers of each table."""
    return UnitSurvey(unit_id, tuple(GuessedTable(survey, _guessed(survey)) for survey in surveys))


def _guessed(survey: TableSurvey) -> OrderGuess:
    return guess_order(() if survey.table.holds_bits else survey.pieces)


def verdict(guess: OrderGuess) -> str:
    """The guess in a sentence."""
    scores = ", ".join(f"{order} {guess.scores[order]:.1f}" for order in ORDERS)
    if guess.order is not None:
        advice = "" if guess.certainty is Certainty.SURE else "; compare one value with the device's display"
        return f"byte order {guess.order} is {guess.certainty.value} (plausibility {scores}){advice}"
    if rivals := guess.rivals():
        return f"byte order {' or '.join(rivals)} (plausibility {scores}); compare one value with the device's display"
    return "no 32-bit floats stand out; pairs are shown in all four orders"


def survey_lines(survey: UnitSurvey) -> Iterator[str]:
    """What could be read and what could not, a line for each table."""
    for one in survey.tables:
        spans = [Span(piece.first, len(piece.words)) for piece in one.survey.pieces]
        line = f"{one.table.value:8} " + (_listed(spans) if spans else "nothing can be read")
        if one.survey.is_silent:
            line += "; the unit fell silent"
        if one.survey.unread:
            line += f"; given up: {_listed(one.survey.unread)}"
        yield line


def heading(one: GuessedTable) -> str:
    """What is said above the values of a table."""
    return f"{one.table} bits" if one.table.holds_bits else f"{one.table} registers: {verdict(one.guess)}"


def value_table(one: GuessedTable) -> RichTable:
    """All that was read of a table."""
    return _bit_table(one) if one.table.holds_bits else _register_table(one)


def _register_table(one: GuessedTable) -> RichTable:
    """Registers in hexadecimal and as integers; pairs in all four orders, the plausible one marked with *."""
    shown = RichTable(box=box.SIMPLE_HEAD)
    for heading in ("address", str(_FIRST_MODICON[one.table]), "words", "integer", *ORDERS):
        shown.add_column(heading, justify="right", no_wrap=True)
    for field in _fields(one):
        shown.add_row(*_register_row(field, one.table, one.guess.order))
    return shown


def _bit_table(one: GuessedTable) -> RichTable:
    """Bits, sixteen a line from the address that begins it."""
    shown = RichTable(box=box.SIMPLE_HEAD)
    shown.add_column("address", justify="right")
    shown.add_column("bits", no_wrap=True)
    for piece in one.survey.pieces:
        for at in range(0, len(piece.words), BITS_A_LINE):
            shown.add_row(str(piece.first + at), " ".join(str(bit) for bit in piece.words[at : at + BITS_A_LINE]))
    return shown


def register_list(survey: UnitSurvey) -> str:
    """All that was read as a CSV register list: floats in the guessed order, else one row a register or bit."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(LIST_HEADINGS)
    for one in survey.tables:
        writer.writerows(_list_rows(one))
    return text.getvalue()


def _fields(one: GuessedTable) -> Iterator[Field]:
    for piece in one.survey.pieces:
        yield from divide(piece, one.guess.order)


def _register_row(field: Field, table: Table, order: Order | None) -> Iterator[str]:
    yield str(field.address)
    yield str(_FIRST_MODICON[table] + field.address)
    yield " ".join(f"{word:04X}" for word in field.words)
    yield " ".join(str(word) for word in field.words)
    for one in ORDERS:
        if not field.is_float:
            yield ""
        elif order is None:
            yield _number(float_of(field.words, one))
        elif one is order:
            yield f"[{_CHOSEN}]*{_number(float_of(field.words, one))}[/]"
        else:
            yield f"[{_OTHER}]{_number(float_of(field.words, one))}[/]"


def _list_rows(one: GuessedTable) -> Iterator[tuple[str, ...]]:
    prefix = _PREFIXES[one.table]
    if one.table.holds_bits:
        for piece in one.survey.pieces:
            for at, bit in enumerate(piece.words, piece.first):
                yield f"{prefix.lower()}{at}", f"{prefix}{at}", "BOOL", "", f"{bit} when probed"
        return
    order = one.guess.order
    for field in _fields(one):
        if field.is_float and order is not None:
            shown = f"{_number(float_of(field.words, order))} when probed"
            yield f"{prefix.lower()}{field.address}", f"{prefix}{field.address}", "REAL", order, shown
            continue
        for at, word in enumerate(field.words, field.address):
            yield f"{prefix.lower()}{at}", f"{prefix}{at}", "WORD", "", f"{word} when probed"


def _listed(spans: Iterable[Span]) -> str:
    return ", ".join(f"{span.first} to {span.last}" if span.count > 1 else str(span.first) for span in spans)


def _number(value: float) -> str:
    return f"{value:.7g}"
