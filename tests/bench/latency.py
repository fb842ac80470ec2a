"""From a register that changes to the value on the page's live stream, every part in its own process."""

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import numpy as np
import paho.mqtt.client as mqtt

from edge_agent.devices.files import load_profile
from edge_agent.modbus.value import Table
from edge_agent.simulator.faults import FaultyFurnace
from edge_agent.simulator.furnace import FurnaceModel
from edge_agent.simulator.schedule import Rhythm, Schedule
from edge_agent.simulator.server import modbus_server
from edge_agent.simulator.unit import SimulatedUnit
from edge_agent.wire.command import decode_command
from edge_agent.wire.topic import MessageType, parse_topic
from tests.bench.machine import machine
from tests.support.host import Heard, TestHost
from tests.support.plant import COUNTER, Plant, plant

HOME = "songhe"
STEP_EVERY_S = (1.3, 2.9)  # at random moments of the agent's second; never twice within one poll
SETTLE_S = 4.0
POINTS = ("broker", "durable", "page")
Times = dict[tuple[int, int], float]  # (furnace, step) -> monotonic seconds


class SteppedUnit:
    """A simulated furnace whose scan counter shows the number of the last step instead."""

    def __init__(self, number: int) -> None:
        schedule = Schedule(Rhythm.ALWAYS_BURNING)
        profile = load_profile("simulator", Path())
        self._furnace = SimulatedUnit(FaultyFurnace(FurnaceModel(1, number, schedule)), profile)
        self._address = next(channel.address for channel in profile.channels if channel.name == COUNTER)
        self.step = 0

    def read(self, table: Table, address: int, count: int, at_ms: int) -> list[int] | None:
        """The furnace's registers, the counter's two replaced."""
        cells = self._furnace.read(table, address, count, at_ms)
        at = self._address - address
        if cells is not None and table is Table.HOLDING and 0 <= at <= count - 2:
            cells[at : at + 2] = divmod(self.step, 1 << 16)
        return cells

    def delay_s(self, at_ms: int) -> float | None:
        """Answers at once."""
        return self._furnace.delay_s(at_ms)


class Ear(TestHost):
    """Notes when each step is heard at the broker, and when the service acknowledges the block that brought it."""

    def __init__(self, port: int) -> None:
        super().__init__(port, self._note)
        self.at_broker: Times = {}
        self.durable: Times = {}
        self._blocks: dict[int, tuple[int, int]] = {}
        self._alias: dict[str, int | None] = {}

    def _note(self, heard: Heard) -> bool:
        device, data = heard.topic.device, heard.data
        if data is None or device is None or device not in self._aliases():
            return False
        for key, value in zip(data.columns.keys, data.columns.values, strict=True):
            if key == self._alias[device]:
                step = (int(device.rpartition("-")[2]), int(value))
                if self.at_broker.setdefault(step, now := time.monotonic()) == now:
                    self._blocks[data.block] = step
        return False

    def _aliases(self) -> Mapping[str, int | None]:
        births = [one for one in self.of(MessageType.DBIRTH) if one.topic.device not in self._alias]
        for one in births:
            if one.birth and one.topic.device:
                channels = {channel.name: channel.alias for channel in one.birth.channels}
                self._alias[one.topic.device] = channels[COUNTER]
        return self._alias

    def _on_message(self, client: mqtt.Client, data: Any, message: mqtt.MQTTMessage) -> None:
        if "/STATE/" in message.topic:
            return
        if parse_topic(message.topic).type is not MessageType.NCMD:
            super()._on_message(client, data, message)
            return
        births = self.of(MessageType.NBIRTH)
        aliases = births[-1].birth.command_aliases if births and births[-1].birth else None
        found, now = decode_command(bytes(message.payload), aliases).acknowledgement, time.monotonic()
        for first, last in found.ranges if found else ():
            for block in range(first, last + 1):
                if block in self._blocks:
                    self.durable.setdefault(self._blocks[block], now)


