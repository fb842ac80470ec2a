"""Which registers hold 32-bit floats, and in which byte order: guessed from what the words would mean (pure).

Each order divides the registers into floats and lone registers so that the whole becomes as likely as it can; the order
that makes it most likely wins. Scores are natural logarithms of how many times likelier than with no float at all.

Swapped bytes are easy to see: 850.0 becomes 3.4e12. Swapped words are not: read one register later, each high word
meets the low word of the value before, which is as likely. Only zeros and what is left over at the ends tell.
"""

import math
import struct
from collections.abc import Mapping, Sequence
from enum import Enum

import msgspec

from edge_agent.modbus.value import Order

ORDERS = (Order.ABCD, Order.CDAB, Order.BADC, Order.DCBA)
CHECK_BITS = 0x42F6E979  # 123.456, which makers publish so that the order can be seen
_CHECK_GAIN = 20.0
# Measured values by size: 0.01 to 100 000 as a rule, totals a little more, little else.
_USUAL, _POSSIBLE, _USUAL_SHARE, _POSSIBLE_SHARE, _OTHER_SHARE = (1e-2, 1e5), (1e-4, 1e8), 0.9, 0.09, 1e-6
_NEGATIVE_SHARE = 0.1
_HIGH_WORDS_A_DOUBLING = 128
# Low words: zero for round numbers, a low byte of zero for nearly round ones, anything else.
_LOW_ZERO_SHARE, _LOW_ROUND_SHARE = 0.25, 0.15
# Integers: zero, or the smaller the likelier up to 32767, seldom negative, and sometimes any bits at all.
_INTEGER_ZERO_SHARE, _INTEGER_NEGATIVE_SHARE, _BITS_SHARE = 0.2, 0.1, 0.1
_FIRST_FLOAT, _NEXT_FLOAT = math.log(0.05), math.log(0.8)  # floats stand together
_ZERO_GAIN = -_NEXT_FLOAT  # two zeros behind a float may be one more or two integers
_EVEN_GAIN = 0.7  # lists mostly begin at an even address; counted once, not for each float
_CLEAR, _ENOUGH = 5.0, 2.0  # how much likelier than its rivals an order must be to be sure, and to be named


class Certainty(Enum):
    """How far a guess can be relied on."""

    SURE = "sure"
    LIKELY = "likely"
    NONE = "none"


class Piece(msgspec.Struct, frozen=True):
    """Registers, or bits, that were read: `words` from address `first` on."""

    first: int
    words: tuple[int, ...]


class Field(msgspec.Struct, frozen=True):
    """One value at an address: a float of two registers, or one register as it is."""

    address: int
    words: tuple[int, ...]

    @property
    def is_float(self) -> bool:
        """True for two registers."""
        return len(self.words) == 2

    def registers(self) -> tuple["Field", ...]:
        """Its registers one by one, the last first."""
        return tuple(Field(self.address + at, (word,)) for at, word in reversed(list(enumerate(self.words))))


class OrderGuess(msgspec.Struct, frozen=True):
    """The order (None where no registers look like floats), and the score of each."""

    order: Order | None
    certainty: Certainty
    scores: dict[Order, float]

    def rivals(self) -> tuple[Order, ...]:
        """The orders that fit best and alike, where those are few."""
        best = max(self.scores.values())
        close = tuple(order for order in ORDERS if best - self.scores[order] < _ENOUGH)
        return close if best >= _ENOUGH and 1 < len(close) < len(ORDERS) else ()


def guess_order(pieces: Sequence[Piece]) -> OrderGuess:
    """The order that makes the most sense of these registers together."""
    scores = {order: sum(_divided(piece, order)[0] for piece in pieces) for order in ORDERS}
    best = max(ORDERS, key=lambda order: scores[order])
    certainty = _certainty(best, scores)
    return OrderGuess(None if certainty is Certainty.NONE else best, certainty, scores)


def divide(piece: Piece, order: Order | None) -> tuple[Field, ...]:
    """The values of a piece as they make the most sense in that order; without one, pairs from even addresses on."""
    return tuple(_pairs(piece) if order is None else _divided(piece, order)[1])


def float_of(words: Sequence[int], order: Order) -> float:
    """Two registers as a float in that order."""
    value: float = struct.unpack(">f", _bits(words, order).to_bytes(4, "big"))[0]
    return value


