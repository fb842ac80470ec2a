"""What every notifier offers: hand one message to one receiver, and say what became of it."""

from enum import StrEnum, unique
from typing import Protocol

import msgspec

from ingest_service.alarms.messages import AlarmMessage, Receiver


@unique
class Outcome(StrEnum):
    """What became of one attempt."""

    ACCEPTED = "accepted"  # the next system took it; nobody need have read it
    RETRY = "retry"  # it may work later
    REFUSED = "refused"  # it never will


class Receipt(msgspec.Struct, frozen=True):
    """The outcome and a line for the record; no secret and no full address in it."""

    outcome: Outcome
    detail: str


class Notifier(Protocol):
    """One way to reach people or their systems."""

    def send(self, receiver: Receiver, message: AlarmMessage, now_ms: int) -> Receipt:
        """Hand the message over; failure is a receipt, not an exception."""

    def close(self) -> None:
        """Let go of connections."""
