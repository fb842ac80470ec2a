"""What can go wrong at the centre; the class says what happens next.

ServiceError
|-- ConfigError      refuse to start (exit code 2): a configuration file or a rule pack is wrong
|-- RejectedMessage  count and show with its reason; nothing else is disturbed, nothing is retried
`-- StoreError       not durable: do not acknowledge, try again
    `-- HoursUnreadable  what is kept of some hours is damaged: go on without them, tell of it, try again later
"""


class ServiceError(Exception):
    """Anything the service raises on purpose."""


class ConfigError(ServiceError):
    """A file that cannot be used. One line: file, key, what is wrong, what is allowed."""

    def __init__(self, file: str, key: str, problem: str, allowed: str = "") -> None:
        self.file, self.key, self.problem, self.allowed = file, key, problem, allowed
        where = f"{file}: {key}: " if key else f"{file}: "
        super().__init__(where + problem + (f" (allowed: {allowed})" if allowed else ""))


class RejectedMessage(ServiceError):
    """A message that cannot be admitted as a whole."""


class StoreError(ServiceError):
    """The store did not make it durable."""


class HoursUnreadable(StoreError):
    """What is kept of these hours (counted since 1970 UTC) cannot be read until someone brings it back."""

    def __init__(self, problem: str, hours: frozenset[int]) -> None:
        self.hours = hours
        super().__init__(problem)