def float_gain(words: Sequence[int], order: Order) -> float:
    """How many times likelier (as a logarithm) two registers are as a float in that order than as two integers."""
    bits = _bits(words, order)
    if bits in (0, CHECK_BITS):
        return _CHECK_GAIN if bits else _ZERO_GAIN
    return math.log(_share_of_float(bits)) - sum(math.log(_share_of_integer(word)) for word in words)


def _share_of_float(bits: int) -> float:
    """How often a measured float has these bits."""
    return _share_of_high_word(bits >> 16) * _share_of_low_word(bits & 0xFFFF)


def _share_of_high_word(word: int) -> float:
    size: float = struct.unpack(">f", struct.pack(">I", (word & 0x7FFF) << 16))[0]
    sign = _NEGATIVE_SHARE if word & 0x8000 else 1 - _NEGATIVE_SHARE
    for (least, most), share in ((_USUAL, _USUAL_SHARE), (_POSSIBLE, _POSSIBLE_SHARE)):
        if least <= size <= most:
            return sign * share / math.log2(most / least) / _HIGH_WORDS_A_DOUBLING
    return sign * _OTHER_SHARE / (1 << 15)


def _share_of_low_word(word: int) -> float:
    if word == 0:
        return _LOW_ZERO_SHARE
    if word & 0xFF == 0:
        return _LOW_ROUND_SHARE / 255
    return (1 - _LOW_ZERO_SHARE - _LOW_ROUND_SHARE) / (65536 - 256)


def _share_of_integer(word: int) -> float:
    """How often an integer register holds this word."""
    if word == 0:
        return _INTEGER_ZERO_SHARE
    is_negative = word >= 0x8000
    size = 0x10000 - word if is_negative else word
    share = _INTEGER_NEGATIVE_SHARE if is_negative else 1 - _INTEGER_NEGATIVE_SHARE
    rest = 1 - _INTEGER_ZERO_SHARE - _BITS_SHARE
    return rest * share / (size * math.log(0x8000)) + _BITS_SHARE / 0x10000


def _bits(words: Sequence[int], order: Order) -> int:
    high, low = words if order in (Order.ABCD, Order.BADC) else (words[1], words[0])
    if order in (Order.BADC, Order.DCBA):
        high, low = _swapped(high), _swapped(low)
    return high << 16 | low


def _swapped(word: int) -> int:
    return (word & 0xFF) << 8 | word >> 8


def _certainty(best: Order, scores: Mapping[Order, float]) -> Certainty:
    rival = max(score for order, score in scores.items() if order is not best)
    lead = scores[best] - max(rival, 0.0)
    if lead < _ENOUGH:
        return Certainty.NONE
    return Certainty.SURE if lead >= _CLEAR else Certainty.LIKELY


def _divided(piece: Piece, order: Order) -> tuple[float, list[Field]]:
    """The division into floats and lone registers with the highest score, and that score."""
    words = piece.words
    # For each length: the best score and the step that it ends with, 1 for a lone register or 2 for a float.
    best: list[tuple[float, int]] = [(0.0, 1)]
    for end in range(1, len(words) + 1):
        lone = (best[end - 1][0], 1)
        best.append(lone)
        if end >= 2:
            score, step = best[end - 2]
            gain = float_gain(words[end - 2 : end], order) + (_NEXT_FLOAT if step == 2 else _FIRST_FLOAT)
            best[end] = max(lone, (score + gain, 2))
    fields = _traced(piece, [step for _, step in best])
    return best[-1][0] + _EVEN_GAIN * _evenness(fields), fields


def _traced(piece: Piece, steps: Sequence[int]) -> list[Field]:
    """The fields of the best division, from the step that it ends with at each length."""
    fields: list[Field] = []
    end = len(piece.words)
    while end > 0:
        field = Field(piece.first + end - steps[end], piece.words[end - steps[end] : end])
        is_tail = not fields or not fields[-1].is_float  # zeros behind the last float are registers again
        fields += field.registers() if is_tail and not any(field.words) else (field,)
        end -= steps[end]
    return fields[::-1]


def _evenness(fields: Sequence[Field]) -> float:
    """From 1, where all floats lie at even addresses, to -1."""
    signs = [-1 if field.address % 2 else 1 for field in fields if field.is_float]
    return sum(signs) / len(signs) if signs else 0.0


def _pairs(piece: Piece) -> list[Field]:
    """Two registers each from even addresses on, where nothing says better."""
    fields, at = [], 0
    while at < len(piece.words):
        step = 1 if (piece.first + at) % 2 or at + 1 == len(piece.words) else 2
        fields.append(Field(piece.first + at, piece.words[at : at + step]))
        at += step
    return fields
