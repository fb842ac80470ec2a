"""What a line leads to, asked of an independent server with holes in another process, and of devices by script."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import pytest

from edge_agent.errors import DeviceError
from edge_agent.modbus.client import Line
from edge_agent.modbus.connection import Connection, Transport
from edge_agent.modbus.guess import Piece
from edge_agent.modbus.search import Scope, Span
from edge_agent.modbus.survey import Presence, TableSurvey, find_units, survey_table
from edge_agent.modbus.value import Table
from tests.edge_agent.modbus import holes
from tests.edge_agent.modbus.script import Request, Script, ScriptedDevice, refusal, registers, scripted
from tests.support.broker import free_port
from tests.support.pace import in_pace

T = TypeVar("T")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with holes.server_with_holes() as found:
        yield found


def connection(port: int, timeout_s: float = 30.0) -> Connection:
    return Connection(name="probe", transport=Transport.TCP, host="127.0.0.1", port=port, timeout_s=timeout_s)


async def surveyed(port: int, table: Table, scope: Scope, timeout_s: float = 30.0) -> TableSurvey:
    line = Line(connection(port, timeout_s))
    try:
        return await survey_table(line, 1, table, scope)
    finally:
        line.close()


def with_device(script: Script, use: Callable[[ScriptedDevice], Awaitable[T]]) -> tuple[T, list[Request]]:
    """What came of using a scripted device, and all that it was asked."""

    async def run() -> tuple[T, list[Request]]:
        async with scripted(script) as device:
            return await use(device), device.requests

    return asyncio.run(run())


def whole(first: int = 0, count: int = 256, **limits: int) -> Scope:
    return Scope(span=Span(first, count), **limits)


def test_every_island_is_found_with_both_its_ends(port: int) -> None:
    survey = asyncio.run(surveyed(port, Table.HOLDING, whole()))
    assert survey.pieces == (
        Piece(100, tuple(holes.floats(holes.SWAPPED, "CDAB"))),
        Piece(217, tuple(holes.INTEGERS)),
    )
    assert survey.unread == ()


def test_a_lone_register_is_found(port: int) -> None:
    assert asyncio.run(surveyed(port, Table.INPUT, whole())).pieces == (Piece(3, (7,)),)


def test_bits_are_read_as_bits(port: int) -> None:
    assert asyncio.run(surveyed(port, Table.COIL, whole(count=4))).pieces == (Piece(0, (1, 0, 1, 1)),)


def test_reads_are_as_long_as_allowed_and_nothing_else_is_sent() -> None:
    survey, requests = with_device(
        lambda request: [registers(request, list(range(request.count)))],
        lambda device: surveyed(device.port, Table.HOLDING, whole(10, 120, max_registers=50)),
    )
    assert [(request.function, request.first, request.count) for request in requests] == [
        (3, 10, 50),
        (3, 60, 50),
        (3, 110, 20),
    ]
    assert len(survey.pieces[0].words) == 120


def test_a_table_is_given_up_after_so_many_refusals_and_says_what_was_not_seen() -> None:
    survey, requests = with_device(
        lambda request: [refusal(request, 2)],
        lambda device: surveyed(device.port, Table.HOLDING, whole(max_refusals=40)),
    )
    assert len(requests) == 40
    assert survey.pieces == ()
    assert sum(span.count for span in survey.unread) > 200


def test_a_unit_that_falls_silent_is_left_alone() -> None:
    survey, requests = with_device(
        lambda request: [], lambda device: surveyed(device.port, Table.HOLDING, whole(), timeout_s=0.05)
    )
    assert survey.is_silent
    assert len(requests) == 3


def test_a_unit_that_is_silent_only_about_its_end_is_read_all_the_same() -> None:
    def answer(request: Request) -> list[bytes]:
        return [registers(request, [1] * request.count)] if request.first + request.count <= 40 else []

    async def scene() -> None:
        async with scripted(answer) as device:
            survey = await surveyed(device.port, Table.HOLDING, whole(0, 64, max_registers=32), timeout_s=0.05)
        assert survey.pieces == (Piece(0, (1,) * 40),)

    in_pace(scene)


def only_two_answer(request: Request) -> list[bytes]:
    if request.unit == 3:
        return [registers(request, [5])] if request.function == 4 else [refusal(request, 2)]
    return [refusal(request, 1)] if request.unit == 5 else []


@pytest.mark.parametrize("parallel", [1, 4])
def test_units_are_told_apart_by_what_they_answer(parallel: int) -> None:
    async def scene() -> None:
        steps: list[None] = []
        async with scripted(only_two_answer) as device:
            line = connection(device.port, 0.1)
            found = await find_units(line, range(1, 7), parallel, lambda: steps.append(None))
        assert [found[unit_id] for unit_id in (3, 5)] == [Presence.READABLE, Presence.REFUSING]
        assert all(found[unit_id] is Presence.ABSENT for unit_id in (1, 2, 4, 6))
        assert len(steps) == 6

    in_pace(scene)


def test_where_nothing_listens_is_one_error() -> None:
    with pytest.raises(DeviceError, match="cannot connect"):
        asyncio.run(find_units(connection(free_port()), range(1, 248), 4, lambda: None))
