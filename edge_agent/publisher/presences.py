"""Which devices can be read, and for which of them data may be sent now (pure; times are monotonic ms).

Between its DDEATH and its next DBIRTH a device is silent, in its history too. What waits of a device that stays dead
does not wait for the repair: from time to time it is born for a moment, and dies again when its history is told.
"""

from collections.abc import Iterable, Set
from enum import Enum, auto

TELLING_MS = 10_000  # for so long at most a dead device is born for the sake of its history
PAUSE_MS = 60_000  # between two such births


class Presence(Enum):
    """Whether a device can be read."""

    UP = auto()
    DOWN = auto()


class Presences:
    """The devices of one edge as the last births and deaths told them."""

    def __init__(self) -> None:
        self._down: set[str] = set()
        self._silent_until_ms: dict[str, int] = {}  # told dead: when it may be born for its history
        self._telling_until_ms: dict[str, int] = {}  # down, and born all the same
        self._passed_over: set[str] = set()
        self._told: dict[str, set[int]] = {}

    @property
    def next_ms(self) -> int | None:
        """When the next birth or death of a dead device may be due; None where none is."""
        waiting = [self._silent_until_ms[device] for device in self._passed_over if device in self._silent_until_ms]
        return min([*waiting, *self._telling_until_ms.values()], default=None)

    def keep(self, devices: Set[str]) -> None:
        """Forget all devices but these."""
        self._down &= devices
        for told in (self._silent_until_ms, self._telling_until_ms, self._told):
            for gone in told.keys() - devices:
                del told[gone]
        self._passed_over &= devices

    def change(self, device: str, presence: Presence) -> bool:
        """The device came or went; True where that must be told, by a birth or a death."""
        if presence is Presence.UP:
            self._down.discard(device)
            self._telling_until_ms.pop(device, None)
            return device in self._silent_until_ms
        self._down.add(device)
        return device not in self._silent_until_ms

    def all_born(self, devices: Iterable[str], now_ms: int) -> None:
        """Every device was born; those that are down have a moment to tell what waits."""
        self._silent_until_ms.clear()
        self._telling_until_ms.clear()
        for device in devices:
            self.born(device, now_ms)

    def born(self, device: str, now_ms: int) -> None:
        """A DBIRTH was told."""
        self._silent_until_ms.pop(device, None)
        self._passed_over.discard(device)
        self._told[device] = set()
        if device in self._down:
            self._telling_until_ms[device] = now_ms + TELLING_MS

    def died(self, device: str, now_ms: int) -> None:
        """A DDEATH was told."""
        self._silent_until_ms[device] = now_ms + PAUSE_MS
        self._telling_until_ms.pop(device, None)

    def is_down(self, device: str) -> bool:
        """True for a device that cannot be read."""
        return device in self._down

    def may_speak(self, device: str) -> bool:
        """False between a death and the next birth; it is remembered then that something waits."""
        if device not in self._silent_until_ms:
            return True
        self._passed_over.add(device)
        return False

    def sent(self, device: str, block: int) -> None:
        """A block of that device went out."""
        if device in self._telling_until_ms:
            self._told[device].add(block)

    def to_wake(self, now_ms: int) -> list[str]:
        """Dead devices of which something waits, and that were silent for long enough."""
        return sorted(device for device in self._passed_over if self._silent_until_ms.get(device, now_ms + 1) <= now_ms)

    def to_bury(self, under_way: Set[int], *, all_sent: bool, now_ms: int) -> list[str]:
        """Dead devices that have told all (no block is under way) or had their time."""
        return sorted(
            device
            for device, until_ms in self._telling_until_ms.items()
            if until_ms <= now_ms or (all_sent and not self._told[device] & under_way)
        )
