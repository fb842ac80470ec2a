import pytest
from structlog.testing import capture_logs

from edge_agent.clock import SystemClock
from edge_agent.clock_watch import ClockWatch
from edge_agent.stamps import Discipline

SYNCHRONISED, UNSYNCHRONISED = Discipline.SYNCHRONISED, Discipline.UNSYNCHRONISED


class TurnedClock(SystemClock):
    """Shows what it is told."""

    shown = (0, 0, Discipline.UNWATCHED)

    def wall_ms(self) -> int:
        return self.shown[0]

    def monotonic_ms(self) -> int:
        return self.shown[1]

    def discipline(self) -> Discipline:
        return self.shown[2]


def watched(*moments: tuple[int, int, Discipline]) -> tuple[ClockWatch, list[str]]:
    """What is said of a clock that shows these moments, one a look."""
    clock = TurnedClock()
    watch = ClockWatch(clock)
    with capture_logs() as said:
        for moment in moments:
            clock.shown = moment
            watch.look()
    return watch, [line["event"] for line in said]


def test_a_clock_that_goes_on_and_is_slewed_is_nothing_to_speak_of() -> None:
    watch, said = watched((1_000, 1_000, SYNCHRONISED), (2_500, 2_000, SYNCHRONISED), (3_000, 3_000, SYNCHRONISED))
    assert (watch.steps_total, said) == (0, ["clock_synchronised"])


@pytest.mark.parametrize("to_ms", [3_600_000, -3_600_000])
def test_a_step_is_counted_and_said_once(to_ms: int) -> None:
    moments = [(to_ms + 1_000 * second, 1_000 * second, Discipline.UNWATCHED) for second in range(1, 5)]
    watch, said = watched(*moments)
    assert (watch.steps_total, said) == (1, ["clock_stepped"])


def test_each_change_of_synchronisation_is_said_once() -> None:
    disciplines = [UNSYNCHRONISED] * 3 + [SYNCHRONISED] * 3 + [UNSYNCHRONISED]
    watch, said = watched(*((second * 1_000, second * 1_000, kept) for second, kept in enumerate(disciplines)))
    assert said == ["clock_unsynchronised", "clock_synchronised", "clock_unsynchronised"]
    assert watch.discipline is UNSYNCHRONISED
