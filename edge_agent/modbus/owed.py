"""Answers that a line of RTU frames still owes, and how to tell them from the next one (pure).

An RTU answer says unit, function and length, but not which request it belongs to. Units answer in the order of asking
or not at all. So once a question whose answer has another shape is answered with data, nothing asked before can come.
"""

from collections.abc import Iterator

import msgspec

from edge_agent.modbus.blocks import Block

Shape = tuple[int, int]


class _Unit(msgspec.Struct):
    """One unit: the shapes that it owes, when it was last asked in vain, and a read of each shape that it answered."""

    shapes: set[Shape] = msgspec.field(default_factory=set)
    asked_s: float = 0.0
    answered: dict[Shape, Block] = msgspec.field(default_factory=dict)


class Owed:
    """Keeps the account of one line. Times are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._units: dict[int, _Unit] = {}

    def note_silence(self, unit_id: int, block: Block, asked_s: float) -> None:
        """No answer came in time: it may come yet."""
        unit = self._unit(unit_id)
        unit.shapes.add(_shape(block))
        unit.asked_s = asked_s

    def note_refusal(self, unit_id: int, block: Block, asked_s: float) -> None:
        """An exception came: where something is owed, it may be an earlier question's, and this answer yet to come."""
        if self.is_owing(unit_id):
            self.note_silence(unit_id, block, asked_s)

    def note_answer(self, unit_id: int, block: Block) -> None:
        """Data came that no earlier question asked for: nothing is owed any more."""
        unit = self._unit(unit_id)
        unit.shapes.clear()
        unit.answered[_shape(block)] = block

    def forget(self, unit_id: int) -> None:
        """What was owed is given up."""
        self._unit(unit_id).shapes.clear()

    def is_owing(self, unit_id: int) -> bool:
        """True while an answer of that unit may still come."""
        return bool(self._unit(unit_id).shapes)

    def could_be_mistaken(self, unit_id: int, block: Block) -> bool:
        """True when what is owed could be taken for the answer to this read."""
        return _shape(block) in self._unit(unit_id).shapes

    def owed_for_s(self, unit_id: int, now_s: float) -> float:
        """How long ago the last question was asked whose answer is owed."""
        return now_s - self._unit(unit_id).asked_s

    def telling_block(self, unit_id: int, block: Block) -> Block | None:
        """A read that the unit answered before, or a part of `block`; its answer looks like none that may come."""
        unit = self._unit(unit_id)
        for candidate in (*unit.answered.values(), *_parts(block)):
            if _shape(candidate) not in unit.shapes | {_shape(block)}:
                return candidate
        return None

    def _unit(self, unit_id: int) -> _Unit:
        return self._units.setdefault(unit_id, _Unit())


def _shape(block: Block) -> Shape:
    return block.table.function_code, block.size


def _parts(block: Block) -> Iterator[Block]:
    """The block cut short, the longest part first."""
    return (Block(block.table, block.first, count, ()) for count in range(block.count - 1, 0, -1))
