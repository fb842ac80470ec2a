"""An independent Modbus TCP server (pymodbus) in its own process: two units, known words, a counter of reads."""

import asyncio
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pymodbus import FramerType
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer, ModbusTlsServer, ModbusUdpServer
from pymodbus.server.base import ModbusBaseServer
from pymodbus.simulator import DataType, SimData, SimDevice

from edge_agent.modbus.connection import Transport

HOLDING = [0x42F6, 0xE979, 0, 0x1234, 851]  # 123.456, the counter, 0x1234, 85.1 in tenths
INPUT = [0x8000, 0x4454]  # 850.0 with the low register first
COILS = [True, False, True]
COUNTER = 2


async def count_reads(
    function: int, start: int, address: int, count: int, registers: list[int], written: list[int] | list[bool] | None
) -> ExcCodes | None:
    if function == 3 and address <= COUNTER < address + count:
        registers[COUNTER - start] += 1
    return None


def unit(number: int) -> SimDevice:
    coils = [SimData(0, values=COILS, datatype=DataType.BITS)]
    discrete = [SimData(0, values=[False, True], datatype=DataType.BITS)]
    holding = [SimData(0, values=HOLDING, datatype=DataType.REGISTERS)]
    inputs = [SimData(0, values=INPUT, datatype=DataType.REGISTERS)]
    return SimDevice(number, (coils, discrete, holding, inputs), action=count_reads)


async def serve(port: int, transport: str, certificate: str = "", key: str = "") -> None:
    units, address = [unit(1), unit(2)], ("127.0.0.1", port)
    server: ModbusBaseServer
    if transport == Transport.UDP:
        server = ModbusUdpServer(units, address=address)
    elif transport == Transport.TLS:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server = ModbusTlsServer(units, address=address, sslctx=context)
    else:
        framer = FramerType.RTU if transport == Transport.RTU_OVER_TCP else FramerType.SOCKET
        server = ModbusTcpServer(units, framer=framer, address=address)
    await server.serve_forever(background=True)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


@contextmanager
def running_server(port: int, transport: Transport = Transport.TCP, *files: str) -> Iterator[None]:
    """The server at that port, killed at the end; `files` are certificate and key for TLS."""
    command = [sys.executable, "-m", "tests.edge_agent.modbus.server", str(port), transport, *files]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n"
            yield
        finally:
            process.kill()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), *sys.argv[2:]))
