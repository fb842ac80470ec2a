import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ingest_service.alarms.lifecycle import (
    RETROSPECTIVE_AFTER_MS,
    Alarm,
    Audience,
    Change,
    Condition,
    Normal,
    acknowledge,
    observe,
)
from ingest_service.alarms.vocabulary import Kind, Severity, State, Step
from tests.ingest_service.alarms.examples import NOON, condition

MINUTE = 60_000
STUCK, EXCEEDED = Kind.STUCK_VALUE, Kind.EXCEEDANCE


def raised(kind: Kind = STUCK) -> Alarm:
    return observe([], condition(kind, NOON), NOON + 1)[0].alarm


def cleared(alarm: Alarm) -> Alarm:
    return observe([alarm], Normal(alarm.key, NOON + MINUTE), NOON + MINUTE)[-1].alarm


def acknowledged(alarm: Alarm) -> Alarm:
    return acknowledge(alarm, "Li", "seen", NOON + 2 * MINUTE)[0].alarm


def steps(changes: tuple[Change, ...]) -> list[Step]:
    return [change.step for change in changes]


def test_a_condition_raises_an_alarm_and_everyone_is_told() -> None:
    (change,) = observe([], condition(STUCK, NOON), NOON + 5000)
    assert (change.step, change.at_ms, change.now_ms) == (Step.RAISED, NOON, NOON + 5000)
    assert change.audience is Audience.EVERYONE
    assert (change.alarm.raised_at_ms, change.alarm.noticed_at_ms) == (NOON, NOON + 5000)
    assert (change.alarm.state, change.alarm.severity) == (State.ACTIVE_UNACKNOWLEDGED, Severity.MEDIUM)


def test_what_is_normal_and_was_normal_changes_nothing() -> None:
    assert observe([], Normal("stuck_value:1", NOON), NOON) == ()


@pytest.mark.parametrize("alarm", [raised(), acknowledged(raised()), raised(EXCEEDED)])
def test_a_lasting_condition_is_raised_once(alarm: Alarm) -> None:
    assert observe([alarm], condition(alarm.kind, NOON), NOON + MINUTE) == ()


def test_a_cleared_alarm_stays_open_until_it_is_acknowledged() -> None:
    alarm = cleared(raised())
    assert (alarm.state, alarm.is_open) == (State.CLEARED_UNACKNOWLEDGED, True)
    assert acknowledged(alarm).state is State.CLOSED


def test_an_acknowledged_alarm_stays_open_until_it_is_cleared() -> None:
    alarm = acknowledged(raised())
    assert (alarm.state, alarm.is_open) == (State.ACTIVE_ACKNOWLEDGED, True)
    assert cleared(alarm).state is State.CLOSED


def test_a_second_acknowledgement_changes_nothing() -> None:
    assert acknowledge(acknowledged(raised()), "Wang", "me too", NOON + 3 * MINUTE) == ()


def test_an_acknowledgement_keeps_who_note_and_when() -> None:
    (change,) = acknowledge(raised(), "Li", "pump restarted", NOON + MINUTE)
    assert (change.who, change.note, change.at_ms) == ("Li", "pump restarted", NOON + MINUTE)
    assert (change.alarm.acknowledged_by, change.alarm.acknowledged_at_ms) == ("Li", NOON + MINUTE)


def test_an_exceedance_is_latched_until_it_is_acknowledged() -> None:
    alarm = raised(EXCEEDED)
    normal = Normal(alarm.key, NOON + 60 * MINUTE)
    assert observe([alarm], normal, NOON + 61 * MINUTE) == ()
    (change,) = observe([acknowledged(alarm)], normal, NOON + 62 * MINUTE)
    assert (change.step, change.at_ms, change.alarm.state) == (Step.CLEARED, normal.at_ms, State.CLOSED)


def test_a_condition_that_comes_back_re_opens_its_unacknowledged_alarm_without_a_second_call() -> None:
    alarm = cleared(raised())
    (change,) = observe([alarm], condition(STUCK, NOON + 5 * MINUTE), NOON + 6 * MINUTE)
    assert (change.step, change.audience) == (Step.RECURRED, Audience.INBOX)
    assert change.alarm.state is State.ACTIVE_UNACKNOWLEDGED
    assert change.alarm.raised_at_ms == alarm.raised_at_ms


def test_a_condition_that_comes_back_after_all_is_done_is_a_new_alarm() -> None:
    done = acknowledged(cleared(raised()))
    (change,) = observe([done], condition(STUCK, NOON + 5 * MINUTE), NOON + 6 * MINUTE)
    assert change.step is Step.RAISED
    assert change.alarm.raised_at_ms == NOON + 5 * MINUTE
    assert change.alarm.acknowledged_at_ms is None


