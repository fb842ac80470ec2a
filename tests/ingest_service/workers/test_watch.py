import msgspec
import numpy as np
import pytest

from edge_agent.wire.sample import Reason
from ingest_service.alarms.facts import ClockFacts, DeviceBadFacts, SilentFacts, StuckFacts
from ingest_service.alarms.vocabulary import Kind, State
from ingest_service.anomaly.standing import StandingValues
from ingest_service.intake.edge_view import EdgeView
from ingest_service.store.alarms import AlarmRow
from ingest_service.store.embedded import EmbeddedStore
from ingest_service.workers.watch import WatchWorker
from tests.ingest_service.workers.city import GAS, IDLE, MINUTE, START, City

SECOND = 1_000


def open_of(city: City, kind: Kind) -> list[AlarmRow]:
    return [row for row in city.alarms.open() if row.alarm.kind is kind]


def seen(city: City, at_ms: int) -> None:
    """The edge has just spoken."""
    city.edges = [msgspec.structs.replace(edge, last_seen_ms=at_ms) for edge in city.edges]


def test_an_analyser_that_stands_still_while_burning_is_alarmed_and_clears_once_it_moves(city: City) -> None:
    city.feed(1, START, START + 30 * SECOND, wobble=0.1)
    city.feed(1, START + 30 * SECOND, START + 100 * SECOND)
    city.watch.step(START + 75 * SECOND)
    assert open_of(city, Kind.STUCK_VALUE) == []
    city.watch.step(START + 95 * SECOND)
    rows = open_of(city, Kind.STUCK_VALUE)
    assert len(rows) == 6
    co = next(row for row in rows if row.alarm.place.series_id == city.series(1, "co"))
    assert isinstance(co.facts, StuckFacts)
    assert (co.facts.value, co.facts.threshold_s, co.facts.channel.zh) == (GAS["co"], 60.0, "一氧化碳")
    assert co.alarm.raised_at_ms == START + 30 * SECOND - 10 * SECOND
    city.feed(1, START + 100 * SECOND, START + 130 * SECOND, wobble=0.1)
    city.watch.step(START + 125 * SECOND)
    assert {row.state for row in open_of(city, Kind.STUCK_VALUE)} == {State.CLEARED_UNACKNOWLEDGED}


def test_an_idle_furnace_may_stand_still(city: City) -> None:
    city.feed(1, START, START + 180 * SECOND, {"phase": IDLE})
    city.watch.step(START + 179 * SECOND)
    assert city.alarms.open() == ()


def test_moving_analysers_are_no_alarm(city: City) -> None:
    city.feed(1, START, START + 180 * SECOND, wobble=0.1)
    city.watch.step(START + 179 * SECOND)
    assert city.alarms.open() == ()


def test_a_device_whose_values_are_all_bad_is_alarmed_after_a_moment(city: City) -> None:
    bad_ms = START + 60 * SECOND
    city.feed(1, START, bad_ms, wobble=0.1)
    city.feed(1, bad_ms, bad_ms + SECOND, reason=Reason.TIMEOUT)
    city.watch.step(bad_ms + SECOND)
    city.watch.step(bad_ms + 10 * SECOND)
    assert city.alarms.open() == ()
    city.watch.step(bad_ms + 16 * SECOND)
    (row,) = city.alarms.open()
    assert isinstance(row.facts, DeviceBadFacts)
    assert (row.facts.device, row.facts.reason, row.facts.channels) == ("f1", "timeout", 8)
    assert (row.alarm.raised_at_ms, row.alarm.place.furnace_id) == (bad_ms, 1)
    city.feed(1, bad_ms + 20 * SECOND, bad_ms + 30 * SECOND)
    city.watch.step(bad_ms + 31 * SECOND)
    assert city.alarms.open()[0].state is State.CLEARED_UNACKNOWLEDGED


def test_a_device_with_one_good_value_is_no_alarm(city: City) -> None:
    city.feed(1, START, START + SECOND, reason=Reason.TIMEOUT)
    city.write(1, np.array([START + 2 * SECOND], np.int64), {"co": 5.0})
    for after_s in (1, 20, 40):
        city.watch.step(START + after_s * SECOND)
    assert city.alarms.open() == ()


def test_an_edge_that_says_nothing_is_alarmed_and_clears_when_it_is_back(city: City) -> None:
    city.watch.step(START)
    city.watch.step(START + 60 * SECOND)
    assert city.alarms.open() == ()
    city.watch.step(START + 61 * SECOND)
    (row,) = city.alarms.open()
    assert (row.alarm.kind, row.alarm.key) == (Kind.EDGE_SILENT, "edge_silent:h1:e1")
    assert isinstance(row.facts, SilentFacts)
    assert (row.alarm.raised_at_ms, row.facts.home.zh) == (START, "青山殡仪馆")
    seen(city, START + 90 * SECOND)
    city.watch.step(START + 91 * SECOND)
    (row,) = city.alarms.open()
    assert (row.state, row.alarm.cleared_at_ms) == (State.CLEARED_UNACKNOWLEDGED, START + 90 * SECOND)


