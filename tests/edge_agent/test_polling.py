import asyncio
from collections.abc import Awaitable, Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from edge_agent.clock import SystemClock
from edge_agent.config import load_site
from edge_agent.polled_device import DeviceState
from edge_agent.polling import Polling
from edge_agent.site_plan import SitePlan, plan_site, touched_connections
from edge_agent.wire.gap import GapReason
from edge_agent.wire.sample import Reason, Sample
from tests.edge_agent.modbus.server import running_server
from tests.edge_agent.sites import SITE, write_site
from tests.edge_agent.test_poller import COUNTER, FAST, HastyClock, Recorder
from tests.support.broker import free_port
from tests.support.waiting import until

SECOND_LINE = '[[connection]]\nname = "plc2"\nhost = "127.0.0.1"\nport = {port}\n'
TWO_LINES = SITE.replace("[[device]]", SECOND_LINE + "\n[[device]]", 1).replace(
    'connection = "plc"\nunit_id = 2', 'connection = "plc2"\nunit_id = 2'
)
FIRST_ALONE = SITE[: SITE.rindex("[[device]]")]


class Stage:
    """Pollers whose site changes; what they say is taken down."""

    def __init__(self, group: asyncio.TaskGroup, folder: Path, port: int, clock: SystemClock) -> None:
        self.recorder = Recorder()
        self.polling = Polling(self.recorder.sink, self.recorder.watch, clock, self.recorder.lost.append)
        self._group, self._folder, self._port = group, folder, port
        self._plan: SitePlan | None = None

    async def use(self, site: str, port: int | None = None, counter: str = FAST) -> None:
        """Go over to that site, as the agent does."""
        before = self._plan
        self._plan = plan_site(load_site(write_site(self._folder, port or self._port, site, counter)), before)
        if before is not None:
            await self.polling.stop(touched_connections(before, self._plan))
        self.polling.start(self._group, self._plan)

    async def counts(self, device: str, more: int) -> list[float | str | None]:
        """The counter's values of a device once there are so many more."""
        seen = len(self.recorder.samples(device, COUNTER))
        await until(lambda: len(self.recorder.samples(device, COUNTER)) >= seen + more)
        return self.recorder.values(device, COUNTER)


def play(folder: Path, port: int, story: Callable[[Stage], Awaitable[None]], clock: SystemClock | None = None) -> None:
    async def scene() -> None:
        async with asyncio.TaskGroup() as group:
            stage = Stage(group, folder, port, clock or SystemClock())
            await story(stage)
            await stage.polling.stop_at_once()

    asyncio.run(scene())


@pytest.fixture
def port() -> Iterator[int]:
    chosen = free_port()
    with running_server(chosen):
        yield chosen


def task_of(connection: str) -> "asyncio.Task[object]":
    return next(task for task in asyncio.all_tasks() if task.get_name() == f"poller {connection}")


def is_complete(counts: list[float | str | None]) -> bool:
    return counts == [float(number) for number in range(1, len(counts) + 1)]


def test_a_line_that_is_as_before_is_not_touched_while_another_is_set_up_anew(tmp_path: Path, port: int) -> None:
    async def story(stage: Stage) -> None:
        await stage.use(TWO_LINES)
        await stage.counts("furnace2", 3)
        first = task_of("plc")
        for deadband in ("0.6", "0.7", "0.8"):
            await stage.use(TWO_LINES.replace("deadband = 0.5", f"deadband = {deadband}"))
            assert is_complete(await stage.counts("furnace2", 3))
        assert task_of("plc") is first
        assert is_complete(await stage.counts("furnace1", 3))
        assert stage.recorder.states("furnace1") == [DeviceState.UP]

    play(tmp_path, port, story)


def test_devices_come_and_go_on_a_line_and_the_others_lose_no_reading(tmp_path: Path, port: int) -> None:
    async def story(stage: Stage) -> None:
        await stage.use(FIRST_ALONE)
        await stage.counts("furnace1", 3)
        await stage.use(SITE)
        await stage.counts("furnace2", 3)
        await stage.use(FIRST_ALONE)
        gone = len(stage.recorder.samples("furnace2", COUNTER))
        assert is_complete(await stage.counts("furnace1", 5))
        assert len(stage.recorder.samples("furnace2", COUNTER)) == gone
        times = [sample.measured_at_ms for sample in stage.recorder.samples("furnace1", COUNTER)]
        assert all(before < after for before, after in pairwise(times))

    play(tmp_path, port, story)