def main(argv: list[str]) -> None:
    """Step the registers of so many furnaces for so long."""
    parser = argparse.ArgumentParser(prog="latency")
    parser.add_argument("--furnaces", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=90.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    print(machine())
    with tempfile.TemporaryDirectory() as folder, plant(Path(folder)) as running, Ear(running.broker.port) as ear:
        stepped, shown = asyncio.run(measure(running, options.furnaces, options.seconds, random.Random(options.seed)))
        report(stepped, {"broker": ear.at_broker, "durable": ear.durable, "page": shown})


async def measure(plant: Plant, furnaces: int, seconds: float, chance: random.Random) -> tuple[Times, Times]:
    """When each step was made, and when the live stream told it."""
    units = {number: SteppedUnit(number) for number in range(1, furnaces + 1)}
    stepped: Times = {}
    shown: Times = {}
    async with modbus_server(units, "127.0.0.1", plant.modbus_port, _wall_ms):
        await asyncio.to_thread(plant.add_home, HOME, list(units))
        known = [await furnace_id(plant, number) for number in units]
        async with asyncio.TaskGroup() as group:
            readers = [
                group.create_task(follow(plant, number, one, shown)) for number, one in zip(units, known, strict=True)
            ]
            until_s = time.monotonic() + seconds
            for number, unit in units.items():
                group.create_task(step(number, unit, until_s, stepped, random.Random(chance.random())))
            await asyncio.sleep(seconds + SETTLE_S)
            for reader in readers:
                reader.cancel()
    return stepped, shown


async def furnace_id(plant: Plant, number: int) -> int:
    """The id of a furnace, as soon as its values come."""
    await asyncio.to_thread(plant.wait, lambda: plant.service.tags(HOME, str(number)))
    furnaces = await asyncio.to_thread(plant.service.http.get, "/api/v1/furnaces")
    return next(int(row["id"]) for row in furnaces.json() if row["name"] == str(number))


async def step(number: int, unit: SteppedUnit, until_s: float, stepped: Times, chance: random.Random) -> None:
    """Change the register at random moments."""
    while time.monotonic() < until_s:
        await asyncio.sleep(chance.uniform(*STEP_EVERY_S))
        unit.step += 1
        stepped[number, unit.step] = time.monotonic()


async def follow(plant: Plant, number: int, furnace: int, shown: Times) -> None:
    """Read the live stream as the furnace's page does; note when each step is told first."""
    async with events(plant.service.port, furnace) as lines:
        async for line in lines:
            if line.startswith("data:") and '"values"' in line:
                now = time.monotonic()
                for one in msgspec.json.decode(line.removeprefix("data:"))["values"]:
                    if one["shown"]["quantity"] == COUNTER and one["value"] is not None:
                        shown.setdefault((number, int(one["value"])), now)


@asynccontextmanager
async def events(port: int, furnace: int) -> AsyncIterator[AsyncIterator[str]]:
    """The lines of a furnace's live stream."""
    async with httpx.AsyncClient(trust_env=False, timeout=30.0) as client:
        url = f"http://127.0.0.1:{port}/api/v1/stream"
        async with client.stream("GET", url, params={"furnace": furnace}) as response:
            yield response.aiter_lines()


def report(stepped: Times, heard: Mapping[str, Times]) -> None:
    """The distribution at each point, and the figures of the page as JSON."""
    figures: dict[str, float | int | str] = {"machine": machine(), "steps": len(stepped)}
    for point in POINTS:
        taken = sorted(at - stepped[step] for step, at in heard[point].items() if step in stepped)
        p50, p95, most = (float(np.quantile(taken, share)) for share in (0.5, 0.95, 1.0))
        print(f"{point:8} n {len(taken):4}  p50 {p50:5.2f} s  p95 {p95:5.2f} s  most {most:5.2f} s  {bars(taken)}")
        if point != "page":
            figures[f"{point}_p95_s"] = round(p95, 3)
        else:
            figures |= {"p50_s": round(p50, 3), "p95_s": round(p95, 3), "most_s": round(most, 3), "n": len(taken)}
    print(json.dumps(figures))


def bars(taken: Sequence[float]) -> str:
    """How many fall into each quarter of a second."""
    counts = np.bincount((np.array(taken) * 4).astype(int))
    return " ".join(str(count) for count in counts)


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000
