"""A poller in front of devices that misbehave, until they do no more."""

import asyncio
import time
from collections import defaultdict
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest

from edge_agent.clock import SystemClock
from edge_agent.modbus.connection import Transport
from edge_agent.polled_device import DeviceState
from edge_agent.poller import make_pollers
from edge_agent.wire.sample import Sample
from tests.faults.site import GENERATION, UNIT, Unit, cells_site
from tests.support.certificates import make_certificates
from tests.support.faulty.line import UNITS
from tests.support.faulty.process import faulty_device
from tests.support.waiting import until

pytestmark = pytest.mark.alone


class HastyClock(SystemClock):
    """Runs ten times as fast as real clocks, so that back-off takes no time; answers still take their real time."""

    def monotonic_ms(self) -> int:
        return time.monotonic_ns() // 100_000

    async def sleep_until(self, monotonic_ms: int) -> None:
        await asyncio.sleep(max(0.0, monotonic_ms / 10_000 - time.monotonic()))


class Recorder:
    """The places and generations that each device's good samples named, and how the devices are doing."""

    def __init__(self) -> None:
        self.places: dict[str, list[int]] = defaultdict(list)
        self.generations: dict[str, list[int]] = defaultdict(list)
        self.states: dict[str, DeviceState] = {}

    async def sink(self, device: str, samples: list[Sample]) -> None:
        for sample in samples:
            channel = (sample.alias - 1) % 4096
            if isinstance(sample.value, float) and channel in (UNIT, GENERATION):
                kept = self.places if channel == UNIT else self.generations
                kept[device].append(int(sample.value))

    async def watch(self, device: str, state: DeviceState) -> None:
        self.states[device] = state


@pytest.mark.parametrize("transport", [Transport.TCP, Transport.RTU])
def test_devices_that_misbehave_yield_no_wrong_sample_and_are_all_up_once_they_stop(
    tmp_path: Path, transport: Transport
) -> None:
    async def scene() -> Recorder:
        recorder = Recorder()
        pollers = make_pollers(site, recorder.sink, recorder.watch, HastyClock())
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(poller.run(), name=poller.name) for poller in pollers]
            await device.until_faulted(150)
            device.calm()
            read = {unit.name: len(recorder.generations[unit.name]) for unit in units}
            await until(lambda: all(len(recorder.generations[name]) > count + 3 for name, count in read.items()))
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        return recorder

    with faulty_device(transport, make_certificates(tmp_path), 0.1, lines=5, share=0.5, seed=5) as device:
        units = [
            Unit(f"line{number}unit{unit_id}", line, unit_id)
            for number, line in enumerate(device.connections)
            for unit_id in UNITS
        ]
        site = cells_site(tmp_path, units, 1.0)
        recorder = asyncio.run(scene())
    for unit in units:
        place_of_first_cell = unit.unit_id << 12 | (3 & 3) << 10
        assert set(recorder.places[unit.name]) == {place_of_first_cell}
        assert all(before < after for before, after in pairwise(recorder.generations[unit.name]))
        assert recorder.states[unit.name] is DeviceState.UP
