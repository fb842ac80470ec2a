"""What was heard: commands and words of the primary host, read and counted."""

from collections import deque
from collections.abc import Iterable

import msgspec
import structlog

from edge_agent.clock import Clock
from edge_agent.publisher.counts import PublisherCounters
from edge_agent.publisher.primary_host import PrimaryHost
from edge_agent.wire.command import Acknowledgement, decode_command, decode_state

CLOCK_COMMANDS = 31  # the quickest of so many commands tells how far the clocks are apart
_log = structlog.get_logger()


class Heard(msgspec.Struct, frozen=True):
    """What some commands ask for together."""

    rebirth: bool
    acknowledgements: tuple[Acknowledgement, ...]


class Hearing:
    """Reads what hosts say to the node. Garbage is counted and ignored."""

    def __init__(self, counters: PublisherCounters, clock: Clock) -> None:
        self.primary_host = PrimaryHost()
        self._counters, self._clock = counters, clock
        self._offsets_ms: deque[int] = deque(maxlen=CLOCK_COMMANDS)

    def commands(self, payloads: Iterable[bytes], aliases: tuple[int, int] | None) -> Heard:
        """Read commands; `aliases` are those of the node's birth."""
        rebirth, acknowledgements = False, []
        for payload in payloads:
            try:
                command = decode_command(payload, aliases)
            except ValueError as error:
                self._refuse("command_refused", error)
                continue
            self._compare_clocks(command.sent_at_ms)
            rebirth = rebirth or command.rebirth
            if command.acknowledgement is not None:
                acknowledgements.append(command.acknowledgement)
        return Heard(rebirth, tuple(acknowledgements))

    def states(self, payloads: Iterable[bytes]) -> None:
        """Read what the primary host says of itself."""
        for payload in payloads:
            try:
                self.primary_host.hear(decode_state(payload))
            except ValueError as error:
                self._refuse("state_refused", error)

    def _refuse(self, event: str, error: ValueError) -> None:
        self._counters.commands_refused += 1
        _log.warning(event, error=str(error))

    def _compare_clocks(self, sent_at_ms: int) -> None:
        if sent_at_ms:
            self._offsets_ms.append(sent_at_ms - self._clock.wall_ms())
            self._counters.clock_behind_ms = max(self._offsets_ms)
