"""One connection: due -> read -> decode -> stamp -> deadband -> sink. A failing device is left alone for a while."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence

import structlog
from msgspec.structs import replace

from edge_agent.backoff import backoff_ms
from edge_agent.clock import Clock, SystemClock
from edge_agent.config import Site
from edge_agent.counters import PollCounters
from edge_agent.devices.reads import PlannedRead
from edge_agent.errors import DeviceError
from edge_agent.modbus.client import Line
from edge_agent.modbus.connection import Connection
from edge_agent.modbus.registers import Readings
from edge_agent.polled_device import DeviceState, PolledDevice, continued
from edge_agent.scan import all_due_at, take_due
from edge_agent.stamps import GivenTimes, Stamp, next_stamp
from edge_agent.tags import DeviceTags, tag_devices
from edge_agent.wire.gap import Gap, GapReason
from edge_agent.wire.sample import Reason, Sample

FAILURES_UNTIL_DOWN = 3
LONGEST_PAUSE = 1.5  # in periods: a poll that is later than that was left out
DEATH_TOLD_MS = 300_000  # how often it is told that a dead device could not be read
log = structlog.get_logger(__name__)


Sink = Callable[[str, list[Sample]], Awaitable[None]]
DeviceWatch = Callable[[str, DeviceState], Awaitable[None]]
LossSink = Callable[[Gap], None]


def forget_losses(_gap: Gap) -> None:
    """A loss sink for where nobody keeps account."""


class ConnectionPoller:
    """Polls the devices behind one connection, one request at a time, until cancelled.

    Each poll hands the samples worth reporting to `sink`, in order of time. `watch` hears of UP before the first good
    samples of a device that came (back), and of DOWN after the samples that say why; none follow until it is UP.
    `stamp` is the time given last: what is read here is later. Between two polls the holder of `between_polls` may end
    `run` without losing a reading. `lose` hears of polls that were due and could not be made, and of times of being
    DOWN.
    """

    def __init__(
        self,
        connection: Connection,
        devices: Sequence[DeviceTags],
        sink: Sink,
        watch: DeviceWatch,
        clock: Clock | None = None,
        draw: Callable[[], float] = random.random,
        stamp: Stamp | None = None,
        lose: LossSink = forget_losses,
    ) -> None:
        self.name = f"poller {connection.name}"
        self._clock = clock or SystemClock()
        self._line = Line(connection)
        self._sink, self._watch, self._draw, self._lose = sink, watch, draw, lose
        now_ms = self._clock.monotonic_ms()
        self._devices = [PolledDevice(tags, now_ms) for tags in devices]
        self.stamp = stamp
        self._given = GivenTimes()
        self.between_polls = asyncio.Lock()

    @property
    def counters(self) -> list[PollCounters]:
        """The counters of each device, kept up to date."""
        return [device.counters for device in self._devices]

    async def run(self) -> None:
        """Poll whichever device has been due for longest, for ever."""
        try:
            while True:
                device = min(self._devices, key=lambda one: one.slots.earliest_ms)
                await self._clock.sleep_until(device.slots.earliest_ms)
                async with self.between_polls:
                    await self._poll(device)
        finally:
            self._line.close()

    def use_devices(self, devices: Sequence[DeviceTags], pollers: "Iterable[ConnectionPoller]") -> None:
        """Poll these devices from the next `run` on; those that any of `pollers` knows go on from where they are."""
        now_ms = self._clock.monotonic_ms()
        before = {device.name: device for poller in pollers for device in poller._devices}
        self._devices = [continued(before.get(tags.device.name), tags, now_ms) for tags in devices]
        for device in self._devices:
            if device.failures:  # who changed the file may have mended what failed
                device.slots = all_due_at(device.slots, now_ms)

    async def _poll(self, device: PolledDevice) -> None:
        begun_ms = self._clock.monotonic_ms()
        due = take_due(device.slots, begun_ms)
        device.slots = due.slots
        device.counters.polls += 1
        device.counters.skipped_slots += due.skipped
        if due.skipped and not device.failures:
            self._note_overrun(device, begun_ms)
        if not self._line.is_open and not await self._open():
            return
        reads = device.reads_for(due.periods_ms)
        samples: list[Sample] = []
        for number, read in enumerate(reads):
            try:
                samples += await self._read(device, read)
            except DeviceError as error:
                unread = [position for later in reads[number:] for position in later.positions]
                samples += self._bad(device, unread, error.reason)
                await self._failed(device, error, samples)
                return
        await self._succeeded(device, samples)
        device.counters.poll_times_ms.append(self._clock.monotonic_ms() - begun_ms)

    async def _open(self) -> bool:
        """Connect; where that fails, every device behind the line has failed."""
        try:
            await self._line.open()
        except DeviceError as error:
            for device in self._devices:
                samples = self._bad(device, range(device.size), error.reason)
                await self._failed(device, error, samples)
            return False
        now_ms = self._clock.monotonic_ms()
        for device in self._devices:
            if device.failure is Reason.NOT_CONNECTED:
                device.slots = all_due_at(device.slots, min(device.slots.earliest_ms, now_ms))
        return True

    async def _read(self, device: PolledDevice, read: PlannedRead) -> list[Sample]:
        """The samples of one read worth reporting; a refusal of the unit concerns these channels only."""
        asked_ms = self._clock.monotonic_ms()
        device.counters.reads += 1
        try:
            words = await self._line.read(device.name, device.unit_id, read.block)
        except DeviceError as error:
            device.counters.bad_reads += 1
            device.counters.timeouts += error.reason is Reason.TIMEOUT
            if error.reason is not Reason.DEVICE_EXCEPTION:
                raise
            device.note_refusal(read, error)
            return self._bad(device, read.positions, error.reason)
        device.note_acceptance(read)
        device.counters.response_times_ms.append(self._clock.monotonic_ms() - asked_ms)
        readings = read.decoder.decode(words)
        device.counters.samples_read += len(readings.values)
        return device.reported(read.positions, readings, self._next_stamp())

    def _bad(self, device: PolledDevice, positions: Sequence[int], reason: Reason) -> list[Sample]:
        readings = Readings([None] * len(positions), [reason] * len(positions))
        return device.reported(positions, readings, self._next_stamp())

    def _note_overrun(self, device: PolledDevice, begun_ms: int) -> None:
        """Polls were left out since the last reading. Of a device that fails its bad samples tell."""
        if device.arrived_ms is not None and begun_ms - device.arrived_ms > LONGEST_PAUSE * device.slots.periods_ms[0]:
            until_ms = self._now_ms()
            since_ms = min(device.read_at_ms + 1, until_ms)
            self._lose(Gap(device.name, since_ms, until_ms, 0, GapReason.OVERRUN))

    def _note_death(self, device: PolledDevice, until_ms: int) -> None:
        """The device could not be read until then, and no sample says so."""
        from_ms, device.dead_since_ms = device.dead_since_ms, max(until_ms, device.dead_since_ms)
        self._lose(Gap(device.name, from_ms, device.dead_since_ms, 0, GapReason.UNREACHABLE))

    def _now_ms(self) -> int:
        """The wall time, but not before the time given last."""
        return max(self._clock.wall_ms(), self.stamp.at_ms if self.stamp else 0)

    def _next_stamp(self) -> Stamp:
        clock = self._clock
        stamp = next_stamp(self.stamp, clock.wall_ms(), clock.monotonic_ms(), clock.discipline())
        self.stamp = replace(stamp, at_ms=self._given.free(stamp.at_ms))
        return self.stamp

    async def _succeeded(self, device: PolledDevice, samples: list[Sample]) -> None:
        device.failures, device.failure = 0, None
        device.read_at_ms, device.arrived_ms = self._now_ms(), self._clock.monotonic_ms()
        if device.state is DeviceState.DOWN:
            self._note_death(device, samples[0].measured_at_ms - 1 if samples else self._now_ms())
        if device.state is not DeviceState.UP:
            device.state = DeviceState.UP
            log.info("device_came_up", device=device.name, connection=self._line.connection.name)
            await self._watch(device.name, DeviceState.UP)
        await self._hand_on(device, samples)

    async def _failed(self, device: PolledDevice, error: DeviceError, samples: list[Sample]) -> None:
        """Hand on what says so, unless it is told dead by now, and leave the device alone for a while."""
        if error.reason is not device.failure:
            log.warning("device_read_failed", device=device.name, reason=error.reason.label, detail=error.detail)
        device.failures += 1
        device.failure = error.reason
        pause_ms = backoff_ms(device.failures, self._draw())
        device.slots = all_due_at(device.slots, self._clock.monotonic_ms() + pause_ms)
        if device.state is DeviceState.DOWN:
            if self._now_ms() - device.dead_since_ms >= DEATH_TOLD_MS:
                self._note_death(device, self._now_ms())
            return
        await self._hand_on(device, samples)
        if device.failures == FAILURES_UNTIL_DOWN:
            device.state, device.dead_since_ms = DeviceState.DOWN, self._now_ms()
            log.warning("device_went_down", device=device.name, reason=error.reason.label)
            await self._watch(device.name, DeviceState.DOWN)

    async def _hand_on(self, device: PolledDevice, samples: list[Sample]) -> None:
        device.counters.samples_reported += len(samples)
        if samples:
            await self._sink(device.name, samples)


def make_pollers(
    site: Site, sink: Sink, watch: DeviceWatch, clock: Clock | None = None, lose: LossSink = forget_losses
) -> list[ConnectionPoller]:
    """One poller for each connection that has devices; run each in a task of its own."""
    tagged = tag_devices(site)
    pollers = []
    for connection in site.connections:
        behind = [tags for tags in tagged if tags.device.connection == connection.name]
        if behind:
            pollers.append(ConnectionPoller(connection, behind, sink, watch, clock, lose=lose))
    return pollers
