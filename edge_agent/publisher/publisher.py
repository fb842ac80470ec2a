"""The publisher: connect, be born, send what is measured at once and what was missed as history, heed commands."""

import asyncio
import random
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

import structlog

from edge_agent.backoff import backoff_ms
from edge_agent.clock import Clock
from edge_agent.config import Broker
from edge_agent.errors import LinkError, OutboxError
from edge_agent.outbox import Block, Outbox
from edge_agent.publisher.counts import PublisherCounters
from edge_agent.publisher.hearing import Hearing
from edge_agent.publisher.link import Credentials, Link, NotReachedError, connect
from edge_agent.publisher.node import Node, NodeBirths, tag_names
from edge_agent.publisher.pacing import Lane, Pacing
from edge_agent.publisher.presences import Presence
from edge_agent.publisher.telling import DeviceTelling
from edge_agent.wire.command import Acknowledgement
from edge_agent.wire.gap import FIRST_GAP_BLOCK

REBIRTH_INTERVAL_MS = 2_000  # requests that come faster are answered together
MAX_FRESH_BLOCKS = 2_048  # live blocks that wait for the session; more than this travel as history
MAX_UNWRITTEN = 64  # messages in front of the socket above which history waits, so that live values pass
RESEND_BATCH = 128
IDLE_MS = 1_000
GAP_ANSWER_MS = 10_000  # a gap record that is not acknowledged by then is sent again
_UNBORN = -1
_log = structlog.get_logger()


class HostOfflineError(LinkError):
    """The primary host is not online: what is measured waits in the outbox."""


