"""One furnace as a Modbus unit: its registers, drawn anew when a read comes in a new second."""

from collections.abc import Callable
from typing import Protocol

from edge_agent.devices.profile import Profile
from edge_agent.modbus.encode import place
from edge_agent.modbus.value import Table
from edge_agent.simulator.faults import FaultyFurnace
from edge_agent.simulator.image import Cells, RegisterImage

_COUNTER_MODULO = 1 << 32
CountedRead = Callable[[int, int], None]  # the scan counter's value that is answered with, and when (ms since 1970 UTC)


def untold(_value: int, _at_ms: int) -> None:
    """Nobody wants to know."""


class Unit(Protocol):
    """What the Modbus server asks of a device."""

    def read(self, table: Table, address: int, count: int, at_ms: int) -> list[int] | None:
        """Registers or bits from a zero-based address on; None when one of them does not exist."""

    def delay_s(self, at_ms: int) -> float | None:
        """How late the answer goes out, s; None for no answer."""


class SimulatedUnit:
    """A furnace behind the registers of a profile. `counted` hears of every read of the scan counter."""

    def __init__(self, furnace: FaultyFurnace, profile: Profile, counted: CountedRead = untold) -> None:
        self._furnace = furnace
        self._counted = counted
        self._image = RegisterImage(profile)
        self._tables: dict[Table, Cells] = {}
        self._second = -1
        self._reads_of_counter = 0

    def read(self, table: Table, address: int, count: int, at_ms: int) -> list[int] | None:
        """Registers or bits of the second of `at_ms`; a read of the scan counter moves it on."""
        if at_ms // 1000 != self._second:
            self._second = at_ms // 1000
            self._tables = self._image.render(self._furnace.at(at_ms), self._furnace.broken_channels(at_ms))
        if table not in self._tables:
            return None
        if self._covers_counter(table, address, count):
            self._reads_of_counter = (self._reads_of_counter + 1) % _COUNTER_MODULO
            self._counted(self._reads_of_counter, at_ms)
        self._place_counter()
        return self._tables[table].read(address, count)

    def delay_s(self, at_ms: int) -> float | None:
        """How late the answer goes out, s; None while the unit is silent."""
        return self._furnace.delay_s(at_ms)

    def _covers_counter(self, table: Table, address: int, count: int) -> bool:
        """True when the counter is read whole."""
        channel = self._image.counter
        return (
            channel is not None
            and channel.table is table
            and address <= channel.address
            and channel.address + channel.width <= address + count
        )

    def _place_counter(self) -> None:
        channel = self._image.counter
        if channel is not None:
            cells = self._tables[channel.table]
            place(cells.cells, channel.address - cells.first, channel.encoding, self._reads_of_counter)
