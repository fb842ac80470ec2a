"""Devices that are dead or slow, and the schedule of the others."""

import asyncio
import sys
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from edge_agent.clock import SystemClock
from edge_agent.config import Site
from edge_agent.counters import PollCounters
from edge_agent.modbus.connection import Transport
from edge_agent.polled_device import DeviceState
from edge_agent.poller import ConnectionPoller, make_pollers
from edge_agent.wire.sample import Sample
from tests.faults.site import Unit, cells_site
from tests.support.certificates import make_certificates
from tests.support.faulty.faults import Fault
from tests.support.faulty.process import faulty_device
from tests.support.pace import in_pace

pytestmark = pytest.mark.alone

SCAN_MS = 1_000
NOBODY = 9  # a unit id at which no unit answers


class Watcher:
    """Takes down how long after its second each good reading of a device came (ms)."""

    def __init__(self) -> None:
        self._clock = SystemClock()
        self._start_ms = self._clock.monotonic_ms()
        self.lateness_ms: dict[str, list[int]] = defaultdict(list)

    async def sink(self, device: str, samples: list[Sample]) -> None:
        if any(sample.value is not None for sample in samples):
            self.lateness_ms[device].append((self._clock.monotonic_ms() - self._start_ms) % SCAN_MS)

    async def watch(self, device: str, state: DeviceState) -> None:
        assert device
        assert state in DeviceState


async def poll_for(site: Site, duration_s: float) -> tuple[Watcher, dict[str, PollCounters]]:
    watcher = Watcher()
    pollers = make_pollers(site, watcher.sink, watcher.watch)
    with suppress(TimeoutError):
        async with asyncio.timeout(duration_s):
            await run_all(pollers)
    return watcher, {one.device: one for poller in pollers for one in poller.counters}


async def run_all(pollers: Sequence[ConnectionPoller]) -> None:
    async with asyncio.TaskGroup() as group:
        for poller in pollers:
            group.create_task(poller.run(), name=poller.name)


def percentile(values: list[int], percent: float) -> int:
    return sorted(values)[min(len(values) - 1, int(len(values) * percent / 100))]


def test_of_twenty_devices_one_dead_and_one_slow_hold_up_none_of_the_others(tmp_path: Path) -> None:
    async def scene() -> None:
        watcher, counters = await poll_for(cells_site(tmp_path, units, 1.0), 15.5)
        late_ms = [each for unit in units[:18] for each in watcher.lateness_ms[unit.name]]
        sys.stdout.write(
            f"18 devices beside a dead and a slow one: {len(late_ms)} readings, lateness p50 "
            f"{percentile(late_ms, 50)} ms, p99 {percentile(late_ms, 99)} ms, most {max(late_ms)} ms\n"
        )
        assert percentile(late_ms, 99) <= 100
        assert all(len(watcher.lateness_ms[unit.name]) >= 15 for unit in units[:18])
        assert len(watcher.lateness_ms["slow"]) >= 13
        assert percentile(watcher.lateness_ms["slow"], 50) >= 890
        assert watcher.lateness_ms["dead"] == []
        assert 3 <= counters["dead"].timeouts <= 5

    certificates = make_certificates(tmp_path)
    with (
        faulty_device(Transport.TCP, certificates, 1.0, lines=19, share=0.0) as healthy,
        faulty_device(Transport.TCP, certificates, 1.0, share=1.0, faults=[Fault.SLOW]) as slow,
    ):
        *good, dead = healthy.connections
        units = [Unit(f"good{number}", line, 1) for number, line in enumerate(good)]
        patient = msgspec.structs.replace(slow.connections[0], timeout_s=1.5)
        units += [Unit("dead", dead, NOBODY), Unit("slow", patient, 1)]
        in_pace(scene, attempts=6)


def test_a_dead_unit_costs_its_neighbours_one_timeout_per_back_off_period(tmp_path: Path) -> None:
    timeout_s = 0.4

    async def scene() -> None:
        watcher, counters = await poll_for(cells_site(tmp_path, units, 1.0), 6.5)
        attempts = counters["dead"].timeouts
        assert 2 <= attempts <= 4
        assert counters["dead"].reads - attempts in (0, 1), "one may be under way at the end"
        for unit in units[:3]:
            late_ms = watcher.lateness_ms[unit.name][
                1:
            ]  # a line is listened to for a timeout before its first question
            assert len(late_ms) >= 5
            assert counters[unit.name].bad_reads == 0
            assert max(late_ms) < timeout_s * 1000 + 100
            assert sum(each > 100 for each in late_ms) <= attempts

    with faulty_device(Transport.RTU, make_certificates(tmp_path), timeout_s, share=0.0) as device:
        line = device.connections[0]
        units = [Unit(f"good{unit_id}", line, unit_id) for unit_id in (1, 2, 3)] + [Unit("dead", line, NOBODY)]
        in_pace(scene)
