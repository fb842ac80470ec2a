"""A publisher with a real outbox, told what a poller would tell it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from edge_agent.clock import SystemClock
from edge_agent.config import Broker, OutboxLimits
from edge_agent.outbox import Outbox, open_outbox
from edge_agent.publisher import Node, NodeBirths, Pacing, PacingLimits, Publisher
from edge_agent.wire.birth import Birth, ChannelBirth
from edge_agent.wire.metric import DataType
from edge_agent.wire.mqtt import MqttVersion
from edge_agent.wire.sample import Reason, Sample
from edge_agent.wire.topic import MessageType, Topic
from tests.support.host import Heard
from tests.support.waiting import until

GROUP, EDGE = "home-1", "edge-1"
COMMAND = Topic(GROUP, MessageType.NCMD, EDGE)
PATIENT = PacingLimits(first_timeout_ms=30_000, least_timeout_ms=30_000)  # nothing is sent again on a busy machine
IMPATIENT = PacingLimits(first_timeout_ms=300, least_timeout_ms=200, most_timeout_ms=400)
Story = Callable[["Scene"], Awaitable[None]]


def births() -> NodeBirths:
    """A node with one channel and two furnaces with two channels each."""

    def birth(first: int, *names: str) -> Birth:
        pairs = enumerate(names, first + 1)
        channels = tuple(ChannelBirth(name=name, alias=alias, datatype=DataType.DOUBLE) for alias, name in pairs)
        return Birth(channels=channels, block_alias=first)

    devices = {"furnace-1": birth(10, "co", "o2"), "furnace-2": birth(20, "co", "o2")}
    return NodeBirths(birth(1, "depth"), devices)


def sequence(heard: list[Heard]) -> list[int]:
    """The seq of every message but deaths of the node, which have none."""
    return [message.payload.seq for message in heard if message.type is not MessageType.NDEATH]


class Scene:
    """The parts of one story; `value` of sample n of a device is n."""

    def __init__(self, outbox: Outbox, publisher: Publisher, pacing: Pacing) -> None:
        self.outbox, self.publisher, self.pacing = outbox, publisher, pacing
        self.counters = publisher.counters
        self._count = 0

    async def measure(self, blocks: int = 1, device: str = "furnace-1", reason: Reason = Reason.GOOD) -> None:
        """Append blocks of one sample."""
        alias = {"": 2, "furnace-1": 11, "furnace-2": 21}[device]
        for _ in range(blocks):
            self._count += 1
            value = None if reason.is_bad else float(self._count)
            await self.outbox.append(device, [Sample(alias, time.time_ns() // 1_000_000, value, reason)])

    async def connected(self, times: int = 1) -> None:
        """Wait until the publisher has been born that often."""
        await until(lambda: self.counters.connections >= times)


def play(
    path: Path,
    port: int,
    story: Story,
    limits: PacingLimits = PATIENT,
    mqtt: MqttVersion = MqttVersion.V3_1_1,
    primary_host: str = "",
    clock: SystemClock | None = None,
) -> None:
    """Run a story beside a publisher; afterwards the publisher is ended cleanly."""

    async def scene() -> None:
        async with open_outbox(OutboxLimits(path=path), SystemClock().wall_ms) as outbox:
            node = Node(GROUP, EDGE, births())
            broker = Broker(host="127.0.0.1", port=port, mqtt=mqtt, primary_host=primary_host)
            pacing = Pacing(limits, lambda: 0.5)
            publisher = Publisher(node, broker, outbox, clock or SystemClock(), pacing)
            outbox.listener = publisher.hear
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(outbox.run()), group.create_task(publisher.run())]
                await story(Scene(outbox, publisher, pacing))
                for task in tasks:
                    task.cancel()

    asyncio.run(scene())
