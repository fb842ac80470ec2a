"""One measured value of one tag, and why it may not be trusted."""

from enum import IntEnum, unique

import msgspec

FIRST_BAD = 32


@unique
class Reason(IntEnum):
    """Why a value is not simply good. The numbers are stored: never renumber.

    0 is good, 1 to 31 are uncertain (a value is there, with a doubt), from 32 on bad (no value).
    """

    GOOD = 0
    CLOCK_UNSYNCED = 1
    CLOCK_STEPPED = 2
    UNCERTAIN = 31
    TIMEOUT = 32
    NOT_CONNECTED = 33
    DEVICE_EXCEPTION = 34
    BAD_RESPONSE = 35
    OUT_OF_RANGE = 36
    WIRE_BREAK = 37
    OVER_RANGE = 38
    NOT_A_NUMBER = 39
    UNKNOWN_STATE = 40
    UNDER_RANGE = 41
    BAD = 254
    STALE = 255

    @property
    def is_bad(self) -> bool:
        """True when no value can be used."""
        return self >= FIRST_BAD

    @property
    def label(self) -> str:
        """The name that travels and that people read, e.g. `wire_break`."""
        return self.name.lower()


_BY_LABEL = {reason.label: reason for reason in Reason}


def reason_from_label(label: str, *, bad: bool) -> Reason:
    """The reason of that label; a label of a newer edge becomes plain BAD or UNCERTAIN."""
    return _BY_LABEL.get(label, Reason.BAD if bad else Reason.UNCERTAIN)


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """One value of one channel as the edge saw it.

    `alias` names the channel within the edge, `measured_at_ms` is ms since 1970 UTC at the arrival of the response.
    `value` is in the channel's unit; it is None exactly when the reason is bad (never a placeholder).
    """

    alias: int
    measured_at_ms: int
    value: float | str | None
    reason: Reason = Reason.GOOD

    def __post_init__(self) -> None:
        if (self.value is None) != self.reason.is_bad:
            raise ValueError(f"value {self.value!r} does not go with reason {self.reason.label}")
