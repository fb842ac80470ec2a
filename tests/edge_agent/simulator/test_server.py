"""The Modbus server before a client of another make, on real sockets."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from pymodbus.client import AsyncModbusTcpClient

from edge_agent.devices.files import load_profile
from edge_agent.modbus.value import Table
from edge_agent.simulator.faults import Fault, FaultKind, FaultyFurnace
from edge_agent.simulator.furnace import FurnaceModel
from edge_agent.simulator.server import modbus_server
from edge_agent.simulator.unit import SimulatedUnit, Unit

PROFILE = load_profile("simulator", Path())
NOW_MS = 1_795_500_000_000
REQUEST = bytes.fromhex("0300000001")


def _unit(kind: FaultKind | None = None, amount: float = 0.0) -> SimulatedUnit:
    faults = () if kind is None else (Fault(furnace=1, kind=kind, from_ms=0, to_ms=1 << 62, amount=amount),)
    return SimulatedUnit(FaultyFurnace(FurnaceModel(7, 1), faults), PROFILE)


def _now_ms() -> int:
    return NOW_MS


def _run(test: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60.0):
            await test

    asyncio.run(bounded())


def _frame(transaction: int, unit_id: int, pdu: bytes = REQUEST) -> bytes:
    return transaction.to_bytes(2, "big") + bytes((0, 0, 0, len(pdu) + 1, unit_id)) + pdu


async def _answered_transactions(units: dict[int, Unit], sent: bytes, count: int) -> list[int]:
    """The transactions of the first `count` answers to these bytes, in the order in which they come."""
    async with modbus_server(units, "127.0.0.1", 0, _now_ms) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        found = []
        for _ in range(count):
            header = await reader.readexactly(6)
            await reader.readexactly(int.from_bytes(header[4:], "big"))
            found.append(int.from_bytes(header[:2], "big"))
        writer.close()
        return found


def test_every_table_is_read_by_a_client_of_another_make() -> None:
    async def test() -> None:
        unit = _unit()
        async with modbus_server({1: unit}, "127.0.0.1", 0, _now_ms) as port:
            client = AsyncModbusTcpClient("127.0.0.1", port=port, retries=0)
            assert await client.connect()
            assert (await client.read_holding_registers(0, count=20, device_id=1)).registers == unit.read(
                Table.HOLDING, 0, 20, NOW_MS
            )
            assert (await client.read_input_registers(2, count=4, device_id=1)).registers == unit.read(
                Table.INPUT, 2, 4, NOW_MS
            )
            coils = (await client.read_coils(0, count=2, device_id=1)).bits[:2]
            assert [int(bit) for bit in coils] == unit.read(Table.COIL, 0, 2, NOW_MS)
            bits = (await client.read_discrete_inputs(0, count=3, device_id=1)).bits[:3]
            assert [int(bit) for bit in bits] == unit.read(Table.DISCRETE, 0, 3, NOW_MS)
            client.close()

    _run(test())


def test_unknown_addresses_units_and_writes_are_refused_with_their_codes() -> None:
    async def test() -> None:
        async with modbus_server({1: _unit()}, "127.0.0.1", 0, _now_ms) as port:
            client = AsyncModbusTcpClient("127.0.0.1", port=port, retries=0)
            assert await client.connect()
            assert (await client.read_holding_registers(60_000, count=1, device_id=1)).exception_code == 2
            assert (await client.read_holding_registers(0, count=1, device_id=9)).exception_code == 11
            assert (await client.write_register(0, 5, device_id=1)).exception_code == 1
            client.close()

    _run(test())


def test_a_slow_unit_answers_late_under_its_own_transaction_and_delays_nobody() -> None:
    async def test() -> None:
        units: dict[int, Unit] = {1: _unit(FaultKind.SLOW, 0.3), 2: _unit()}
        sent = _frame(11, 1) + _frame(12, 2) + _frame(13, 2)
        assert await _answered_transactions(units, sent, 3) == [12, 13, 11]

    _run(test())


def test_a_silent_unit_does_not_answer_and_the_next_one_does() -> None:
    async def test() -> None:
        units: dict[int, Unit] = {1: _unit(FaultKind.SILENT), 2: _unit()}
        assert await _answered_transactions(units, _frame(11, 1) + _frame(12, 2), 1) == [12]

    _run(test())


def test_several_clients_are_served_at_once() -> None:
    async def test() -> None:
        async with modbus_server({1: _unit()}, "127.0.0.1", 0, _now_ms) as port:
            clients = [AsyncModbusTcpClient("127.0.0.1", port=port, retries=0) for _ in range(5)]
            assert all([await client.connect() for client in clients])
            reads = await asyncio.gather(
                *(client.read_holding_registers(0, count=2, device_id=1) for client in clients)
            )
            assert len({tuple(read.registers) for read in reads}) == 1
            for client in clients:
                client.close()

    _run(test())


@pytest.mark.parametrize("garbage", [b"GET / HTTP/1.1\r\n\r\n", bytes.fromhex("000100000001" + "01")])
def test_what_is_no_modbus_is_hung_up_on_and_others_are_served(garbage: bytes) -> None:
    async def test() -> None:
        async with modbus_server({1: _unit()}, "127.0.0.1", 0, _now_ms) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(garbage)
            assert await reader.read() == b""
            writer.close()
            other, asking = await asyncio.open_connection("127.0.0.1", port)
            asking.write(_frame(5, 1))
            assert (await other.readexactly(9))[:2] == b"\x00\x05"
            asking.close()

    _run(test())
