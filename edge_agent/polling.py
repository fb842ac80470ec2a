"""The pollers of a site, each in a task of its own; stopped and started connection by connection."""

import asyncio
from collections.abc import Iterable

from edge_agent.clock import Clock
from edge_agent.counters import PollCounters, total_of
from edge_agent.modbus.connection import Connection
from edge_agent.poller import ConnectionPoller, DeviceWatch, LossSink, Sink, forget_losses
from edge_agent.site_plan import SitePlan
from edge_agent.stamps import stamp_before


class Polling:
    """Starts what is to run and is not running, stops what is named. Counts outlive the devices that they belong to.

    Samples are later than `newest_ms`, the newest one of the run before, unless the clock was wrong by far.
    """

    def __init__(
        self, sink: Sink, watch: DeviceWatch, clock: Clock, lose: LossSink = forget_losses, newest_ms: int = 0
    ) -> None:
        self._sink, self._watch, self._clock, self._lose = sink, watch, clock, lose
        self._before = stamp_before(newest_ms, clock.wall_ms(), clock.monotonic_ms())
        self._pollers: dict[str, ConnectionPoller] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._connections: dict[str, Connection] = {}
        self._gone = PollCounters(device="")

    @property
    def counters(self) -> list[PollCounters]:
        """The counters of each device that is polled, kept up to date."""
        return [one for poller in self._pollers.values() for one in poller.counters]

    @property
    def total(self) -> PollCounters:
        """The sums over all devices since the start, those that are no longer there included."""
        return total_of([self._gone, *self.counters])

    def start(self, group: asyncio.TaskGroup, plan: SitePlan) -> None:
        """Poll what the plan holds, as tasks of `group`; connections that are running go on as they are."""
        before = self.counters
        idle = [name for name in self._pollers if name not in self._tasks]
        known = [self._pollers[name] for name in idle]
        for connection in plan.site.connections:
            devices = plan.behind(connection.name)
            if devices and connection.name not in self._tasks:
                poller = self._prepared(connection)
                poller.use_devices(devices, known)
                self._tasks[connection.name] = group.create_task(poller.run(), name=poller.name)
        for name in idle:
            if name not in self._tasks:
                del self._pollers[name]
        kept = {id(counters) for counters in self.counters}
        self._gone = total_of([self._gone, *(counters for counters in before if id(counters) not in kept)])

    async def stop(self, names: Iterable[str]) -> None:
        """End the tasks of these connections, each after the poll that it is at."""
        async with asyncio.TaskGroup() as stopping:
            for name in self._tasks.keys() & set(names):
                stopping.create_task(self._stop(name), name=f"stop {name}")

    async def stop_at_once(self) -> None:
        """End every task, in the middle of a poll if need be."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _stop(self, name: str) -> None:
        task = self._tasks[name]
        async with self._pollers[name].between_polls:
            task.cancel()
        await asyncio.wait([task])
        del self._tasks[name]

    def _prepared(self, connection: Connection) -> ConnectionPoller:
        """The poller of the connection as it was; a new one where the connection is another."""
        poller = self._pollers.get(connection.name)
        if poller is not None and self._connections[connection.name] == connection:
            return poller
        stamps = [other.stamp for other in self._pollers.values() if other.stamp is not None]
        latest = max(stamps, key=lambda stamp: stamp.at_ms, default=self._before)
        poller = ConnectionPoller(connection, (), self._sink, self._watch, self._clock, stamp=latest, lose=self._lose)
        self._pollers[connection.name], self._connections[connection.name] = poller, connection
        return poller
