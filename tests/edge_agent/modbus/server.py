"""An independent Modbus server (pymodbus) in its own process: two units, known words, a counter of reads."""

import asyncio
import os
import ssl
import subprocess
import sys
import tty
from collections.abc import Iterator
from contextlib import contextmanager

from pymodbus import FramerType
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusSerialServer, ModbusTcpServer, ModbusTlsServer, ModbusUdpServer
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
    leads_to = ""
    if transport == Transport.RTU:
        own, leads_to = null_modem()
        server = ModbusSerialServer(units, port=own, baudrate=19200)
    elif transport == Transport.UDP:
        server = ModbusUdpServer(units, address=address)
    elif transport == Transport.TLS:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server = ModbusTlsServer(units, address=address, sslctx=context)
    else:
        framer = FramerType.RTU if transport == Transport.RTU_OVER_TCP else FramerType.SOCKET
        server = ModbusTcpServer(units, framer=framer, address=address)
    await server.serve_forever(background=True)
    sys.stdout.write(f"ready {leads_to}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


def null_modem() -> tuple[str, str]:
    """The paths of two serial ports that are wired to each other for as long as the event loop runs."""
    (one, one_end), (other, other_end) = os.openpty(), os.openpty()
    for end in (one_end, other_end):
        tty.setraw(end)
    loop = asyncio.get_running_loop()
    loop.add_reader(one, lambda: os.write(other, os.read(one, 1024)))
    loop.add_reader(other, lambda: os.write(one, os.read(other, 1024)))
    return os.ttyname(one_end), os.ttyname(other_end)


@contextmanager
def running_server(port: int, transport: Transport = Transport.TCP, *files: str) -> Iterator[str]:
    """The server at that port, killed at the end; `files` are certificate and key for TLS. Yields its serial port."""
    command = [sys.executable, "-m", "tests.edge_agent.modbus.server", str(port), transport, *files]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            word, leads_to = process.stdout.readline().rstrip("\n").split(" ")
            assert word == "ready"
            yield leads_to
        finally:
            process.kill()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), *sys.argv[2:]))
