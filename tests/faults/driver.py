"""Reads a faulty device through one line after the other question, and keeps account of what came."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable

from edge_agent.errors import DeviceError
from edge_agent.modbus.blocks import Block
from edge_agent.modbus.client import Line
from edge_agent.modbus.connection import Connection
from edge_agent.modbus.value import Table
from edge_agent.wire.sample import Reason
from tests.support.faulty.cells import cells_block, ticks, what_is_wrong
from tests.support.faulty.line import UNITS
from tests.support.faulty.process import FaultyDevice

IN_A_ROW = 3  # right values that show that a line works
RECOVERY_S = 20.0


class Account:
    """What became of the questions of all lines.

    `wrong` holds a sentence for each value that is not what it seems, `raised` what nobody caught.
    """

    def __init__(self) -> None:
        self.right = 0
        self.failed: Counter[Reason] = Counter()
        self.wrong: list[str] = []
        self.raised: list[str] = []

    @property
    def asked(self) -> int:
        return self.right + self.failed.total() + len(self.wrong)


class Reader:
    """Asks one line for ever other blocks of its units, or for `one` of its first; `name` seeds the choice."""

    def __init__(self, connection: Connection, account: Account, name: str, one: Block | None = None) -> None:
        self._one = one
        self._line, self._account = Line(connection), account
        self._random = random.Random(name)

    async def read_while(self, is_on: Callable[[], bool]) -> None:
        try:
            while is_on():
                await self._read(self._random.choice(UNITS) if self._one is None else UNITS[0], self._block())
        finally:
            self._line.close()

    async def read_until_well(self) -> None:
        """Return when every unit gave right values in a row."""
        try:
            for unit_id in UNITS:
                in_a_row = 0
                while in_a_row < IN_A_ROW:
                    in_a_row = in_a_row + 1 if await self._read(unit_id, self._block()) else 0
        finally:
            self._line.close()

    def _block(self) -> Block:
        if self._one is not None:
            return self._one
        table = self._random.choice(tuple(Table))
        return cells_block(table, self._random.randrange(8), self._random.choice((1, 1, 1, 2, 2, 5)))

    async def _read(self, unit_id: int, block: Block) -> bool:
        """True when a right value came."""
        asked = ticks()
        try:
            if not self._line.is_open:
                await self._line.open()
            content = await self._line.read("device", unit_id, block)
        except DeviceError as error:
            self._account.failed[error.reason] += 1
            await asyncio.sleep(self._line.connection.timeout_s / 20)
            return False
        wrong = what_is_wrong(content, unit_id, block, asked, ticks())
        self._account.wrong += [wrong] if wrong else []
        self._account.right += not wrong
        return not wrong


async def fault_run(device: FaultyDevice, faulted: int) -> Account:
    """Read through every line until that many requests met a fault, then without faults until all is well."""
    account = Account()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: account.raised.append(str(context)))
    readers = [Reader(each, account, str(number)) for number, each in enumerate(device.connections)]
    async with asyncio.TaskGroup() as group:
        is_on = True
        for reader in readers:
            group.create_task(reader.read_while(lambda: is_on), name="reader")
        await device.until_faulted(faulted)
        is_on = False
    device.calm()
    async with asyncio.timeout(RECOVERY_S), asyncio.TaskGroup() as group:
        for reader in readers:
            group.create_task(reader.read_until_well(), name="reader")
    return account
