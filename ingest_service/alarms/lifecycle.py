"""The life of an alarm: raise, recur, acknowledge, clear. Pure: what is seen and `now` in, changes out.

Event time (`at_ms`: when it happened at the furnace) and processing time (`now_ms`: when the centre learnt of it) are
kept apart everywhere.
"""

from collections.abc import Sequence
from enum import Enum, unique

import msgspec

from ingest_service.alarms.facts import Facts, kind_of
from ingest_service.alarms.vocabulary import LATCHES, SEVERITIES, Kind, Latch, Severity, State, Step

RETROSPECTIVE_AFTER_MS = 3_600_000  # an event that ended so long ago is history: recorded, but nobody is woken
RETROSPECTIVE = "@"  # parts a key from the time of an event that was recorded as history


class Place(msgspec.Struct, frozen=True):
    """Where an alarm belongs; `series_id` only where it is about one channel.

    What concerns no single home has a node of the organisation, and "" as its home.
    """

    home_id: str
    furnace_id: int | None = None
    series_id: int | None = None
    node_id: str = ""


class Condition(msgspec.Struct, frozen=True):
    """Something that needs a person. `ends_ms` is None while it lasts; facts say the rest."""

    key: str
    place: Place
    facts: Facts
    begins_ms: int
    ends_ms: int | None = None

    @property
    def kind(self) -> Kind:
        """What it is about."""
        return kind_of(self.facts)


class Normal(msgspec.Struct, frozen=True):
    """The key was looked at and is normal since `at_ms` (event time). What was not looked at is not reported at all."""

    key: str
    at_ms: int


Observation = Condition | Normal


class Alarm(msgspec.Struct, frozen=True):
    """One alarm as far as its life goes. `raised_at_ms` is event time, `noticed_at_ms` processing time."""

    key: str
    kind: Kind
    severity: Severity
    place: Place
    facts: Facts
    raised_at_ms: int
    noticed_at_ms: int
    acknowledged_at_ms: int | None = None
    acknowledged_by: str = ""
    cleared_at_ms: int | None = None

    @property
    def state(self) -> State:
        """Where it stands."""
        if self.cleared_at_ms is None:
            return State.ACTIVE_UNACKNOWLEDGED if self.acknowledged_at_ms is None else State.ACTIVE_ACKNOWLEDGED
        return State.CLEARED_UNACKNOWLEDGED if self.acknowledged_at_ms is None else State.CLOSED

    @property
    def is_open(self) -> bool:
        """True until it is both cleared and acknowledged."""
        return self.state is not State.CLOSED


@unique
class Audience(Enum):
    """Who is told of a change."""

    EVERYONE = "everyone"
    INBOX = "inbox"  # shown on the page; nobody is called
    NOBODY = "nobody"


class Change(msgspec.Struct, frozen=True):
    """One step of an alarm: what it is afterwards, when it happened, when we learnt of it, and who is told.

    `ended_at_ms` is set where the step tells of something that was over already: its message is the only one.
    """

    alarm: Alarm
    step: Step
    at_ms: int
    now_ms: int
    audience: Audience
    who: str = ""
    note: str = ""
    ended_at_ms: int | None = None


def observe(known: Sequence[Alarm], seen: Observation, now_ms: int) -> tuple[Change, ...]:
    """What an observation does to the alarms of its key (`known`: open ones, and closed ones of the same time)."""
    standing = next((alarm for alarm in known if alarm.key == seen.key and alarm.is_open), None)
    if isinstance(seen, Normal):
        return _ended(standing, seen.at_ms, now_ms) if standing else ()
    if is_retrospective(seen, now_ms):
        return () if any(_covers(alarm, seen) for alarm in known) else _recorded(seen, now_ms)
    if standing is not None:
        return _met_again(standing, seen, now_ms)
    return () if any(_covers(alarm, seen) for alarm in known) else _raised(seen, now_ms)


def is_retrospective(seen: Condition, now_ms: int) -> bool:
    """True when the event ended too long ago for anyone to act on it."""
    return seen.ends_ms is not None and now_ms - seen.ends_ms > RETROSPECTIVE_AFTER_MS


def acknowledge(alarm: Alarm, who: str, note: str, now_ms: int) -> tuple[Change, ...]:
    """A person has seen it; nothing happens the second time."""
    if alarm.acknowledged_at_ms is not None:
        return ()
    after = msgspec.structs.replace(alarm, acknowledged_at_ms=now_ms, acknowledged_by=who)
    return (Change(after, Step.ACKNOWLEDGED, now_ms, now_ms, Audience.EVERYONE, who, note),)


def _covers(alarm: Alarm, seen: Condition) -> bool:
    """True when the alarm tells of the same event: both lasted at the same time."""
    begins_before_end = seen.ends_ms is None or alarm.raised_at_ms < seen.ends_ms
    return begins_before_end and (alarm.cleared_at_ms is None or seen.begins_ms < alarm.cleared_at_ms)


def _new(seen: Condition, key: str, now_ms: int) -> Alarm:
    return Alarm(key, seen.kind, SEVERITIES[seen.kind], seen.place, seen.facts, seen.begins_ms, now_ms)


def _raised(seen: Condition, now_ms: int) -> tuple[Change, ...]:
    alarm = _new(seen, seen.key, now_ms)
    raised = Change(alarm, Step.RAISED, seen.begins_ms, now_ms, Audience.EVERYONE)
    if seen.ends_ms is None or LATCHES[alarm.kind] is Latch.UNTIL_ACKNOWLEDGED:
        return (raised,)
    return (raised, _cleared(alarm, seen.ends_ms, now_ms, Audience.EVERYONE))


def _recorded(seen: Condition, now_ms: int) -> tuple[Change, ...]:
    """History: raised and cleared at once under a key of its own, so that it never meets a live alarm."""
    ended_ms = seen.begins_ms if seen.ends_ms is None else seen.ends_ms
    alarm = _new(seen, f"{seen.key}{RETROSPECTIVE}{seen.begins_ms}", now_ms)
    raised = Change(alarm, Step.RAISED, seen.begins_ms, now_ms, Audience.INBOX, ended_at_ms=ended_ms)
    return (raised, _cleared(alarm, ended_ms, now_ms, Audience.NOBODY))


def _met_again(standing: Alarm, seen: Condition, now_ms: int) -> tuple[Change, ...]:
    """A condition that is back re-opens its unacknowledged alarm: who has not answered yet needs no second call."""
    if seen.ends_ms is not None:
        return _ended(standing, seen.ends_ms, now_ms)
    if standing.cleared_at_ms is None or _covers(standing, seen):
        return ()
    after = msgspec.structs.replace(standing, cleared_at_ms=None, facts=seen.facts)
    return (Change(after, Step.RECURRED, seen.begins_ms, now_ms, Audience.INBOX),)


def _ended(standing: Alarm, at_ms: int, now_ms: int) -> tuple[Change, ...]:
    if standing.cleared_at_ms is not None:
        return ()
    if LATCHES[standing.kind] is Latch.UNTIL_ACKNOWLEDGED and standing.acknowledged_at_ms is None:
        return ()
    return (_cleared(standing, max(at_ms, standing.raised_at_ms), now_ms, Audience.EVERYONE),)


def _cleared(alarm: Alarm, at_ms: int, now_ms: int, audience: Audience) -> Change:
    return Change(msgspec.structs.replace(alarm, cleared_at_ms=at_ms), Step.CLEARED, at_ms, now_ms, audience)
