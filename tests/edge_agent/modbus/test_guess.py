import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.modbus.encode import encode
from edge_agent.modbus.guess import ORDERS, Certainty, Field, Piece, divide, float_gain, float_of, guess_order
from edge_agent.modbus.value import Encoding, Order, ValueType


def words_of(order: Order, *values: float) -> tuple[int, ...]:
    encoding = Encoding(type=ValueType.FLOAT32, order=order)
    return tuple(word for value in values for word in encode(encoding, value))


@pytest.mark.parametrize(
    ("words", "order"),
    [
        ((0x42F6, 0xE979), Order.ABCD),
        ((0xE979, 0x42F6), Order.CDAB),
        ((0xF642, 0x79E9), Order.BADC),
        ((0x79E9, 0xF642), Order.DCBA),
    ],
)
def test_the_known_constant_decides_alone(words: tuple[int, int], order: Order) -> None:
    assert float_of(words, order) == pytest.approx(123.456)
    guess = guess_order([Piece(10, words)])
    assert (guess.order, guess.certainty) == (order, Certainty.SURE)
    assert divide(Piece(10, words), order) == (Field(10, words),)


@pytest.mark.parametrize("order", ORDERS)
def test_the_values_of_a_furnace_say_their_order(order: Order) -> None:
    words = words_of(order, 850.0, 912.5, -25.3, 11.02, 43.7, 0.0, 145.5)
    guess = guess_order([Piece(0, words)])
    assert (guess.order, guess.certainty) == (order, Certainty.SURE)
    assert [field.address for field in divide(Piece(0, words), order)] == [0, 2, 4, 6, 8, 10, 12]


@pytest.mark.parametrize("order", ORDERS)
def test_floats_between_integers_are_found_where_they_lie(order: Order) -> None:
    words = (3, 1200, *words_of(order, 850.0, 0.0, 11.02), 5, 0, *words_of(order, 43.7, 145.5), 0, 0)
    piece = Piece(100, words)
    guess = guess_order([piece])
    assert guess.order is order
    assert [field.address for field in divide(piece, order) if field.is_float] == [102, 104, 106, 110, 112]


@pytest.mark.parametrize("order", ORDERS)
def test_floats_among_zeros_are_found_at_odd_addresses_too(order: Order) -> None:
    piece = Piece(0, (0, 0, 0, *words_of(order, 850.25, 0.0, 912.37, 11.02, 7.77), 0, 0, 0))
    assert guess_order([piece]).order is order
    assert [field.address for field in divide(piece, order) if field.is_float] == [3, 5, 7, 9, 11]


def test_round_numbers_among_zeros_fit_two_word_orders() -> None:
    guess = guess_order([Piece(0, (0, *words_of(Order.ABCD, 850.0, 900.0, 12.5, 40.0), 0))])
    assert guess.order is None
    assert guess.rivals() == (Order.ABCD, Order.CDAB)


def test_integers_are_no_floats() -> None:
    piece = Piece(0, (8500, 9125, 4200, 2640, 1500, 4200, 1, 0, 27648, 13824))
    guess = guess_order([piece])
    assert (guess.order, guess.certainty) == (None, Certainty.NONE)
    assert [field.address for field in divide(piece, None)] == [0, 2, 4, 6, 8]


def test_zeros_say_nothing() -> None:
    piece = Piece(1, (0,) * 7)
    assert guess_order([piece]).order is None
    assert [(field.address, len(field.words)) for field in divide(piece, None)] == [(1, 1), (2, 2), (4, 2), (6, 2)]


def test_nothing_read_is_nothing_guessed() -> None:
    assert guess_order([]).certainty is Certainty.NONE


@pytest.mark.parametrize("value", [850.0, 850.123, -25.3, 0.0123, 99_000.0])
def test_a_measured_value_is_likelier_a_float_than_two_integers(value: float) -> None:
    assert float_gain(words_of(Order.ABCD, value), Order.ABCD) > 2


@pytest.mark.parametrize("words", [(3, 1200), (0, 5), (27648, 13824), (0xFFC3, 0xFFFF), (0x7F80, 0), (100, 0)])
def test_integers_are_likelier_integers(words: tuple[int, int]) -> None:
    assert float_gain(words, Order.ABCD) < 1


words = st.lists(st.integers(0, 0xFFFF), max_size=60).map(tuple)


@given(words, st.sampled_from([None, *ORDERS]))
def test_every_register_has_its_place_exactly_once(found: tuple[int, ...], order: Order | None) -> None:
    fields = divide(Piece(7, found), order)
    assert [word for field in fields for word in field.words] == list(found)
    addresses = [field.address + at for field in fields for at in range(len(field.words))]
    assert addresses == list(range(7, 7 + len(found)))


def random_registers(draw: random.Random, order: Order, floats: int, integers: int) -> tuple[int, ...]:
    """Values as a controller holds them: floats in one block with integers before and behind."""
    values = [round(10 ** draw.uniform(-1, 3.2), draw.choice((0, 1, 2, 6))) for _ in range(floats)]
    others = [0 if draw.random() < 0.15 else int(10 ** draw.uniform(0, 4.45)) for _ in range(integers)]
    return (*others[: integers // 2], *words_of(order, *values), *others[integers // 2 :])


def test_the_wrong_order_is_seldom_named_and_never_as_sure() -> None:
    draw = random.Random(7)
    wrong = 0
    for floats, integers in [(0, 40), (2, 0), (4, 4), (4, 20), (10, 20), (20, 60)] * 50:
        order = draw.choice(ORDERS)
        guess = guess_order([Piece(0, random_registers(draw, order, floats, integers))])
        is_right = guess.order is None or (guess.order is order and floats > 0)
        wrong += not is_right
        assert is_right or guess.certainty is not Certainty.SURE
    assert wrong <= 6  # of 300


def test_the_right_order_is_mostly_named_where_there_are_ten_floats() -> None:
    draw = random.Random(7)
    named = 0
    for _ in range(100):
        order = draw.choice(ORDERS)
        named += guess_order([Piece(0, random_registers(draw, order, 10, 20))]).order is order
    assert named >= 75


@given(words.filter(lambda found: len(found) == 2))
def test_an_order_is_only_a_rearrangement_of_bytes(pair: tuple[int, int]) -> None:
    data = struct.pack(">HH", *pair)
    swapped = bytes((data[2], data[3], data[0], data[1]))
    assert struct.pack(">f", float_of(pair, Order.ABCD)) == struct.pack(">f", struct.unpack(">f", data)[0])
    assert struct.pack(">f", float_of(pair, Order.CDAB)) == struct.pack(">f", struct.unpack(">f", swapped)[0])
