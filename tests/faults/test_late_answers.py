"""The same block asked again and again while every other answer is late, whole or half: none is taken for the next."""

import asyncio
from pathlib import Path

import pytest

from edge_agent.errors import DeviceError
from edge_agent.modbus.blocks import Block
from edge_agent.modbus.client import Line
from edge_agent.modbus.connection import Connection, Transport
from edge_agent.modbus.value import Table
from tests.faults.driver import Account, Reader
from tests.support.certificates import make_certificates
from tests.support.faulty.cells import cells_block, ticks
from tests.support.faulty.faults import Fault
from tests.support.faulty.process import FaultyDevice, faulty_device

pytestmark = pytest.mark.alone

TIMEOUT_S, LINES, LATE = 0.05, 12, 120
RTU = [Transport.RTU, Transport.RTU_OVER_TCP]
# The third register of a cell holds the low half of the time of asking, in ticks of 0.1 ms.
ONE_REGISTER, TICKS = Block(Table.INPUT, 2, 1, ()), 1 << 16


async def ask_in_vain_and_again(device: FaultyDevice, block: Block) -> Account:
    account = Account()
    is_on = True
    async with asyncio.TaskGroup() as group:
        for number, connection in enumerate(device.connections):
            reader = Reader(connection, account, str(number), block)
            group.create_task(reader.read_while(lambda: is_on), name="reader")
        await device.until_faulted(LATE)
        is_on = False
    return account


@pytest.mark.parametrize("transport", list(Transport))
def test_a_late_answer_never_becomes_the_value_of_the_next_request(tmp_path: Path, transport: Transport) -> None:
    certificates, faults = make_certificates(tmp_path), [Fault.LATE, Fault.STALL]
    with faulty_device(transport, certificates, TIMEOUT_S, lines=LINES, share=0.5, faults=faults) as device:
        account = asyncio.run(ask_in_vain_and_again(device, cells_block(Table.HOLDING, 3, 2)))
    assert account.wrong == []
    assert account.right > LATE / 4
    assert account.failed.total() > LATE / 4


@pytest.mark.parametrize("transport", RTU)
def test_a_late_single_register_is_waited_for_until_it_cannot_come(tmp_path: Path, transport: Transport) -> None:
    async def read_while_late(connection: Connection, ages: list[int]) -> None:
        line = Line(connection)
        while len(ages) < 12:
            asked = ticks()
            try:
                if not line.is_open:
                    await line.open()
                [value] = await line.read("device", 1, ONE_REGISTER)
            except DeviceError:
                await asyncio.sleep(TIMEOUT_S / 10)
                continue
            ages.append((value - asked) % TICKS)
        line.close()

    async def scene(device: FaultyDevice) -> list[int]:
        ages: list[list[int]] = [[] for _ in device.connections]
        async with asyncio.TaskGroup() as group:
            for connection, own in zip(device.connections, ages, strict=True):
                group.create_task(read_while_late(connection, own), name="reader")
        return [age for own in ages for age in own]

    certificates = make_certificates(tmp_path)
    with faulty_device(transport, certificates, TIMEOUT_S, lines=4, share=0.5, faults=[Fault.LATE]) as device:
        ages = asyncio.run(scene(device))
        assert device.report().faulted >= 20
    assert max(ages) < TICKS // 2  # one from before its question would seem to come from far ahead
