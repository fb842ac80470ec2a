"""The words of alarms: kinds, severities, steps and states. They are stored as text: never rename one."""

from enum import StrEnum, unique


@unique
class Kind(StrEnum):
    """What an alarm is about."""

    EXCEEDANCE = "exceedance"
    SHORTFALL = "shortfall"
    STUCK_VALUE = "stuck_value"
    EDGE_SILENT = "edge_silent"
    DEVICE_BAD = "device_bad"
    CLOCK_OFFSET = "clock_offset"
    PLUMBING = "plumbing"
    UNUSUAL = "unusual"


@unique
class Severity(StrEnum):
    """How soon a person must act, most urgent first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@unique
class Step(StrEnum):
    """One step in an alarm's life, as its event rows name it."""

    RAISED = "raised"
    RECURRED = "recurred"  # the condition came back before anyone had acknowledged its first coming
    ACKNOWLEDGED = "acknowledged"
    CLEARED = "cleared"


@unique
class State(StrEnum):
    """Where an alarm stands (ISA-18.2). All but CLOSED are open."""

    ACTIVE_UNACKNOWLEDGED = "active_unacknowledged"
    ACTIVE_ACKNOWLEDGED = "active_acknowledged"
    CLEARED_UNACKNOWLEDGED = "cleared_unacknowledged"
    CLOSED = "closed"


@unique
class Latch(StrEnum):
    """Whether an alarm clears as soon as its condition ends, or not before a person has acknowledged it."""

    NONE = "none"
    UNTIL_ACKNOWLEDGED = "until_acknowledged"


@unique
class Locale(StrEnum):
    """The languages in which alarms speak."""

    ZH = "zh"
    EN = "en"


SEVERITIES: dict[Kind, Severity] = {
    Kind.EXCEEDANCE: Severity.HIGH,
    Kind.SHORTFALL: Severity.HIGH,
    Kind.EDGE_SILENT: Severity.HIGH,
    Kind.STUCK_VALUE: Severity.MEDIUM,
    Kind.DEVICE_BAD: Severity.MEDIUM,
    Kind.CLOCK_OFFSET: Severity.MEDIUM,
    Kind.PLUMBING: Severity.MEDIUM,
    Kind.UNUSUAL: Severity.LOW,
}

LATCHES: dict[Kind, Latch] = {
    Kind.EXCEEDANCE: Latch.UNTIL_ACKNOWLEDGED,
    Kind.SHORTFALL: Latch.UNTIL_ACKNOWLEDGED,
    Kind.EDGE_SILENT: Latch.NONE,
    Kind.STUCK_VALUE: Latch.NONE,
    Kind.DEVICE_BAD: Latch.NONE,
    Kind.CLOCK_OFFSET: Latch.NONE,
    Kind.PLUMBING: Latch.NONE,
    Kind.UNUSUAL: Latch.NONE,
}
