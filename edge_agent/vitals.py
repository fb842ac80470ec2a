"""How the agent is doing: gathers the counts of its parts for health channels, metrics and the status file."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from edge_agent.clock import Clock
from edge_agent.clock_watch import ClockWatch
from edge_agent.counters import PollCounters
from edge_agent.health import PERIOD_S, DeviceHealth, Health, HealthReport, health_samples
from edge_agent.outbox import Outbox
from edge_agent.outbox.block import NODE
from edge_agent.polling import Polling
from edge_agent.publisher import Publisher
from edge_agent.reload import Reloader
from edge_agent.stamps import Discipline, Stamp, next_stamp
from edge_agent.tags import DeviceTags

STATUS_PERIOD_S = 1.0
_UNSYNCHRONISED = {Discipline.SYNCHRONISED: 0, Discipline.UNSYNCHRONISED: 1}


class AgentStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Counts since the start, but what is pending, dropped and the gaps are those of the outbox file.

    `samples_read` counts before the deadband; `samples_published` counts every sending, repeated ones too.
    """

    samples_read: int
    samples_published: int
    blocks_pending: int
    blocks_acknowledged: int
    samples_acknowledged: int
    samples_dropped: int
    gaps: int


class Vitals:
    """Reads the agent's parts. `tagged` gives the devices as they are configured now."""

    def __init__(
        self,
        outbox: Outbox,
        publisher: Publisher,
        polling: Polling,
        reloader: Reloader,
        clock: Clock,
        tagged: Callable[[], tuple[DeviceTags, ...]],
    ) -> None:
        self._outbox, self._publisher, self._polling, self._reloader = outbox, publisher, polling, reloader
        self._clock, self._tagged = clock, tagged
        self.clock_watch = ClockWatch(clock)

    def status(self) -> AgentStatus:
        """What was done so far."""
        state, done = self._outbox.state, self._publisher.counters
        return AgentStatus(
            samples_read=self._polling.total.samples_read,
            samples_published=done.samples_published,
            blocks_pending=state.blocks + self._outbox.blocks_waiting,
            blocks_acknowledged=done.blocks_acknowledged,
            samples_acknowledged=done.samples_acknowledged,
            samples_dropped=state.samples_dropped,
            gaps=state.gaps,
        )

    def report(self) -> HealthReport:
        """How the node and its devices are doing now."""
        return HealthReport(self._node(), tuple(_device(counters) for counters in self._polling.counters))

    async def report_for_ever(self) -> None:
        """Append the node's samples to the outbox once a period, and when a site file was taken up or refused."""
        stamp: Stamp | None = None
        while True:
            clock = self._clock
            stamp = next_stamp(stamp, clock.wall_ms(), clock.monotonic_ms(), clock.discipline())
            samples = health_samples(self.report(), self._tagged(), stamp.at_ms, stamp.reason)
            await self._outbox.append(NODE, samples)
            with suppress(TimeoutError):
                async with asyncio.timeout(PERIOD_S):
                    await self._reloader.news.wait()
            self._reloader.news.clear()

    async def write_for_ever(self, status_file: Path) -> None:
        """Rewrite the status file once a second."""
        while True:
            await asyncio.to_thread(write_status, status_file, self.status())
            await asyncio.sleep(STATUS_PERIOD_S)

    def _node(self) -> Health:
        state, polled = self._outbox.state, self._polling.total
        sent, reloads = self._publisher.counters, self._reloader
        now_ms, behind_ms = self._clock.wall_ms(), sent.clock_behind_ms
        oldest_ms = now_ms if state.oldest_ms is None else state.oldest_ms
        return Health(
            outbox_depth=state.blocks + self._outbox.blocks_waiting,
            outbox_bytes=state.bytes,
            outbox_oldest_s=max(0, now_ms - oldest_ms) / 1000,
            outbox_write_errors_total=self._outbox.write_errors,
            samples_read_total=polled.samples_read,
            samples_dropped=state.samples_dropped,
            blocks_resent_total=sent.blocks_resent,
            poll_errors_total=polled.bad_reads,
            connections_total=sent.connections,
            timeouts_total=polled.timeouts,
            skipped_slots_total=polled.skipped_slots,
            clock_offset_s=None if behind_ms is None else behind_ms / 1000,
            clock_unsynchronised=_UNSYNCHRONISED.get(self.clock_watch.discipline),
            clock_steps_total=self.clock_watch.steps_total,
            site_file_refused=int(bool(reloads.refusal)),
            reloads_total=reloads.accepted_total,
            reload_errors_total=reloads.refused_total,
            memory_mb=memory_mb(),
        )


def write_status(path: Path, status: AgentStatus) -> None:
    """Replace the status file in one step, as one line of JSON; a full disk leaves the old one."""
    fresh = path.with_name(path.name + ".new")
    with suppress(OSError):
        fresh.write_bytes(msgspec.json.encode(status) + b"\n")
        fresh.replace(path)


def memory_mb() -> float | None:
    """The memory that this process holds now, MB (Linux; None elsewhere)."""
    with suppress(OSError):
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    return None


def _device(counters: PollCounters) -> DeviceHealth:
    return DeviceHealth(
        device=counters.device,
        poll_p95_ms=counters.poll_ms(95),
        response_p50_ms=counters.response_ms(50),
        response_p95_ms=counters.response_ms(95),
        timeouts_total=counters.timeouts,
        bad_reads_total=counters.bad_reads,
        skipped_slots_total=counters.skipped_slots,
    )
