"""One device behind a connection: when it is due, how it is read, what it last reported and how it is doing. No I/O."""

from collections.abc import Sequence
from enum import Enum

import structlog

from edge_agent.counters import PollCounters
from edge_agent.deadband import ReportFilter
from edge_agent.devices.reads import PlannedRead, plan_reads, positions_of, scan_classes
from edge_agent.errors import DeviceError
from edge_agent.modbus.registers import Readings
from edge_agent.scan import first_slots
from edge_agent.stamps import Stamp
from edge_agent.tags import DeviceTags
from edge_agent.wire.sample import Reason, Sample

log = structlog.get_logger(__name__)


class DeviceState(Enum):
    """Whether a device can be read: `UP` from its first good answer, `DOWN` after three failures in a row."""

    UP = "up"
    DOWN = "down"


class PolledDevice:
    """One device: when it is due, how it is read, what it last reported and how it is doing."""

    def __init__(self, tags: DeviceTags, now_ms: int) -> None:
        device = tags.device
        self.name, self.unit_id = device.name, device.unit_id
        self.size = len(tags.aliases)
        self.slots = first_slots(scan_classes(device.profile), now_ms)
        self.counters = PollCounters(device=device.name)
        self.state: DeviceState | None = None
        self.dead_since_ms = 0
        self.arrived_ms: int | None = None  # of the last reading, monotonic
        self.read_at_ms = 0
        self.failures = 0
        self.failure: Reason | None = None
        self.tags = tags
        self._filter = ReportFilter([channel.report for channel in device.profile.channels])
        self._plans: dict[tuple[int, ...], tuple[PlannedRead, ...]] = {}
        self._refused: set[tuple[int, ...]] = set()

    def reads_for(self, periods_ms: tuple[int, ...]) -> tuple[PlannedRead, ...]:
        """The reads for the scan classes that are due, planned once for each combination."""
        if periods_ms not in self._plans:
            profile = self.tags.device.profile
            self._plans[periods_ms] = plan_reads(profile, positions_of(profile, periods_ms))
        return self._plans[periods_ms]

    def reported(self, positions: Sequence[int], readings: Readings, stamp: Stamp) -> list[Sample]:
        """The readings that pass the channels' report rules, as samples."""
        samples = []
        aliases, at_ms, passes = self.tags.aliases, stamp.at_ms, self._filter.passes
        for position, value, reason in zip(positions, readings.values, readings.reasons, strict=True):
            if reason is Reason.GOOD:
                reason = stamp.reason
            if passes(position, value, reason, at_ms):
                samples.append(Sample(aliases[position], at_ms, value, reason))
        return samples

    def note_refusal(self, read: PlannedRead, error: DeviceError) -> None:
        """Log the first of a row of refusals of the same channels."""
        if read.positions not in self._refused:
            self._refused.add(read.positions)
            log.warning("device_read_refused", device=self.name, detail=error.detail)

    def note_acceptance(self, read: PlannedRead) -> None:
        """Log that channels which were refused can be read again."""
        if read.positions in self._refused:
            self._refused.remove(read.positions)
            log.info("device_read_accepted", device=self.name, table=read.block.table, address=read.block.first)


def continued(before: PolledDevice | None, tags: DeviceTags, now_ms: int) -> PolledDevice:
    """The device as it was where nothing changed; where something did, its counts go on, and its state."""
    if before is not None and before.tags == tags:
        return before
    device = PolledDevice(tags, now_ms)
    if before is not None:
        device.counters = before.counters
        device.state, device.dead_since_ms = before.state, before.dead_since_ms
        device.failures, device.failure = before.failures, before.failure
    return device