def test_after_a_start_every_edge_is_given_time_to_speak(city: City) -> None:
    city.watch.step(START + 60 * MINUTE)
    city.watch.step(START + 60 * MINUTE + 59 * SECOND)
    assert city.alarms.open() == ()
    city.watch.step(START + 60 * MINUTE + 61 * SECOND)
    assert len(city.alarms.open()) == 1


def test_devices_of_a_silent_edge_are_not_alarmed_one_by_one(city: City) -> None:
    city.feed(1, START, START + SECOND, reason=Reason.NOT_CONNECTED)
    city.watch.step(START)
    city.watch.step(START + 70 * SECOND)
    city.watch.step(START + 90 * SECOND)
    assert [row.alarm.kind for row in city.alarms.open()] == [Kind.EDGE_SILENT]


def test_an_edge_of_an_unknown_home_goes_by_its_ids(city: City) -> None:
    city.edges = [EdgeView(edge_id=2, home="h1", edge="e2", online=False, last_seen_ms=START)]
    city.watch.step(START)
    city.watch.step(START + 70 * SECOND)
    assert [row.alarm.key for row in city.alarms.open()] == ["edge_silent:h1:e2"]


@pytest.mark.parametrize("steps", [1, 3])
def test_looking_again_raises_nothing_twice(city: City, steps: int) -> None:
    city.feed(1, START, START + 100 * SECOND)
    for step in range(steps):
        city.watch.step(START + (95 + step) * SECOND)
    assert len(open_of(city, Kind.STUCK_VALUE)) == 6


def clock_off(city: City, at_ms: int, offset_s: float) -> list[State]:
    """Where the alarm of an edge's clock stands once the edge has been seen so."""
    city.edges = [
        msgspec.structs.replace(edge, last_seen_ms=at_ms, clock_offset_ms=round(offset_s * 1000)) for edge in city.edges
    ]
    city.watch.step(at_ms)
    return [row.state for row in open_of(city, Kind.CLOCK_OFFSET)]


def test_a_clock_that_is_off_by_more_than_5_s_is_alarmed_and_clears_below_3_s(city: City) -> None:
    assert clock_off(city, START, -5.1) == []
    assert clock_off(city, START + 10 * SECOND, -5.1) == []
    assert clock_off(city, START + 15 * SECOND, -5.2) == [State.ACTIVE_UNACKNOWLEDGED]
    (row,) = open_of(city, Kind.CLOCK_OFFSET)
    assert isinstance(row.facts, ClockFacts)
    assert (row.facts.edge, row.facts.offset_s, row.alarm.raised_at_ms) == ("e1", -5.2, START)
    assert clock_off(city, START + 20 * SECOND, -3.1) == [State.ACTIVE_UNACKNOWLEDGED]
    assert clock_off(city, START + 25 * SECOND, -3.0) == [State.CLEARED_UNACKNOWLEDGED]


@pytest.mark.parametrize(
    "offsets_s",
    [
        pytest.param([6.0, 0.1, 6.0, 6.0], id="off for moments only"),
        pytest.param([5.0, 5.0, 5.0, 5.0], id="off by 5 s exactly"),
        pytest.param([4.0, -4.0, 4.9, -4.9], id="between the bounds"),
    ],
)
def test_no_alarm_for_a_clock_that_is(city: City, offsets_s: list[float]) -> None:
    for step, offset_s in enumerate(offsets_s):
        assert clock_off(city, START + step * 6 * SECOND, offset_s) == []


def test_the_clock_of_a_silent_edge_is_not_alarmed(city: City) -> None:
    clock_off(city, START, 9.0)
    city.watch.step(START + 90 * SECOND)
    assert open_of(city, Kind.CLOCK_OFFSET) == []


def test_what_is_known_of_standing_values_need_not_be_read(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    standing = StandingValues()
    watch = WatchWorker(city.store, city.channels, lambda: city.edges, city.alarms, 60.0, lambda: 0, standing)
    watch.step(START)
    everything = city.channels().series.tolist()
    for second in range(0, 130, 10):
        at_ms = START + second * SECOND
        city.feed(1, at_ms, at_ms + 1, {"co": 41.0 + second} if second < 30 or second > 100 else {})
        standing.add(city.store.raw(everything, at_ms, at_ms + 1))
        with monkeypatch.context() as patched:
            patched.delattr(EmbeddedStore, "raw")
            watch.step(at_ms)
        raised = {row.alarm.place.series_id for row in open_of(city, Kind.STUCK_VALUE) if not row.alarm.cleared_at_ms}
        assert (city.series(1, "co") in raised) == (90 <= second <= 100)
        assert (city.series(1, "nox") in raised) == (second >= 60)
