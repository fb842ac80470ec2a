import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from pathlib import Path

import pytest

from edge_agent import poller as poller_module
from edge_agent.clock import Clock, SystemClock
from edge_agent.config import load_site
from edge_agent.counters import PollCounters, total_of
from edge_agent.polled_device import DeviceState
from edge_agent.poller import ConnectionPoller, make_pollers
from edge_agent.wire.gap import Gap, GapReason
from edge_agent.wire.sample import Reason, Sample
from tests.edge_agent.modbus.script import Request, Script, addresses, bits, refusal, scripted, until_hung_up
from tests.edge_agent.modbus.server import running_server
from tests.edge_agent.sites import write_site
from tests.support.broker import free_port
from tests.support.pace import in_pace
from tests.support.waiting import until

FAST = "scan_s = 0.1"
CO, COUNTER, CHAMBER, DOOR = range(4)


class Recorder:
    """Takes down what the poller says, in order: samples by device, and how the devices are doing."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Sample | DeviceState]] = []
        self.lost: list[Gap] = []

    async def sink(self, device: str, samples: list[Sample]) -> None:
        self.events += [(device, sample) for sample in samples]

    async def watch(self, device: str, state: DeviceState) -> None:
        self.events.append((device, state))

    def samples(self, device: str, channel: int) -> list[Sample]:
        number = int(device[-1])
        alias = number * 4096 + 1 + channel
        found = [event for name, event in self.events if name == device and isinstance(event, Sample)]
        return [sample for sample in found if sample.alias == alias]

    def values(self, device: str, channel: int) -> list[float | str | None]:
        return [sample.value for sample in self.samples(device, channel)]

    def states(self, device: str) -> list[DeviceState]:
        return [event for name, event in self.events if name == device and isinstance(event, DeviceState)]


class HastyClock(SystemClock):
    """Runs five times as fast as real clocks, so that back-off takes no time; answers still take their real time."""

    def monotonic_ms(self) -> int:
        return time.monotonic_ns() // 200_000

    async def sleep_until(self, monotonic_ms: int) -> None:
        await asyncio.sleep(max(0.0, monotonic_ms / 5_000 - time.monotonic()))


@asynccontextmanager
async def polling(
    folder: Path, port: int, counter: str = FAST, clock: Clock | None = None
) -> AsyncIterator[tuple[Recorder, ConnectionPoller]]:
    recorder = Recorder()
    site = load_site(write_site(folder, port, counter=counter))
    [poller] = make_pollers(site, recorder.sink, recorder.watch, clock, recorder.lost.append)
    task = asyncio.create_task(poller.run(), name=poller.name)
    try:
        yield recorder, poller
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await until_hung_up(port)


def counters_of(poller: ConnectionPoller, device: str) -> PollCounters:
    return next(counters for counters in poller.counters if counters.device == device)


def test_every_reading_of_a_real_server_arrives_once_and_in_order(tmp_path: Path) -> None:
    async def scene(port: int) -> None:
        with running_server(port):
            async with polling(tmp_path, port) as (recorder, poller):
                await until(lambda: len(recorder.samples("furnace2", COUNTER)) >= 12)
        for device in ("furnace1", "furnace2"):
            counts = recorder.values(device, COUNTER)
            assert counts == [float(number) for number in range(1, len(counts) + 1)]
            times = [sample.measured_at_ms for sample in recorder.samples(device, COUNTER)]
            assert all(before < after for before, after in pairwise(times))
            assert recorder.values(device, CO) == [pytest.approx(123.456)]
            assert recorder.values(device, CHAMBER) == [850.0]
            assert recorder.values(device, DOOR) == [1.0]
            assert recorder.events[0] == ("furnace1", DeviceState.UP)
            assert recorder.states(device) == [DeviceState.UP]
        total = total_of(poller.counters)
        assert total.samples_read > total.samples_reported >= 12
        assert (total.bad_reads, total.timeouts) == (0, 0)
        assert poller.counters[0].response_ms(95) is not None

    in_pace(lambda: scene(free_port()))


def test_the_schedule_does_not_drift(tmp_path: Path) -> None:
    async def scene(port: int) -> None:
        with running_server(port):
            async with polling(tmp_path, port) as (recorder, poller):
                await until(lambda: len(recorder.samples("furnace1", COUNTER)) >= 21)
        times = [sample.measured_at_ms for sample in recorder.samples("furnace1", COUNTER)]
        skipped = counters_of(poller, "furnace1").skipped_slots
        assert times[20] - times[0] == pytest.approx(2_000 + 100 * skipped, abs=80)

    in_pace(lambda: scene(free_port()))


def test_a_server_that_goes_and_comes_back_is_marked_and_found_again(tmp_path: Path) -> None:
    async def scene(port: int) -> None:
        async with polling(tmp_path, port, clock=HastyClock()) as (recorder, _):
            with running_server(port):
                await until(lambda: recorder.values("furnace1", CO))
            await until(lambda: all(DeviceState.DOWN in recorder.states(f"furnace{n}") for n in (1, 2)))
            bad = recorder.samples("furnace1", CHAMBER)[-1]
            assert bad.value is None
            assert bad.reason in (Reason.NOT_CONNECTED, Reason.TIMEOUT)
            with running_server(port):
                await until(lambda: recorder.values("furnace1", CHAMBER)[-1] == 850.0)
                await until(lambda: recorder.values("furnace2", CHAMBER)[-1] == 850.0)
            assert recorder.states("furnace1") == [DeviceState.UP, DeviceState.DOWN, DeviceState.UP]
            assert_no_sample_while_down(recorder, "furnace1")
            [gap] = [gap for gap in recorder.lost if gap.device == "furnace1" and gap.reason is GapReason.UNREACHABLE]
            before, after = bad.measured_at_ms, recorder.samples("furnace1", CHAMBER)[-1].measured_at_ms
            assert before <= gap.from_ms <= gap.to_ms <= after

    in_pace(lambda: scene(free_port()))


def assert_no_sample_while_down(recorder: Recorder, device: str) -> None:
    state = None
    for name, event in recorder.events:
        if name == device and isinstance(event, DeviceState):
            state = event
        elif name == device and isinstance(event, Sample):
            assert state is not DeviceState.DOWN
            assert state is DeviceState.UP or event.value is None


def test_a_device_that_stays_dead_is_told_so_from_time_to_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poller_module, "DEATH_TOLD_MS", 50)

    async def scene() -> None:
        async with polling(tmp_path, free_port(), clock=HastyClock()) as (recorder, _):
            await until(lambda: len([gap for gap in recorder.lost if gap.device == "furnace1"]) >= 2)
        first, second = [gap for gap in recorder.lost if gap.device == "furnace1"][:2]
        assert first.reason is second.reason is GapReason.UNREACHABLE
        assert second.from_ms == first.to_ms
        assert_no_sample_while_down(recorder, "furnace1")

    in_pace(scene)


def with_furnace_1(answer: Script) -> Script:
    return lambda request: answer(request) if request.unit == 1 else plain(request)


def plain(request: Request) -> list[bytes]:
    return [bits(request, 0b1)] if request.function in (1, 2) else [addresses(request)]


def test_a_silent_unit_costs_its_neighbour_one_timeout_per_back_off(tmp_path: Path) -> None:
    async def scene() -> None:
        async with (
            scripted(with_furnace_1(lambda request: [])) as device,
            polling(tmp_path, device.port) as (recorder, poller),
        ):
            await until(lambda: DeviceState.DOWN in recorder.states("furnace1"))
            asked = sum(request.unit == 1 for request in device.requests)
        assert asked == counters_of(poller, "furnace1").timeouts == 3
        assert [sample.reason for sample in recorder.samples("furnace1", CO)] == [Reason.TIMEOUT]
        assert recorder.states("furnace2") == [DeviceState.UP]
        neighbour = recorder.samples("furnace2", COUNTER)
        gaps = [after.measured_at_ms - before.measured_at_ms for before, after in pairwise(neighbour)]
        assert sum(gap > 300 for gap in gaps) <= 3
        assert max(gaps) < 1_000

    in_pace(scene)


def test_polls_that_a_silent_neighbour_costs_are_told_as_gaps_between_the_samples_around_them(tmp_path: Path) -> None:
    async def scene() -> None:
        async with (
            scripted(with_furnace_1(lambda request: [])) as device,
            polling(tmp_path, device.port) as (recorder, poller),
        ):
            await until(lambda: len(recorder.lost) >= 2)
            count = len(recorder.samples("furnace2", COUNTER))
            await until(lambda: len(recorder.samples("furnace2", COUNTER)) > count)
        assert {(gap.device, gap.reason, gap.samples) for gap in recorder.lost} == {("furnace2", GapReason.OVERRUN, 0)}
        times = [sample.measured_at_ms for sample in recorder.samples("furnace2", COUNTER)]
        for gap in recorder.lost:
            assert gap.from_ms < gap.to_ms
            assert not [at_ms for at_ms in times if gap.from_ms <= at_ms < gap.to_ms]
        assert counters_of(poller, "furnace2").skipped_slots >= len(recorder.lost)

    in_pace(scene)


def test_refused_registers_are_marked_and_the_rest_of_the_device_goes_on(tmp_path: Path) -> None:
    async def scene() -> None:
        refuse_inputs = with_furnace_1(
            lambda request: [refusal(request, 2)] if request.function == 4 else plain(request)
        )
        async with (
            scripted(refuse_inputs) as device,
            polling(tmp_path, device.port, counter="") as (recorder, poller),
        ):
            await until(lambda: len(recorder.samples("furnace1", COUNTER)) >= 2)
        assert [sample.reason for sample in recorder.samples("furnace1", CHAMBER)] == [Reason.DEVICE_EXCEPTION]
        assert recorder.values("furnace1", DOOR) == [1.0]
        assert recorder.states("furnace1") == [DeviceState.UP]
        assert counters_of(poller, "furnace1").bad_reads >= 2

    in_pace(scene)


def test_a_single_lost_answer_is_marked_but_brings_no_device_down(tmp_path: Path) -> None:
    async def scene() -> None:
        async with scripted(plain) as device, polling(tmp_path, device.port) as (recorder, _):
            await until(lambda: recorder.values("furnace1", CO))
            device.script = with_furnace_1(lambda request: [])
            await until(lambda: recorder.values("furnace1", COUNTER)[-1] is None)
            device.script = plain
            await until(lambda: recorder.values("furnace1", COUNTER)[-1] is not None)
            assert recorder.states("furnace1") == [DeviceState.UP]

    in_pace(scene)


def test_nobody_there_at_the_start_is_said_at_once_and_down_after_three_attempts(tmp_path: Path) -> None:
    async def scene() -> None:
        async with polling(tmp_path, free_port(), clock=HastyClock()) as (recorder, _):
            await until(lambda: recorder.samples("furnace2", CO))
            assert recorder.samples("furnace1", CO)[0].reason is Reason.NOT_CONNECTED
            await until(lambda: recorder.states("furnace2") == [DeviceState.DOWN])
            assert recorder.states("furnace1") == [DeviceState.DOWN]

    in_pace(scene)
