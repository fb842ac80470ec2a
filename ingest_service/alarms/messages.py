"""What is told to whom about a step of an alarm: receivers, and the message that they get. Pure."""

from datetime import tzinfo
from enum import StrEnum, unique

import msgspec

from ingest_service.alarms.lifecycle import Audience, Change
from ingest_service.alarms.texts import AlarmText, describe
from ingest_service.alarms.vocabulary import Kind, Locale, Severity, State, Step


@unique
class Medium(StrEnum):
    """A way to reach people or their systems."""

    WEBHOOK = "webhook"
    INBOX = "inbox"


class Receiver(msgspec.Struct, frozen=True):
    """Who is told: `address` is a URL for a webhook, the name of a box for the inbox."""

    medium: Medium
    address: str
    locale: Locale


INBOX_ADDRESS = "duty"
INBOXES = tuple(Receiver(Medium.INBOX, INBOX_ADDRESS, locale) for locale in Locale)


class AlarmMessage(msgspec.Struct, frozen=True):
    """One message as it is sent and kept: a snapshot, later changes of the alarm do not touch it.

    `event_id` tells repeats of one delivery apart from new ones; times are ms since 1970 UTC. `ended_at_ms` is set
    where the message tells of something that was over when the centre learnt of it.
    """

    event_id: str
    alarm_id: int
    step: Step
    state: State
    kind: Kind
    severity: Severity
    home_id: str
    furnace_id: int | None
    at_ms: int
    recorded_at_ms: int
    who: str
    note: str
    locale: Locale
    text: AlarmText
    ended_at_ms: int | None = None


def audience_of(change: Change, receivers: tuple[Receiver, ...]) -> tuple[Receiver, ...]:
    """The receivers who are told of this change."""
    if change.audience is Audience.NOBODY:
        return ()
    if change.audience is Audience.INBOX:
        return tuple(receiver for receiver in receivers if receiver.medium is Medium.INBOX)
    return receivers


def compose(change: Change, alarm_id: int, event: int, receiver: Receiver, zone: tzinfo) -> AlarmMessage:
    """The message about `change` for that receiver; `event` is the number of the alarm's step."""
    alarm = change.alarm
    return AlarmMessage(
        event_id=f"{alarm_id}-{event}-{change.step}",
        alarm_id=alarm_id,
        step=change.step,
        state=alarm.state,
        kind=alarm.kind,
        severity=alarm.severity,
        home_id=alarm.place.home_id,
        furnace_id=alarm.place.furnace_id,
        at_ms=change.at_ms,
        recorded_at_ms=change.now_ms,
        who=change.who,
        note=change.note,
        locale=receiver.locale,
        text=describe(alarm.facts, receiver.locale, zone),
        ended_at_ms=change.ended_at_ms,
    )
