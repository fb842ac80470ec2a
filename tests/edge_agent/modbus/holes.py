"""An independent Modbus TCP server (pymodbus) in its own process whose registers lie in islands with holes between."""

import asyncio
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from tests.support.broker import free_port

# Unit 1: floats with the low word first at 100, integers at 217. Unit 4: floats with the high word first at 8.
SWAPPED = [123.456, 850.0, 912.5, 0.0, 11.02, 145.5]
INTEGERS = [8500, 9125, 42, 0, 65533]
PLAIN = [20.7, 43.75, 0.0, 101.3, 7.77]
COILS = [True, False, True, True]


def floats(values: list[float], order: str) -> list[int]:
    pairs = [struct.unpack(">HH", struct.pack(">f", value)) for value in values]
    return [word for high, low in pairs for word in ((high, low) if order == "ABCD" else (low, high))]


def islands(*found: tuple[int, list[int]]) -> list[SimData]:
    return [SimData(first, values=words, datatype=DataType.REGISTERS) for first, words in found]


def unit(number: int, holding: list[SimData], inputs: list[SimData]) -> SimDevice:
    coils = [SimData(0, values=COILS, datatype=DataType.BITS)]
    discrete = [SimData(0, values=[False], datatype=DataType.BITS)]
    return SimDevice(number, (coils, discrete, holding, inputs))


async def serve(port: int) -> None:
    one = unit(1, islands((100, floats(SWAPPED, "CDAB")), (217, INTEGERS)), islands((3, [7])))
    four = unit(4, islands((0, [1])), islands((8, floats(PLAIN, "ABCD"))))
    await ModbusTcpServer([one, four], address=("127.0.0.1", port)).serve_forever(background=True)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


@contextmanager
def server_with_holes() -> Iterator[int]:
    """The server on a free port, killed at the end."""
    port = free_port()
    command = [sys.executable, "-m", "tests.edge_agent.modbus.holes", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n"
            yield port
        finally:
            process.kill()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
