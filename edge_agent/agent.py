"""The edge agent: a site's pollers, its outbox and its publisher in one process."""

import asyncio
import random
import signal
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import structlog

from edge_agent.clock import Clock, SystemClock
from edge_agent.config import ClockWatching, Site, load_site
from edge_agent.errors import OutboxError
from edge_agent.kernel_clock import ask_kernel
from edge_agent.outbox import Outbox, open_outbox
from edge_agent.polled_device import DeviceState
from edge_agent.polling import Polling
from edge_agent.publisher import Credentials, Node, Pacing, PacingLimits, Presence, Publisher, tag_names
from edge_agent.reload import Reloader
from edge_agent.site_plan import SitePlan, is_same_node, loses_tags, plan_site, touched_connections
from edge_agent.supervisor import report_alive
from edge_agent.vitals import Vitals, write_status

DRAIN_LOOK_S, DRAIN_LOOKS = 0.1, 50
_PRESENCE = {DeviceState.UP: Presence.UP, DeviceState.DOWN: Presence.DOWN}
_log = structlog.get_logger()


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says: the site file, where to write counts, and where to answer scrapes (None: nowhere)."""

    site_file: Path
    status_file: Path | None = None
    metrics_port: int | None = None


class Agent:
    """The parts of one running agent."""

    def __init__(self, site: Site, outbox: Outbox, clock: Clock, options: RunOptions, refusal: str = "") -> None:
        self._plan, self._outbox, self._options = plan_site(site), outbox, options
        node = Node(site.home, site.edge, self._plan.births)
        self._publisher = Publisher(node, site.broker, outbox, clock, Pacing(PacingLimits(), random.random))
        self._polling = Polling(outbox.append, self._watch, clock, outbox.lose, outbox.newest_before_ms)
        self._reloader = Reloader(options.site_file, self._use, refusal)
        self._vitals = Vitals(outbox, self._publisher, self._polling, self._reloader, clock, lambda: self._plan.tagged)
        self._group: asyncio.TaskGroup
        self._following: Site | None = None
        self._left = asyncio.Event()
        outbox.listener = self._publisher.hear

    def reload(self) -> None:
        """Read the site file now."""
        self._reloader.ask()

    async def run(self, stop: asyncio.Event) -> Site | None:
        """Work until `stop` is set; then publish what was read, say farewell and end.

        Ends also for a site file that makes another node of this one, and returns it.
        """
        await self._outbox.use_tags(tag_names(self._plan.births))
        self._outbox.expect(self._plan.periods_ms)
        async with AsyncExitStack() as services:
            await self._serve_metrics(services)
            async with asyncio.TaskGroup() as self._group:
                reloading = self._group.create_task(self._reloader.run(), name="reload")
                others = self._start_others()
                self._polling.start(self._group, self._plan)
                await self._end(stop)
                reloading.cancel()
                await asyncio.wait([reloading])
                await self._polling.stop_at_once()
                await self._outbox.flush()
                for task in others:
                    task.cancel()
        if self._options.status_file:
            write_status(self._options.status_file, self._vitals.status())
        _log.info("agent_stopped")
        return self._following

    async def _serve_metrics(self, services: AsyncExitStack) -> None:
        if self._options.metrics_port is None:
            return
        from edge_agent.metrics import serve_metrics  # the exporter costs memory that few agents need

        port = await services.enter_async_context(serve_metrics(self._options.metrics_port, self._vitals.report))
        _log.info("metrics_served", port=port)

    def _start_others(self) -> list[asyncio.Task[None]]:
        """The tasks that go on until what was read last has been published."""
        work = {
            "outbox": self._outbox.run(),
            "publisher": self._publisher.run(),
            "clock": self._vitals.clock_watch.run(),
            "health": self._vitals.report_for_ever(),
            "supervisor": report_alive(),
        }
        if self._options.status_file:
            work["status"] = self._vitals.write_for_ever(self._options.status_file)
        return [self._group.create_task(coroutine, name=name) for name, coroutine in work.items()]

    async def _end(self, stop: asyncio.Event) -> None:
        """Return when the process is to stop, or when another node is to take this one's place."""
        waits = [self._group.create_task(event.wait(), name="end") for event in (stop, self._left)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    async def _use(self, site: Site) -> None:
        """Go over to a site; what is as before goes on undisturbed. Raises ConfigError or OutboxError."""
        before, after = self._plan, plan_site(site, self._plan)
        if not is_same_node(before.site, after.site):
            Credentials.of(site.broker)
            self._following = site
            self._left.set()
            return
        await self._flush()
        touched = touched_connections(before, after)
        await self._polling.stop(touched)
        try:
            await self._announce(before, after)
        except OutboxError:
            self._plan = before
            self._polling.start(self._group, before)
            raise
        self._polling.start(self._group, after)
        _log.info("site_file_taken_up", connections=sorted(touched), devices=len(after.tagged))

    async def _announce(self, before: SitePlan, after: SitePlan) -> None:
        """Tell other births, if they are others. From here on the node reports of no device that has no tags then."""
        self._plan = after
        if before.births == after.births:
            return
        await self._flush()
        if loses_tags(before, after):
            await self._drain()
        await self._publisher.use_births(after.births)

    async def _drain(self) -> None:
        """Give the centre a moment to take what was read so far: without its tag it could not be sent later."""
        until = self._outbox.durable_number
        for _ in range(DRAIN_LOOKS):
            if not self._publisher.has_link or not await self._outbox.backlog(0, until, 1, frozenset()):
                return
            await asyncio.sleep(DRAIN_LOOK_S)

    async def _flush(self) -> None:
        if not await self._outbox.flush():
            raise OutboxError("the site file waits until the outbox can be written again")

    async def _watch(self, device: str, state: DeviceState) -> None:
        self._publisher.device_changed(device, _PRESENCE[state])


async def run_agent(options: RunOptions) -> None:
    """Run the agent of a site file until SIGTERM or SIGINT; SIGHUP reads the file again.

    Raises ConfigError where the file is wrong at the start, and OutboxError where the outbox cannot be opened.
    """
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, _nobody_reloads)
    site, before, refusal = load_site(options.site_file), None, ""
    while True:
        try:
            following = await _run_node(site, options, refusal, stop)
        except OutboxError as error:
            if before is None:
                raise
            _log.error("site_file_refused", error=str(error))
            following, before, refusal = before, None, str(error)
        else:
            before, refusal = site, ""
        if following is None:
            return
        site = following


async def _run_node(site: Site, options: RunOptions, refusal: str, stop: asyncio.Event) -> Site | None:
    """Run one node; returns the site that takes its place, None at the end."""
    clock = SystemClock(ask_kernel) if site.synchronisation is ClockWatching.WATCHED else SystemClock()
    async with open_outbox(site.outbox, clock.wall_ms, clock.trusted_ms) as outbox:
        agent = Agent(site, outbox, clock, options, refusal)
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, agent.reload)
        return await agent.run(stop)


def _nobody_reloads() -> None:
    """Between two nodes the file is about to be read anyway."""