class Publisher:
    """Brings the outbox to the centre. `hear` is the outbox's listener, `device_changed` the poller's watch.

    `owes_births` says that births were asked for and are not said yet.
    """

    def __init__(self, node: Node, broker: Broker, outbox: Outbox, clock: Clock, pacing: Pacing) -> None:
        self.counters = PublisherCounters()
        self._node, self._broker, self._outbox, self._clock, self._pacing = node, broker, outbox, clock, pacing
        self._credentials = Credentials.of(broker)
        self._wake = asyncio.Event()
        self._fresh: deque[Block] = deque(maxlen=MAX_FRESH_BLOCKS)
        self._telling, self._hearing = DeviceTelling(node, clock), Hearing(self.counters, clock)
        self._live_until = self._cursor = 0
        self._bd_seq = self._born_epoch = 0
        self._bd_seq_used = True
        self._between_turns = asyncio.Lock()
        self.owes_births = False
        self._rebirth_allowed_ms = 0
        self._resend_after_ms = 0
        self._gaps_after_ms = 0
        self._has_link = False

    @property
    def has_link(self) -> bool:
        """True while there is a session with the broker."""
        return self._has_link

    def hear(self, blocks: Sequence[Block]) -> None:
        """Blocks became durable: they may be published."""
        self._node.remember(blocks)
        self._fresh.extend(blocks)
        self._wake.set()

    def device_changed(self, device: str, presence: Presence) -> None:
        """A device came or went: told after all that was appended to the outbox before."""
        self._telling.changed(device, presence, self._outbox.last_number)
        self._wake.set()

    async def use_births(self, births: NodeBirths) -> None:
        """Go over to other births, and tell them at once: what waits in the outbox is given their aliases.

        All that was appended for tags that change must be durable by now. Raises OutboxError; all is then as before.
        """
        async with self._between_turns:
            await self._outbox.use_tags(tag_names(births))
            self._node.use_births(births)
            self._fresh.clear()  # the outbox has them with their new aliases, and they follow as history
            self._telling.keep(births.devices.keys())
            self._born_epoch = _UNBORN
        self._wake.set()

    async def run(self) -> None:
        """Hold a session with the broker for ever; being without one is no error."""
        failures = 0
        while True:
            connections = self.counters.connections
            try:
                await self._session()
            except LinkError as error:
                self._has_link = False
                failures = 1 if self.counters.connections > connections else failures + 1
                if failures == 1:
                    _log.warning("link_lost", error=str(error))
            await asyncio.sleep(backoff_ms(failures, random.random()) / 1000)

    async def _session(self) -> None:
        if self._bd_seq_used:
            self._bd_seq = await self._outbox.next_bd_seq()
        self._bd_seq_used = True
        node, now_ms = self._node, self._clock.wall_ms()
        will = node.death(self._bd_seq, now_ms)
        try:
            async with connect(
                self._broker, self._credentials, node.client_id, will, node.command_topic, self._wake.set
            ) as link:
                await self._converse(link)
        except NotReachedError:
            self._bd_seq_used = False
            raise

    async def _converse(self, link: Link) -> None:
        """Be born once the primary host is there, and speak; farewell when we end or the primary host goes."""
        try:
            await self._await_primary_host(link)
            self._begin(link)
            while True:
                self._wake.clear()
                async with self._between_turns:
                    await self._turn(link)
                await self._pause(link)
        except asyncio.CancelledError:
            if self._has_link and not self.owes_births:
                with suppress(LinkError):
                    self._send_live(link)
            await link.farewell(self._node.death(self._bd_seq, self._clock.wall_ms()))
            raise
        except HostOfflineError:
            await link.farewell(self._node.death(self._bd_seq, self._clock.wall_ms()))
            raise

    async def _await_primary_host(self, link: Link) -> None:
        """Return when the primary host is online, at once where none is named; commands are not heeded until then."""
        host = self._hearing.primary_host
        host.connected()
        while self._broker.primary_host and not host.online:
            self._wake.clear()
            link.check()
            link.take_commands()
            self._hearing.states(link.take_states())
            if not host.online:
                await self._wake.wait()

    def _begin(self, link: Link) -> None:
        """Be born. What is durable by now is history, what comes is live."""
        self._has_link = True
        self.counters.connections += 1
        _log.info("link_opened", broker=f"{self._broker.host}:{self._broker.port}", bd_seq=self._bd_seq)
        self._fresh.clear()
        self._live_until, self._cursor = self._outbox.durable_number, 0
        self._telling.catch_up(self._live_until)
        self._pacing.connected(self._clock.monotonic_ms())
        self.owes_births = False
        self._gaps_after_ms = 0
        self._be_born(link)

    def _be_born(self, link: Link) -> None:
        self._born_epoch = self._outbox.epoch
        known, now_ms = self._outbox.acknowledged, self._clock.wall_ms()
        for message in self._node.births(self._bd_seq, self._born_epoch, now_ms, known):
            link.publish(message)
        self._telling.all_born()

    async def _turn(self, link: Link) -> None:
        """Do all that can be done now."""
        link.check()
        self._hearing.states(link.take_states())
        if self._broker.primary_host and not self._hearing.primary_host.online:
            raise HostOfflineError(f"primary host {self._broker.primary_host} went offline")
        await self._obey(link.take_commands())
        self._rebirth(link)
        if self.owes_births:
            return  # from a request until its births no data may be sent (specification 5.21)
        self._send_live(link)
        woken, late = self._telling.wake(link), self._pacing.expire(self._clock.monotonic_ms())
        if woken or late:
            self._cursor = 0
        await self._resend(link)
        self._telling.bury(link, self._pacing.under_way, all_sent=self._cursor >= self._live_until)
        await self._tell_gaps(link)

    async def _pause(self, link: Link) -> None:
        """Wait for news, the next timeout, or room for more history."""
        now_ms = self._clock.monotonic_ms()
        due_ms = self._rebirth_allowed_ms if self.owes_births else self._due_ms(link, now_ms)
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0, due_ms - now_ms) / 1000):
                await self._wake.wait()

    def _due_ms(self, link: Link, now_ms: int) -> int:
        due = [now_ms + IDLE_MS]
        if self._pacing.next_check_ms is not None:
            due.append(self._pacing.next_check_ms)
        if self._telling.presences.next_ms is not None:
            due.append(self._telling.presences.next_ms)
        if self._cursor < self._live_until and self._pacing.room(now_ms + 20):
            due.append(max(self._resend_after_ms, now_ms + (20 if link.unwritten > MAX_UNWRITTEN else 1)))
        return min(due)

    async def _obey(self, payloads: Sequence[bytes]) -> None:
        """Heed commands."""
        heard = self._hearing.commands(payloads, self._node.command_aliases)
        self.owes_births |= heard.rebirth
        accepted = [found for found in heard.acknowledgements if self._outbox.accepts(found)]
        if accepted:
            await self._release(accepted)

    async def _release(self, acknowledgements: Sequence[Acknowledgement]) -> None:
        ranges = [ends for acknowledgement in acknowledgements for ends in acknowledgement.ranges]
        self._pacing.acknowledged(ranges, self._clock.monotonic_ms())
        released = await self._outbox.release(ranges)
        self.counters.blocks_acknowledged += released.blocks
        self.counters.samples_acknowledged += released.samples
        if any(last >= FIRST_GAP_BLOCK for _, last in ranges):
            self._gaps_after_ms = 0

    def _rebirth(self, link: Link) -> None:
        """Births again where they were asked for, where they changed, or where a new outbox began."""
        now_ms = self._clock.monotonic_ms()
        wanted = self.owes_births and now_ms >= self._rebirth_allowed_ms
        if not wanted and self._outbox.epoch == self._born_epoch:
            return
        self.owes_births, self._rebirth_allowed_ms = False, now_ms + REBIRTH_INTERVAL_MS
        self.counters.rebirths += 1
        self._be_born(link)

    def _send_live(self, link: Link) -> None:
        """Publish what became durable, and tell the coming and going of devices in between."""
        while self._fresh:
            block = self._fresh.popleft()
            self._tell_devices(link, until=block.number - 1)
            if self._cursor == self._live_until == block.number - 1:
                self._cursor = block.number
            lane = Lane.HISTORY if self._telling.presences.is_down(block.device) else Lane.LIVE
            self._send(link, block, lane)
            self._live_until = block.number
        self._tell_devices(link, until=self._outbox.durable_number)

    def _tell_devices(self, link: Link, until: int) -> None:
        """Births and deaths; of what was born, all that was passed over until now is looked for again."""
        if self._telling.tell_changes(link, until):
            self._cursor = 0

    async def _resend(self, link: Link) -> None:
        """Send the oldest blocks that nobody acknowledged, as far as the window allows."""
        now_ms = self._clock.monotonic_ms()
        room = min(RESEND_BATCH, self._pacing.room(now_ms))
        if not room or self._cursor >= self._live_until or link.unwritten > MAX_UNWRITTEN:
            return
        if now_ms < self._resend_after_ms:
            return
        until = self._live_until
        try:
            blocks = await self._outbox.backlog(self._cursor, until, room, set(self._pacing.under_way))
        except OutboxError as error:
            self._resend_after_ms = now_ms + IDLE_MS
            _log.warning("outbox_read_failed", error=str(error))
            return
        for block in blocks:
            self.counters.blocks_resent += self._send(link, block, Lane.HISTORY)
        self._cursor = blocks[-1].number if len(blocks) == room else until

    async def _tell_gaps(self, link: Link) -> None:
        """Say what the centre will never get; a few records at a time, again until it has answered."""
        now_ms = self._clock.monotonic_ms()
        if now_ms < self._gaps_after_ms:
            return
        self._gaps_after_ms = now_ms + IDLE_MS
        try:
            records = await self._outbox.gaps_to_send()
        except OutboxError as error:
            _log.warning("outbox_read_failed", error=str(error))
            return
        for record in records:
            if (message := self._node.gap(record, self._clock.wall_ms())) is not None:
                link.publish(message)
                self._gaps_after_ms = now_ms + GAP_ANSWER_MS

    def _send(self, link: Link, block: Block, lane: Lane) -> bool:
        """Publish a block, unless its device is told dead; whether it was."""
        if not self._telling.presences.may_speak(block.device):
            return False
        link.publish(self._node.data(block, lane, self._clock.wall_ms()))
        self._pacing.sent(block.number, lane, len(block.samples), self._clock.monotonic_ms())
        self._telling.presences.sent(block.device, block.number)
        self.counters.samples_published += len(block.samples)
        return True
