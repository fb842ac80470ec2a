"""What a line leads to: which units answer, and which addresses of their tables can be read. Only reads are sent."""

import asyncio
from collections.abc import Callable, Sequence
from enum import Enum

import msgspec

from edge_agent.errors import DeviceError
from edge_agent.modbus.blocks import Block
from edge_agent.modbus.client import Line
from edge_agent.modbus.connection import Connection
from edge_agent.modbus.guess import Piece
from edge_agent.modbus.search import Scope, Search, Span
from edge_agent.modbus.value import Table
from edge_agent.wire.sample import Reason

SILENCES_UNTIL_LEFT = 3  # a unit that says nothing so often in a row is left alone
_REFUSALS = (Reason.DEVICE_EXCEPTION, Reason.BAD_RESPONSE)


class Presence(Enum):
    """What a unit id was found to be: it gives data, it only refuses, or nobody answers."""

    READABLE = "readable"
    REFUSING = "refusing"
    ABSENT = "absent"


class TableSurvey(msgspec.Struct, frozen=True):
    """What could be read of a table, the spans that were given up unread, and whether the unit fell silent."""

    table: Table
    pieces: tuple[Piece, ...]
    unread: tuple[Span, ...] = ()
    is_silent: bool = False


async def find_units(
    connection: Connection, unit_ids: Sequence[int], parallel: int, step: Callable[[], None]
) -> dict[int, Presence]:
    """Who answers, asked over `parallel` connections at once; `step` is called after each. Raises DeviceError."""
    first = Line(connection)
    await first.open()  # where nothing listens, that is one error and not one for each unit
    left = iter(unit_ids)
    found: dict[int, Presence] = {}

    async def work(line: Line) -> None:
        try:
            for unit_id in left:
                found[unit_id] = await presence_of(line, unit_id)
                step()
        finally:
            line.close()

    async with asyncio.TaskGroup() as group:
        for number in range(parallel):
            group.create_task(work(Line(connection) if number else first), name=f"finder {number}")
    return {unit_id: found[unit_id] for unit_id in unit_ids}


async def presence_of(line: Line, unit_id: int) -> Presence:
    """Whether a unit answers when asked for the first address of each table; one that is silent is asked once."""
    presence = Presence.ABSENT
    for table in Table:
        try:
            await _read(line, unit_id, Block(table, 0, 1, ()))
        except DeviceError as error:
            if error.reason not in _REFUSALS:
                return presence
            presence = Presence.REFUSING
        else:
            return Presence.READABLE
    return presence


async def survey_table(line: Line, unit_id: int, table: Table, scope: Scope) -> TableSurvey:
    """All that can be read of a table within the scope. Raises DeviceError where the line is lost."""
    search = Search(scope, table)
    silences = 0
    while silences < SILENCES_UNTIL_LEFT and (span := search.next_span()) is not None:
        try:
            words = await _read(line, unit_id, Block(table, span.first, span.count, ()))
        except DeviceError as error:
            if error.reason is Reason.NOT_CONNECTED:
                raise
            silences = 0 if error.reason in _REFUSALS else silences + 1
            search.note_refusal(span)
        else:
            silences = 0
            search.note_words(span, [int(word) for word in words[: span.count]])
    return TableSurvey(table, search.pieces, search.unread, silences >= SILENCES_UNTIL_LEFT)


async def _read(line: Line, unit_id: int, block: Block) -> Sequence[int]:
    if not line.is_open:
        await line.open()
    return await line.read(f"unit {unit_id}", unit_id, block)
