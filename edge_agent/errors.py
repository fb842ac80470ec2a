"""What can go wrong at the edge; the class says what happens next.

EdgeError
|-- ConfigError    refuse to start (exit code 2): the site file or a profile is wrong
|-- DeviceError    bad-quality samples with a reason, back off, try again
|-- LinkError      the broker is away: keep everything, reconnect
`-- OutboxError    the disk refuses: count, report, go on polling
"""

from edge_agent.wire.sample import Reason


class EdgeError(Exception):
    """Anything the edge raises on purpose."""


class ConfigError(EdgeError):
    """A file that cannot be used. One line: file, key, what is wrong, what is allowed."""

    def __init__(self, file: str, key: str, problem: str, allowed: str = "") -> None:
        self.file, self.key, self.problem, self.allowed = file, key, problem, allowed
        where = f"{file}: {key}: " if key else f"{file}: "
        super().__init__(where + problem + (f" (allowed: {allowed})" if allowed else ""))


class DeviceError(EdgeError):
    """A device did not answer, or not properly; `reason` is what its samples carry."""

    def __init__(self, device: str, reason: Reason, detail: str) -> None:
        self.device, self.reason, self.detail = device, reason, detail
        super().__init__(f"device {device}: {reason.label}: {detail}")


class LinkError(EdgeError):
    """The broker cannot be reached, or refuses us."""


class OutboxError(EdgeError):
    """The outbox cannot be read or written."""
