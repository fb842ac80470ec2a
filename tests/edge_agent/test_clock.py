import asyncio

import pytest

from edge_agent.clock import ASK_AGAIN_MS, SystemClock
from edge_agent.stamps import Discipline


class TurnedClock(SystemClock):
    """Shows whatever monotonic time it is told."""

    now_ms = 0

    def monotonic_ms(self) -> int:
        return self.now_ms


def test_how_the_clock_is_kept_is_asked_once_a_second_at_most() -> None:
    answers = iter([Discipline.UNSYNCHRONISED, Discipline.SYNCHRONISED])
    clock = TurnedClock(lambda: next(answers))
    clock.now_ms = ASK_AGAIN_MS - 1
    assert clock.discipline() is Discipline.UNSYNCHRONISED
    clock.now_ms = ASK_AGAIN_MS
    assert clock.discipline() is Discipline.SYNCHRONISED
    clock.now_ms = 2 * ASK_AGAIN_MS - 1
    assert clock.discipline() is Discipline.SYNCHRONISED


def test_a_clock_that_nobody_watches_says_so() -> None:
    assert SystemClock().discipline() is Discipline.UNWATCHED


def test_sleeping_ends_when_the_monotonic_clock_is_there() -> None:
    async def scene() -> tuple[int, int]:
        clock = SystemClock()
        wanted_ms = clock.monotonic_ms() + 30
        await clock.sleep_until(wanted_ms)
        return wanted_ms, clock.monotonic_ms()

    wanted_ms, awake_ms = asyncio.run(scene())
    assert wanted_ms <= awake_ms + 1 <= wanted_ms + 1_000


def test_sleeping_until_a_moment_that_is_past_lets_others_run() -> None:
    async def scene() -> list[str]:
        said: list[str] = []
        loop = asyncio.get_running_loop()
        loop.call_soon(said.append, "the other")
        await SystemClock().sleep_until(0)
        said.append("the sleeper")
        return said

    assert asyncio.run(scene()) == ["the other", "the sleeper"]


def test_the_two_clocks_count_milliseconds() -> None:
    clock = SystemClock()
    assert clock.wall_ms() > 1_700_000_000_000
    assert clock.monotonic_ms() == pytest.approx(clock.monotonic_ms(), abs=1_000)


@pytest.mark.parametrize("discipline", Discipline)
def test_a_time_that_is_known_to_be_doubtful_is_not_trusted(discipline: Discipline) -> None:
    trusted_ms = SystemClock(lambda: discipline).trusted_ms()
    assert (trusted_ms == 0) == (discipline is Discipline.UNSYNCHRONISED)
