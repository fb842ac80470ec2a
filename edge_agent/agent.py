"""The edge agent: a site's pollers, its outbox and its publisher in one process."""

import asyncio
import random
import signal
import sys
from contextlib import suppress
from pathlib import Path

import msgspec
import structlog

from edge_agent.clock import SystemClock
from edge_agent.config import Site
from edge_agent.counters import PollCounters, total_of
from edge_agent.health import PERIOD_S, Health, health_samples, node_birth
from edge_agent.outbox import Outbox, open_outbox
from edge_agent.outbox.block import NODE
from edge_agent.poller import ConnectionPoller, DeviceState, make_pollers
from edge_agent.publisher import Node, NodeBirths, Pacing, PacingLimits, Presence, Publisher, tag_names
from edge_agent.tags import device_birth, tag_devices

STATUS_PERIOD_S = 1.0
_PRESENCE = {DeviceState.UP: Presence.UP, DeviceState.DOWN: Presence.DOWN}
_log = structlog.get_logger()


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


class Agent:
    """The parts of one running agent."""

    def __init__(self, site: Site, outbox: Outbox) -> None:
        clock, births = SystemClock(), site_births(site)
        self._clock, self._outbox = clock, outbox
        self._tags = tag_names(births)
        node = Node(site.home, site.edge, births)
        self._publisher = Publisher(node, site.broker, outbox, clock, Pacing(PacingLimits(), random.random))
        self._pollers: list[ConnectionPoller] = make_pollers(site, outbox.append, self._watch, clock)
        outbox.listener = self._publisher.hear

    async def run(self, stop: asyncio.Event, status_file: Path | None) -> None:
        """Work until `stop` is set; then publish what was read, say farewell and end."""
        await self._outbox.use_tags(self._tags)
        async with asyncio.TaskGroup() as group:
            pollers = [group.create_task(poller.run(), name=poller.name) for poller in self._pollers]
            others = [
                group.create_task(self._outbox.run(), name="outbox"),
                group.create_task(self._publisher.run(), name="publisher"),
                group.create_task(self._report_health(), name="health"),
            ]
            if status_file:
                others.append(group.create_task(self._write_status(status_file), name="status"))
            await stop.wait()
            for task in pollers:
                task.cancel()
            await asyncio.gather(*pollers, return_exceptions=True)
            await self._outbox.flush()
            for task in others:
                task.cancel()
        if status_file:
            write_status(status_file, self.status())
        _log.info("agent_stopped")

    def status(self) -> AgentStatus:
        """What was done so far."""
        state, done = self._outbox.state, self._publisher.counters
        return AgentStatus(
            samples_read=self._polled().samples_read,
            samples_published=done.samples_published,
            blocks_pending=state.blocks + self._outbox.blocks_waiting,
            blocks_acknowledged=done.blocks_acknowledged,
            samples_acknowledged=done.samples_acknowledged,
            samples_dropped=state.samples_dropped,
            gaps=state.gaps,
        )

    def health(self) -> Health:
        """What the node reports of itself now."""
        state, polled, now_ms = self._outbox.state, self._polled(), self._clock.wall_ms()
        oldest_ms = now_ms if state.oldest_ms is None else state.oldest_ms
        return Health(
            outbox_depth=state.blocks + self._outbox.blocks_waiting,
            outbox_bytes=state.bytes,
            outbox_oldest_s=max(0, now_ms - oldest_ms) / 1000,
            outbox_write_errors_total=self._outbox.write_errors,
            samples_read_total=polled.samples_read,
            samples_dropped=state.samples_dropped,
            blocks_resent_total=self._publisher.counters.blocks_resent,
            poll_errors_total=polled.bad_reads,
            connections_total=self._publisher.counters.connections,
        )

    def _polled(self) -> PollCounters:
        return total_of(one for poller in self._pollers for one in poller.counters)

    async def _watch(self, device: str, state: DeviceState) -> None:
        self._publisher.device_changed(device, _PRESENCE[state])

    async def _report_health(self) -> None:
        while True:
            await self._outbox.append(NODE, health_samples(self.health(), self._clock.wall_ms()))
            await asyncio.sleep(PERIOD_S)

    async def _write_status(self, path: Path) -> None:
        while True:
            await asyncio.to_thread(write_status, path, self.status())
            await asyncio.sleep(STATUS_PERIOD_S)


async def run_agent(site: Site, status_file: Path | None) -> None:
    """Run a site's agent until SIGTERM or SIGINT. Raises OutboxError where the outbox cannot be opened."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with open_outbox(site.outbox, SystemClock().wall_ms) as outbox:
        await Agent(site, outbox).run(stop, status_file)


def site_births(site: Site) -> NodeBirths:
    """The births of the node and of every device."""
    return NodeBirths(node_birth(site), {tags.device.name: device_birth(tags) for tags in tag_devices(site)})


def write_status(path: Path, status: AgentStatus) -> None:
    """Replace the status file in one step, as one line of JSON; a full disk leaves the old one."""
    fresh = path.with_name(path.name + ".new")
    with suppress(OSError):
        fresh.write_bytes(msgspec.json.encode(status) + b"\n")
        fresh.replace(path)


def configure_logging() -> None:
    """Log lines to stderr: for people on a terminal, as JSON elsewhere."""
    people = sys.stderr.isatty()
    renderer = structlog.dev.ConsoleRenderer() if people else structlog.processors.JSONRenderer(ensure_ascii=False)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