def test_a_finished_event_that_is_seen_again_is_no_news() -> None:
    done = acknowledged(cleared(raised()))
    assert observe([done], condition(STUCK, NOON + MINUTE // 2), NOON + 2 * MINUTE) == ()


def test_an_event_long_past_is_raised_and_cleared_at_once_and_only_shown_in_the_inbox() -> None:
    late = NOON + RETROSPECTIVE_AFTER_MS + 2 * MINUTE
    changes = observe([], condition(EXCEEDED, NOON, NOON + MINUTE), late)
    assert steps(changes) == [Step.RAISED, Step.CLEARED]
    assert [change.audience for change in changes] == [Audience.INBOX, Audience.NOBODY]
    assert [change.at_ms for change in changes] == [NOON, NOON + MINUTE]
    assert changes[-1].alarm.state is State.CLEARED_UNACKNOWLEDGED
    assert changes[-1].alarm.noticed_at_ms == late


def test_an_event_long_past_that_an_alarm_tells_of_already_is_no_news() -> None:
    late = NOON + RETROSPECTIVE_AFTER_MS + 2 * MINUTE
    past = condition(EXCEEDED, NOON, NOON + MINUTE)
    recorded = observe([], past, late)[-1].alarm
    live = raised(EXCEEDED)
    for known in (recorded, acknowledged(recorded), live, acknowledged(live)):
        assert observe([known], past, late) == ()


def test_an_event_that_just_ended_is_raised_and_cleared_and_everyone_is_told() -> None:
    changes = observe([], condition(STUCK, NOON, NOON + MINUTE), NOON + 2 * MINUTE)
    assert steps(changes) == [Step.RAISED, Step.CLEARED]
    assert {change.audience for change in changes} == {Audience.EVERYONE}


class Life(RuleBasedStateMachine):
    """Whatever is seen and whenever a person answers, in rising event time."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ms = NOON
        self.alarms: list[Alarm] = []
        self.kind = EXCEEDED
        self.counts = dict.fromkeys(Step, 0)

    @rule(kind=st.sampled_from(Kind), begins_ago_ms=st.integers(0, 2 * RETROSPECTIVE_AFTER_MS))
    def condition_is_seen(self, kind: Kind, begins_ago_ms: int) -> None:
        self._observe(condition(kind, self.now_ms - begins_ago_ms, key=kind))

    @rule(kind=st.sampled_from(Kind), ago_ms=st.integers(1, 3 * RETROSPECTIVE_AFTER_MS))
    def ended_condition_is_seen(self, kind: Kind, ago_ms: int) -> None:
        ends = self.now_ms - ago_ms
        self._observe(condition(kind, ends - MINUTE, ends, key=kind))

    @rule(kind=st.sampled_from(Kind))
    def key_is_normal(self, kind: Kind) -> None:
        known = [alarm for alarm in self.alarms if alarm.key.partition("@")[0] == kind]
        self._apply(observe(known, Normal(kind, self.now_ms), self.now_ms))

    @rule(which=st.integers(0, 5))
    def person_acknowledges(self, which: int) -> None:
        if which < len(self.alarms):
            self._apply(acknowledge(self.alarms[which], "Li", "", self.now_ms))

    @rule(step_ms=st.integers(1, RETROSPECTIVE_AFTER_MS))
    def time_passes(self, step_ms: int) -> None:
        self.now_ms += step_ms

    @invariant()
    def no_key_has_two_open_alarms(self) -> None:
        open_keys = [alarm.key for alarm in self.alarms if alarm.is_open]
        assert len(open_keys) == len(set(open_keys))

    @invariant()
    def an_exceedance_that_nobody_acknowledged_is_open(self) -> None:
        silent = [alarm for alarm in self.alarms if alarm.acknowledged_at_ms is None]
        assert all(alarm.is_open for alarm in silent)

    @invariant()
    def event_times_are_in_order_and_processing_follows_events(self) -> None:
        for alarm in self.alarms:
            assert alarm.raised_at_ms <= alarm.noticed_at_ms
            assert alarm.cleared_at_ms is None or alarm.cleared_at_ms >= alarm.raised_at_ms

    @invariant()
    def every_step_is_counted_once(self) -> None:
        assert self.counts[Step.RAISED] == len(self.alarms)
        assert self.counts[Step.ACKNOWLEDGED] == sum(alarm.acknowledged_at_ms is not None for alarm in self.alarms)
        standing = sum(alarm.cleared_at_ms is None for alarm in self.alarms)
        assert self.counts[Step.RAISED] + self.counts[Step.RECURRED] - self.counts[Step.CLEARED] == standing

    def _observe(self, seen: Condition) -> None:
        known = [alarm for alarm in self.alarms if alarm.key.partition("@")[0] == seen.key]
        changes = observe(known, seen, self.now_ms)
        again = observe(known, seen, self.now_ms)
        assert changes == again
        self._apply(changes)

    def _apply(self, changes: tuple[Change, ...]) -> None:
        for change in changes:
            self.counts[change.step] += 1
            standing = [alarm for alarm in self.alarms if alarm.key == change.alarm.key and alarm.is_open]
            if change.step is Step.RAISED:
                assert not standing
                self.alarms.append(change.alarm)
            else:
                (before,) = standing
                self.alarms[self.alarms.index(before)] = change.alarm
                assert msgspec.structs.replace(before, key="") != msgspec.structs.replace(change.alarm, key="")


TestLife = Life.TestCase
TestLife.settings = settings(deadline=None, max_examples=60, stateful_step_count=30)
