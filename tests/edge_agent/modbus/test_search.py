from hypothesis import given
from hypothesis import strategies as st

from edge_agent.modbus.guess import Piece
from edge_agent.modbus.search import Scope, Search, Span
from edge_agent.modbus.value import Table


def searched(readable: set[int], scope: Scope) -> tuple[Search, list[Span]]:
    """The whole search of a table whose registers hold their own address, and every span that was asked for."""
    search, asked = Search(scope, Table.HOLDING), []
    while (span := search.next_span()) is not None:
        asked.append(span)
        addresses = range(span.first, span.last + 1)
        if readable.issuperset(addresses):
            search.note_words(span, addresses)
        else:
            search.note_refusal(span)
    return search, asked


readable_sets = st.sets(st.integers(0, 63), max_size=40)


@given(readable_sets, st.integers(1, 64))
def test_with_enough_refusals_no_readable_address_is_missed(readable: set[int], most: int) -> None:
    search, asked = searched(readable, Scope(span=Span(0, 64), max_registers=most))
    assert {word for piece in search.pieces for word in piece.words} == readable
    assert all(piece.words[0] == piece.first for piece in search.pieces)
    assert search.unread == ()
    assert all(span.count <= most for span in asked)


@given(readable_sets, st.integers(1, 60))
def test_what_was_given_up_is_told(readable: set[int], refusals: int) -> None:
    search, asked = searched(readable, Scope(span=Span(0, 64), max_refusals=refusals))
    seen = {word for piece in search.pieces for word in piece.words}
    unread = {address for span in search.unread for address in range(span.first, span.last + 1)}
    refused_alone = {span.first for span in asked if span.count == 1} - seen
    assert seen | unread | refused_alone == set(range(64))
    assert len(asked) - refusals <= len(readable)


@given(st.integers(0, 63), st.integers(1, 64))
def test_both_ends_of_a_block_from_the_start_cost_few_refusals(last: int, most: int) -> None:
    search, _ = searched(set(range(last + 1)), Scope(span=Span(0, 64), max_registers=most, max_refusals=16))
    assert search.pieces == (Piece(0, tuple(range(last + 1))),)


def test_pieces_that_touch_are_one() -> None:
    search, asked = searched(set(range(10, 40)), Scope(span=Span(10, 30), max_registers=8))
    assert [(span.first, span.count) for span in asked] == [(10, 8), (18, 8), (26, 8), (34, 6)]
    assert search.pieces == (Piece(10, tuple(range(10, 40))),)


def test_bits_are_asked_for_in_longer_reads() -> None:
    assert list(Scope(span=Span(0, 3000)).reads(Table.COIL)) == [Span(0, 2000), Span(2000, 1000)]
