"""Which addresses of a table can be read, found with reads of any span alone: a refused span is halved (pure)."""

from collections.abc import Iterable, Sequence

import msgspec

from edge_agent.modbus.guess import Piece
from edge_agent.modbus.value import Table


class Span(msgspec.Struct, frozen=True):
    """Addresses of a table: `count` from `first` on."""

    first: int
    count: int

    @property
    def last(self) -> int:
        """The last address."""
        return self.first + self.count - 1

    def halves(self) -> tuple["Span", "Span"]:
        """The span in two."""
        half = self.count // 2
        return Span(self.first, half), Span(self.first + half, self.count - half)


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What to look at, the most addresses a read asks for, and how many refused reads a table is worth."""

    span: Span
    max_registers: int = 125
    max_bits: int = 2000
    max_refusals: int = 520

    def reads(self, table: Table) -> Iterable[Span]:
        """The span in reads of full length."""
        most = self.max_bits if table.holds_bits else self.max_registers
        for first in range(self.span.first, self.span.last + 1, most):
            yield Span(first, min(most, self.span.last + 1 - first))


class Search:
    """The search through one table: ask for `next_span`, then say what came of it."""

    def __init__(self, scope: Scope, table: Table) -> None:
        self._start, self._refusals_left = scope.span.first, scope.max_refusals
        self._left = list(scope.reads(table))
        self._pieces: list[Piece] = []

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """What was read so far, in order of address, those that touch made one."""
        joined: list[Piece] = []
        for piece in sorted(self._pieces, key=lambda piece: piece.first):
            if joined and joined[-1].first + len(joined[-1].words) == piece.first:
                piece = Piece(joined[-1].first, joined.pop().words + piece.words)
            joined.append(piece)
        return tuple(joined)

    @property
    def unread(self) -> tuple[Span, ...]:
        """What was not asked for one by one, in order of address, those that touch made one."""
        merged: list[Span] = []
        for span in sorted(self._left, key=lambda span: span.first):
            if merged and merged[-1].last + 1 == span.first:
                span = Span(merged[-1].first, merged.pop().count + span.count)
            merged.append(span)
        return tuple(merged)

    def next_span(self) -> Span | None:
        """What to read next, or None at the end.

        The start and what touches readable addresses come first, so that their ends are found; then the largest.
        """
        if not self._left or not self._refusals_left:
            return None
        beside = {self._start}
        beside |= {piece.first - 1 for piece in self._pieces}
        beside |= {piece.first + len(piece.words) for piece in self._pieces}
        return min(
            self._left, key=lambda span: (span.first not in beside and span.last not in beside, -span.count, span.first)
        )

    def note_words(self, span: Span, words: Sequence[int]) -> None:
        """The span could be read."""
        self._left.remove(span)
        self._pieces.append(Piece(span.first, tuple(words)))

    def note_refusal(self, span: Span) -> None:
        """Some address of the span cannot be read."""
        self._left.remove(span)
        self._refusals_left -= 1
        if span.count > 1:
            self._left += span.halves()
