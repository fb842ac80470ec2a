"""Whether the host that an edge waits for is online, by its STATE messages (specification 5.2, 5.5 and 5.14; pure)."""

from edge_agent.wire.command import HostState


class PrimaryHost:
    """The latest word of one host application; what is older than a word heard before is not believed."""

    def __init__(self) -> None:
        self._online = False
        self._latest_ms: int | None = None

    @property
    def online(self) -> bool:
        """True from its word that it is online until its word that it is not."""
        return self._online

    def connected(self) -> None:
        """A new connection: what was heard on the one before must be heard anew."""
        self._online = False

    def hear(self, state: HostState) -> None:
        """Take a STATE message in."""
        if self._latest_ms is None or state.timestamp >= self._latest_ms:
            self._latest_ms, self._online = state.timestamp, state.online
