from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.modbus.blocks import Block
from edge_agent.modbus.owed import Owed
from edge_agent.modbus.value import Table


def holding(count: int, first: int = 0) -> Block:
    return Block(Table.HOLDING, first, count, ())


def test_an_answer_that_is_owed_could_be_mistaken_for_that_of_any_read_of_its_shape() -> None:
    owed = Owed()
    owed.note_silence(1, holding(4), 10.0)
    assert owed.could_be_mistaken(1, holding(4, first=100))
    assert not owed.could_be_mistaken(1, holding(3))
    assert not owed.could_be_mistaken(1, Block(Table.INPUT, 0, 4, ()))
    assert not owed.could_be_mistaken(2, holding(4))
    assert owed.owed_for_s(1, 12.5) == 2.5


def test_bits_look_alike_when_they_fill_as_many_bytes() -> None:
    owed = Owed()
    owed.note_silence(1, Block(Table.COIL, 0, 9, ()), 0.0)
    assert owed.could_be_mistaken(1, Block(Table.COIL, 0, 16, ()))
    assert not owed.could_be_mistaken(1, Block(Table.COIL, 0, 17, ()))
    assert owed.telling_block(1, Block(Table.COIL, 0, 16, ())) == Block(Table.COIL, 0, 8, ())


def test_the_telling_read_is_one_that_the_unit_answered_before_or_a_part_of_the_block() -> None:
    owed = Owed()
    owed.note_silence(1, holding(4), 0.0)
    assert owed.telling_block(1, holding(4, first=8)) == holding(3, first=8)
    owed.note_answer(1, holding(2, first=50))
    owed.note_silence(1, holding(4), 0.0)
    assert owed.telling_block(1, holding(4, first=8)) == holding(2, first=50)
    assert owed.telling_block(1, holding(2, first=8)) == holding(1, first=8)


def test_a_single_register_has_no_part_that_tells() -> None:
    owed = Owed()
    owed.note_silence(1, holding(1), 0.0)
    assert owed.telling_block(1, holding(1, first=7)) is None
    owed.forget(1)
    assert not owed.could_be_mistaken(1, holding(1))


def test_data_settles_everything_and_an_exception_may_be_an_earlier_question_s() -> None:
    owed = Owed()
    owed.note_refusal(1, holding(3), 0.0)
    assert not owed.is_owing(1)
    owed.note_silence(1, holding(4), 0.0)
    owed.note_refusal(1, holding(3), 0.0)
    assert owed.could_be_mistaken(1, holding(3))
    assert owed.could_be_mistaken(1, holding(4))
    owed.note_answer(1, holding(2))
    assert not owed.is_owing(1)


Step = tuple[int, str]
STEPS = st.lists(
    st.tuples(st.integers(1, 4), st.sampled_from(["answers", "refuses", "is late", "refuses late", "says nothing"])),
    max_size=40,
)


class SlowUnit:
    """Answers in the order of asking or not at all; what is on its way comes before the answer to what is asked next.

    What is on its way is the count that an answer holds (0: an exception) and the number of its question.
    """

    def __init__(self) -> None:
        self.on_its_way: deque[tuple[int, int]] = deque()
        self.number = 0

    def ask(self, owed: Owed, block: Block, mood: str) -> int | None:
        """The question whose data were taken for the answer to this block; None where none came in time."""
        self.number += 1
        late = [(0 if mood.startswith("refuses") else block.count, self.number)] if mood != "says nothing" else []
        heard_now = len(self.on_its_way) + (not mood.endswith("late")) if late else 0
        self.on_its_way.extend(late)
        for _ in range(min(heard_now, len(self.on_its_way))):
            count, number = self.on_its_way.popleft()
            if count == block.count:
                owed.note_answer(1, block)
                return number
            if count == 0:
                owed.note_refusal(1, block, 0.0)
                return None
        owed.note_silence(1, block, 0.0)
        return None


@given(STEPS)
def test_no_late_answer_is_ever_taken_for_another(steps: list[Step]) -> None:
    owed, unit = Owed(), SlowUnit()
    for count, mood in steps:
        block = holding(count)
        telling = owed.telling_block(1, block) if owed.is_owing(1) else None
        if telling is not None:
            answered = unit.ask(owed, telling, mood)
            assert answered in (None, unit.number)
        if not owed.could_be_mistaken(1, block):
            answered = unit.ask(owed, block, mood)
            assert answered in (None, unit.number)


def test_without_the_account_a_late_answer_would_be_taken() -> None:
    unit, owed = SlowUnit(), Owed()
    assert unit.ask(owed, holding(4), "is late") is None
    assert unit.ask(owed, holding(4), "answers") == 1


@pytest.mark.parametrize("count", range(2, 126))
def test_every_block_of_two_registers_or_more_can_be_told_apart(count: int) -> None:
    owed = Owed()
    owed.note_silence(1, holding(count), 0.0)
    telling = owed.telling_block(1, holding(count))
    assert telling is not None
    assert (telling.first, telling.count) == (0, count - 1)
