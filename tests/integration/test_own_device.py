"""An engineer's path: a device of their own, a profile and a site file by hand, a broker, a service of six lines."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.broker import start_mosquitto
from tests.support.plant import Service
from tests.support.program import Program, product
from tests.support.waiting import wait_until

PROFILE = """\
[profile]
id = "oven"
name_zh = "旧式火化炉"
name_en = "Old oven"
origin = "example"
source = "the panel's wiring diagram"

[modbus]
order = "CDAB"

[[channel]]
name = "afterburner"
quantity = "chamber2_temperature"
table = "input"
address = 100
type = "float32"
report = "on_change"

[[channel]]
name = "draught"
quantity = "chamber_draught"
address = 7
type = "int16"
scale = 0.1
report = "always"

[[channel]]
name = "lid"
name_zh = "炉盖"
name_en = "Lid"
table = "discrete"
address = 3
"""
SITE = """\
[site]
home = "songhe"
edge = "cabinet"
name_zh = "松鹤殡仪馆"
name_en = "Songhe funeral home"

[broker]
host = "127.0.0.1"
port = {broker}

[[connection]]
name = "panel"
host = "127.0.0.1"
port = {device}

[[device]]
name = "oven"
furnace = "east"
connection = "panel"
unit_id = 9
profile = "oven.toml"
name_zh = "东炉"
name_en = "East oven"
"""
# A device of another make, in its own process: 861.5 as a float32 with swapped words, -183, and one closed contact.
DEVICE = """
import asyncio, struct, sys
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
high, low = struct.unpack(">HH", struct.pack(">f", 861.5))
registers = ([SimData(0, values=[False] * 16, datatype=DataType.BITS)],
             [SimData(0, values=[False] * 3 + [True] + [False] * 12, datatype=DataType.BITS)],
             [SimData(0, values=[0] * 7 + [65536 - 183, 0, 0], datatype=DataType.REGISTERS)],
             [SimData(100, values=[low, high], datatype=DataType.REGISTERS)])
async def main():
    server = ModbusTcpServer(SimDevice(9, simdata=registers), address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    print(server.transport.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


@contextmanager
def device() -> Iterator[int]:
    """The running device; its port."""
    with subprocess.Popen([sys.executable, "-c", DEVICE], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGKILL)


@contextmanager
def running(program: Program) -> Iterator[Program]:
    program.start()
    try:
        yield program
    finally:
        program.kill()


def test_values_of_a_device_that_we_never_saw_reach_the_api_with_names_and_units(tmp_path: Path) -> None:
    with device() as modbus, start_mosquitto(tmp_path) as broker:
        (tmp_path / "oven.toml").write_text(PROFILE, encoding="utf-8")
        site = tmp_path / "site.toml"
        site.write_text(SITE.format(broker=broker.port, device=modbus), encoding="utf-8")
        service = Service(tmp_path, broker.port)
        agent = product(tmp_path, "agent", "edge-agent", "run", str(site))
        with running(service.program), running(agent):
            wait_until(service.ready)
            wait_until(lambda: len(service.tags("songhe", "east")) == 3)
            wait_until(lambda: all(tag["value"] is not None for tag in service.tags("songhe", "east").values()))
            tags = service.tags("songhe", "east")
            home = service.http.get("/api/v1/homes/songhe").json()
        service.http.close()
    assert {name: (tag["value"], tag["unit"]) for name, tag in tags.items()} == {
        "afterburner": (861.5, "°C"),
        "draught": (-18.3, "Pa"),
        "lid": (1.0, ""),
    }
    assert (tags["lid"]["name_zh"], home["name_zh"]) == ("炉盖", "松鹤殡仪馆")
    assert [(furnace["name"], furnace["name_zh"]) for furnace in home["furnaces"]] == [("east", "东炉")]