def test_counts_outlive_the_devices_that_they_belong_to(tmp_path: Path, port: int) -> None:
    async def story(stage: Stage) -> None:
        await stage.use(TWO_LINES)
        await stage.counts("furnace2", 3)
        read = stage.polling.total.samples_read
        await stage.use(FIRST_ALONE)
        assert [counters.device for counters in stage.polling.counters] == ["furnace1"]
        assert stage.polling.total.samples_read >= read
        await stage.use(FIRST_ALONE, counter="scan_s = 0.2")
        assert stage.polling.counters[0].samples_read > 0

    play(tmp_path, port, story)


def test_a_device_moved_to_another_line_has_no_reading_twice_and_its_times_go_on(tmp_path: Path, port: int) -> None:
    async def story(stage: Stage) -> None:
        await stage.use(SITE)
        await stage.counts("furnace2", 3)
        await stage.use(TWO_LINES)
        assert is_complete(await stage.counts("furnace2", 3))
        times = [sample.measured_at_ms for sample in stage.recorder.samples("furnace2", COUNTER)]
        assert all(before < after for before, after in pairwise(times))
        assert [counters.device for counters in stage.polling.counters] == ["furnace1", "furnace2"]

    play(tmp_path, port, story)


def test_a_device_that_was_dead_is_dead_until_it_is_read_at_its_new_address(tmp_path: Path, port: int) -> None:
    async def story(stage: Stage) -> None:
        await stage.use(FIRST_ALONE, port=free_port())
        await until(lambda: DeviceState.DOWN in stage.recorder.states("furnace1"))
        said = len(stage.recorder.events)
        await stage.use(FIRST_ALONE)
        await stage.counts("furnace1", 2)
        assert stage.recorder.states("furnace1") == [DeviceState.DOWN, DeviceState.UP]
        later = [event for _, event in stage.recorder.events[said:]]
        assert later[0] is DeviceState.UP
        assert all(event.value is not None for event in later if isinstance(event, Sample))
        assert GapReason.UNREACHABLE in [gap.reason for gap in stage.recorder.lost]

    play(tmp_path, port, story, HastyClock())


def test_samples_are_later_than_those_of_a_run_before_the_clock_was_set_back(tmp_path: Path, port: int) -> None:
    clock = SystemClock()
    newest_ms = clock.wall_ms() + 60_000

    async def scene() -> None:
        recorder = Recorder()
        polling = Polling(recorder.sink, recorder.watch, clock, newest_ms=newest_ms)
        async with asyncio.TaskGroup() as group:
            polling.start(group, plan_site(load_site(write_site(tmp_path, port, SITE, FAST))))
            await until(lambda: len(recorder.samples("furnace1", COUNTER)) >= 3)
            await polling.stop_at_once()
        assert all(sample.measured_at_ms > newest_ms for sample in recorder.samples("furnace1", COUNTER))

    asyncio.run(scene())


class WrongClock(SystemClock):
    """Shows another year until it is set right."""

    ahead_ms = 3653 * 86_400_000

    def wall_ms(self) -> int:
        return super().wall_ms() + self.ahead_ms


def test_a_start_in_another_year_is_over_for_every_tag_as_soon_as_the_clock_is_set_right(
    tmp_path: Path, port: int
) -> None:
    clock = WrongClock()

    async def story(stage: Stage) -> None:
        await stage.use(FIRST_ALONE)
        await stage.counts("furnace1", 3)
        clock.ahead_ms = 0
        right_ms = clock.wall_ms()

        def newest() -> list[Sample]:
            return [stage.recorder.samples("furnace1", channel)[-1] for channel in range(4)]

        await until(lambda: all(sample.measured_at_ms < right_ms + 60_000 for sample in newest()))
        assert all(sample.measured_at_ms >= right_ms for sample in newest())
        assert {sample.reason for sample in newest()} == {Reason.CLOCK_STEPPED}
        assert is_complete(await stage.counts("furnace1", 3))

    play(tmp_path, port, story, clock)
