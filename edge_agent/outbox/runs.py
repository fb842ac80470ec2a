"""The time between two runs of the agent, in which nobody read: a gap from each device's last sample to its first."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from edge_agent.outbox.block import NODE, Block
from edge_agent.wire.gap import Gap, GapReason

_LATE = 10  # a reading that is late by such a part of its period is still the one that was due


class Resumption(msgspec.Struct):
    """Since when each device has not been read, until its first block of this run comes.

    `otherwise_ms` holds for devices of which nothing is known (None: they are new), in a file that replaced a damaged
    one. `periods_ms` tells how often each device is read: a pause that is no longer is none. Where the clock showed
    less at `begun_ms` than the last sample says, nobody knows how long the pause was, and it is told.
    """

    reason: GapReason = GapReason.AGENT_STOPPED
    begun_ms: int = 0
    since_ms: dict[str, int] = {}
    otherwise_ms: int | None = None
    seen: set[str] = set()
    periods_ms: Mapping[str, int] = {}

    def gaps(self, blocks: Sequence[Block]) -> list[Gap]:
        """The gaps that end with these blocks."""
        first: dict[str, int] = {}
        for block in blocks:
            first.setdefault(block.device, block.from_ms)
        found = ((device, self._since(device), until_ms) for device, until_ms in first.items())
        return [
            Gap(device, since_ms, max(since_ms, until_ms - 1), 0, self.reason)
            for device, since_ms, until_ms in found
            if since_ms is not None and self._is_told(device, since_ms, until_ms)
        ]

    def settle(self, blocks: Iterable[Block]) -> None:
        """The gaps of these blocks are on the disk."""
        for block in blocks:
            self.seen.add(block.device)

    def _is_told(self, device: str, since_ms: int, until_ms: int) -> bool:
        period_ms = self.periods_ms.get(device, 0)
        return since_ms > self.begun_ms or since_ms + period_ms + period_ms // _LATE < until_ms

    def _since(self, device: str) -> int | None:
        if device == NODE or device in self.seen:
            return None
        return self.since_ms.get(device, self.otherwise_ms)


def what_was_left(database: sqlite3.Connection, now_ms: int) -> Resumption:
    """What the last run left to the one that begins. Writes nothing, so that a full disk does not matter."""
    stopped_ms, lost_before_ms = _meta(database, "stopped_ms"), _meta(database, "lost_before_ms")
    found = Resumption(GapReason.UNCLEAN_STOP if _meta(database, "running") else GapReason.AGENT_STOPPED, now_ms)
    for device, at_ms in database.execute("SELECT device, at_ms FROM newest"):
        found.since_ms[device] = max(at_ms, stopped_ms) + 1
    found.otherwise_ms = lost_before_ms or None
    return found


def go_on(database: sqlite3.Connection) -> None:
    """A run writes into this file: until it says that it ended, it did not end cleanly."""
    _set(database, running=1, stopped_ms=0, lost_before_ms=0)


def end(database: sqlite3.Connection, read_until_ms: int) -> None:
    """The run ended cleanly, and all that was read until then is on the disk (0: nothing was read)."""
    _set(database, running=0, stopped_ms=read_until_ms, lost_before_ms=0)


def know_newest(database: sqlite3.Connection, newest_ms: Mapping[str, int]) -> None:
    """Samples of these devices are on the disk up to these times."""
    database.executemany(
        "INSERT INTO newest VALUES (?, ?) ON CONFLICT DO UPDATE SET at_ms = excluded.at_ms", list(newest_ms.items())
    )


def newest_ms(database: sqlite3.Connection) -> int:
    """When the newest sample of any device was measured that ever was on the disk; 0 where there was none."""
    found: int = database.execute("SELECT coalesce(max(at_ms), 0) FROM newest").fetchone()[0]
    return found


def forget_others(database: sqlite3.Connection, devices: Iterable[str]) -> None:
    """Only these devices are there now: the others are missing on purpose."""
    kept = set(devices)
    gone = [(device,) for (device,) in database.execute("SELECT device FROM newest").fetchall() if device not in kept]
    database.executemany("DELETE FROM newest WHERE device = ?", gone)


def take_over(database: sqlite3.Connection, newest_ms: Mapping[str, int], lost_before_ms: int) -> None:
    """Go on from a damaged file, which held samples of these devices up to these times, and of others maybe."""
    know_newest(database, newest_ms)
    _set(database, running=1, stopped_ms=0, lost_before_ms=lost_before_ms)


def _meta(database: sqlite3.Connection, name: str) -> int:
    value: int = database.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()[0]
    return value


def _set(database: sqlite3.Connection, **values: int) -> None:
    rows = [(value, name) for name, value in values.items()]
    database.executemany("UPDATE meta SET value = ? WHERE name = ?", rows)
