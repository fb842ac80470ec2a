"""Many simple Modbus TCP units in one process of their own: float registers that are other ones at each read."""

import argparse
import asyncio
import math
import random
import struct

from edge_agent.clock import SystemClock
from edge_agent.modbus.value import Table
from edge_agent.simulator.server import modbus_server


class Waves:
    """`tags` float32 values; each swings round its own level, so that every reading is news."""

    def __init__(self, unit: int, tags: int) -> None:
        self._levels = [100.0 + unit + tag for tag in range(tags)]
        self._pack = struct.Struct(f">{tags}f").pack
        self._unpack = struct.Struct(f">{2 * tags}H").unpack

    def read(self, table: Table, address: int, count: int, at_ms: int) -> list[int] | None:
        """Registers from an address on."""
        swing = math.sin(at_ms / 7_000)
        registers = self._unpack(self._pack(*[level + swing for level in self._levels]))
        return list(registers[address : address + count]) if table is Table.HOLDING else None

    def delay_s(self, at_ms: int) -> float | None:
        """It answers at once."""
        return 0.0 if at_ms else None


class Moody(Waves):
    """The same, but a share of the reads is refused, answered too late, or not at all."""

    def __init__(self, unit: int, tags: int, share: float, late_s: float) -> None:
        super().__init__(unit, tags)
        self._random = random.Random(unit)
        self._share, self._late_s = share, late_s

    def read(self, table: Table, address: int, count: int, at_ms: int) -> list[int] | None:
        """Registers, or none where the unit refuses."""
        return None if self._random.random() < self._share else super().read(table, address, count, at_ms)

    def delay_s(self, at_ms: int) -> float | None:
        """At once, late, or never."""
        draw = self._random.random()
        if draw < self._share:
            return None
        return self._late_s if draw < 2 * self._share else 0.0


async def serve(options: argparse.Namespace) -> None:
    """Listen until killed; prints the port."""
    units = {
        unit: Moody(unit, options.tags, options.faults, options.late_s) if options.faults else Waves(unit, options.tags)
        for unit in range(1, options.devices + 1)
    }
    async with modbus_server(units, "127.0.0.1", options.port, SystemClock().wall_ms) as port:
        print(port, flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("devices", type=int)
    parser.add_argument("tags", type=int)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--faults", type=float, default=0.0, help="the share of each kind of fault")
    parser.add_argument("--late-s", type=float, default=0.5)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
