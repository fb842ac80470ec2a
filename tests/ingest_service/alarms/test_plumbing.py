import pytest

from ingest_service.alarms.facts import Name, PlumbingFacts
from ingest_service.alarms.lifecycle import Condition, Normal, Place
from ingest_service.alarms.plumbing import MOST_CHARACTERS, Told, observation, one_line, plumbing_key
from tests.ingest_service.alarms.examples import HOUR, NOON

CENTRE, NAME = Place("", node_id="all"), Name("监测中心", "Monitoring centre")
FIRING = Told("c6eadffa33fcdf37", "disk-low", "Less than 5 GB are left", NOON - HOUR, None)
RESOLVED = Told(FIRING.fingerprint, FIRING.rule, FIRING.summary, FIRING.begins_ms, NOON - HOUR // 2)


def test_what_fires_is_a_condition_since_it_began() -> None:
    seen = observation(FIRING, CENTRE, NAME, NOON)
    facts = PlumbingFacts(NAME, "disk-low", "Less than 5 GB are left", NOON - HOUR)
    assert seen == Condition(plumbing_key(CENTRE, FIRING.fingerprint), CENTRE, facts, NOON - HOUR)


def test_what_resolved_is_normal_since_it_ended_under_the_same_key() -> None:
    fired, over = observation(FIRING, CENTRE, NAME, NOON), observation(RESOLVED, CENTRE, NAME, NOON)
    assert over == Normal(fired.key, NOON - HOUR // 2)


def test_nothing_begins_or_ends_in_the_future() -> None:
    ahead = Told("f", "r", "", NOON + HOUR, NOON + 2 * HOUR)
    assert observation(ahead, CENTRE, NAME, NOON) == Normal(plumbing_key(CENTRE, "f"), NOON)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param((CENTRE, "f2"), id="another fingerprint"),
        pytest.param((Place("", node_id="city:a"), "f1"), id="another node"),
        pytest.param((Place("all"), "f1"), id="a home named as the node"),
    ],
)
def test_other_alerts_have_other_keys(other: tuple[Place, str]) -> None:
    assert plumbing_key(*other) != plumbing_key(CENTRE, "f1")


def test_a_key_fits_into_its_column_however_long_a_fingerprint_is() -> None:
    assert len(plumbing_key(Place("", node_id="n" * 200), "f" * 200)) < 200


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one\ntwo\t three", "one two three"),
        ("a\0b\ud800c\u202ed", "a b c d"),
        ("x" * 600, "x" * (MOST_CHARACTERS - 1) + "…"),
        ("磁盘不足", "磁盘不足"),
    ],
)
def test_a_text_of_others_is_shown_on_one_line(text: str, shown: str) -> None:
    assert one_line(text) == shown
