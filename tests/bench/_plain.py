"""The same registers read by nothing but pymodbus, once a second; prints the CPU time of it."""

import asyncio
import sys
import time

import msgspec
from pymodbus.client import AsyncModbusTcpClient


class PlainCost(msgspec.Struct, frozen=True):
    """CPU time in microseconds a tag: for reading alone, and with pymodbus's own conversion to floats."""

    read_us: float
    read_and_convert_us: float


async def read_all(clients: list[AsyncModbusTcpClient], tags: int, seconds: int, *, convert: bool) -> float:
    """CPU seconds of reading every unit once a second for so long."""
    loop = asyncio.get_running_loop()
    start_s, cpu_s = loop.time(), time.process_time()
    for second in range(1, seconds + 1):
        for unit, client in enumerate(clients, 1):
            response = await client.read_holding_registers(0, count=2 * tags, device_id=unit)
            assert len(response.registers) == 2 * tags
            if convert:
                client.convert_from_registers(response.registers, client.DATATYPE.FLOAT32)
        await asyncio.sleep(max(0.0, start_s + second - loop.time()))
    return time.process_time() - cpu_s


async def measure(port: int, devices: int, tags: int, seconds: int) -> PlainCost:
    clients = [AsyncModbusTcpClient("127.0.0.1", port=port, retries=0) for _ in range(devices)]
    for client in clients:
        assert await client.connect()
    read_s = await read_all(clients, tags, seconds, convert=False)
    both_s = await read_all(clients, tags, seconds, convert=True)
    for client in clients:
        client.close()
    per_tag = 1e6 / (devices * tags * seconds)
    return PlainCost(round(read_s * per_tag, 2), round(both_s * per_tag, 2))


if __name__ == "__main__":
    print(msgspec.json.encode(asyncio.run(measure(*map(int, sys.argv[1:])))).decode())
