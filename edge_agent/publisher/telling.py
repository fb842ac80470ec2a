"""Tells the coming and going of devices in its place between their data."""

from collections import deque
from collections.abc import Set

import msgspec

from edge_agent.clock import Clock
from edge_agent.publisher.link import Link
from edge_agent.publisher.node import Node
from edge_agent.publisher.presences import Presence, Presences


class _Change(msgspec.Struct, frozen=True):
    """A device came or went; to be told after the block `after`, which holds what was read until then."""

    after: int
    device: str
    presence: Presence


class DeviceTelling:
    """Births and deaths of devices within a session. Where a birth was told, what waits of the device may be sent."""

    def __init__(self, node: Node, clock: Clock) -> None:
        self.presences = Presences()
        self._node, self._clock = node, clock
        self._changes: deque[_Change] = deque()

    def changed(self, device: str, presence: Presence, after: int) -> None:
        """A device came or went after that block."""
        self._changes.append(_Change(after, device, presence))

    def keep(self, devices: Set[str]) -> None:
        """Forget all devices but these."""
        self.presences.keep(devices)
        self._changes = deque(change for change in self._changes if change.device in devices)

    def catch_up(self, until: int) -> None:
        """Heed the changes up to that block: the births that follow tell them."""
        while self._changes and self._changes[0].after <= until:
            change = self._changes.popleft()
            self.presences.change(change.device, change.presence)

    def all_born(self) -> None:
        """Every device was born together with the node."""
        self.presences.all_born(self._node.devices, self._clock.monotonic_ms())

    def tell_changes(self, link: Link, until: int) -> bool:
        """Tell the changes up to that block; whether a device was born."""
        born = False
        while self._changes and self._changes[0].after <= until:
            change = self._changes.popleft()
            if not self.presences.change(change.device, change.presence):
                continue
            if change.presence is Presence.DOWN:
                self._tell_death(link, change.device)
            else:
                self._tell_birth(link, change.device)
                born = True
        return born

    def wake(self, link: Link) -> bool:
        """Births of dead devices of which something waits, as it cannot be sent otherwise; whether there were any."""
        woken = self.presences.to_wake(self._clock.monotonic_ms())
        for device in woken:
            self._tell_birth(link, device)
        return bool(woken)

    def bury(self, link: Link, under_way: Set[int], *, all_sent: bool) -> None:
        """Deaths of dead devices that have told what waited."""
        for device in self.presences.to_bury(under_way, all_sent=all_sent, now_ms=self._clock.monotonic_ms()):
            self._tell_death(link, device)

    def _tell_birth(self, link: Link, device: str) -> None:
        link.publish(self._node.device_birth(device, self._clock.wall_ms()))
        self.presences.born(device, self._clock.monotonic_ms())

    def _tell_death(self, link: Link, device: str) -> None:
        link.publish(self._node.device_death(device, self._clock.wall_ms()))
        self.presences.died(device, self._clock.monotonic_ms())
