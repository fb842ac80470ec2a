from edge_agent.publisher.presences import PAUSE_MS, TELLING_MS, Presence, Presences

UP, DOWN = Presence.UP, Presence.DOWN


def with_dead(now_ms: int = 0) -> Presences:
    """Two devices were born, and a died."""
    presences = Presences()
    presences.all_born(["a", "b"], now_ms)
    assert presences.change("a", DOWN)
    presences.died("a", now_ms)
    return presences


def test_a_device_is_silent_from_its_death_to_its_birth() -> None:
    presences = with_dead()
    assert [presences.may_speak(device) for device in "ab"] == [False, True]
    assert presences.change("a", UP)
    presences.born("a", 10)
    assert presences.may_speak("a")
    assert not presences.is_down("a")


def test_a_device_that_was_never_told_dead_needs_no_birth_when_it_comes() -> None:
    presences = Presences()
    presences.all_born(["a"], 0)
    assert not presences.change("a", UP)


def test_a_dead_device_of_which_nothing_waits_stays_dead() -> None:
    presences = with_dead()
    assert presences.next_ms is None
    assert presences.to_wake(10 * PAUSE_MS) == []


def test_a_dead_device_of_which_something_waits_is_woken_after_a_pause_and_buried_when_all_is_told() -> None:
    presences = with_dead()
    assert not presences.may_speak("a")
    assert presences.next_ms == PAUSE_MS
    assert presences.to_wake(PAUSE_MS - 1) == []
    assert presences.to_wake(PAUSE_MS) == ["a"]
    presences.born("a", PAUSE_MS)
    presences.sent("a", 7)
    assert presences.to_bury({7}, all_sent=True, now_ms=PAUSE_MS) == []
    assert presences.to_bury(set(), all_sent=False, now_ms=PAUSE_MS) == []
    assert presences.to_bury({8}, all_sent=True, now_ms=PAUSE_MS) == ["a"]
    presences.died("a", PAUSE_MS)
    assert presences.next_ms is None


def test_a_dead_device_is_buried_when_its_time_is_over_though_nobody_answers() -> None:
    presences = with_dead()
    presences.all_born(["a", "b"], 100)
    presences.sent("a", 7)
    assert presences.next_ms == 100 + TELLING_MS
    assert presences.to_bury({7}, all_sent=False, now_ms=100 + TELLING_MS) == ["a"]


def test_a_device_that_comes_while_it_tells_its_history_is_not_buried() -> None:
    presences = with_dead()
    presences.all_born(["a", "b"], 100)
    assert not presences.change("a", UP)
    assert presences.to_bury(set(), all_sent=True, now_ms=10**9) == []


def test_what_the_site_file_no_longer_names_is_forgotten() -> None:
    presences = with_dead()
    presences.may_speak("a")
    presences.keep({"b"})
    assert (presences.is_down("a"), presences.next_ms) == (False, None)
