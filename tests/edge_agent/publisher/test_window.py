"""The window against a modelled way to the centre: a base delay, and a queue that is worked off at a steady rate."""

from collections import deque

import pytest

from edge_agent.publisher.window import QUEUE_MS, Window, WindowLimits

LIMITS = WindowLimits(first=4, most=1024)


class Way:
    """Blocks leave one behind the other for a centre that works off so many a second, those of others too."""

    def __init__(self, window: Window, base_ms: int, blocks_per_s: float) -> None:
        self.window, self.now_ms, self.others = window, 0, 0.0
        self._base_ms, self._block_ms = base_ms, 1000 / blocks_per_s
        self._free_ms = 0.0
        self._under_way: deque[tuple[int, int]] = deque()

    def run(self, seconds: float) -> list[int]:
        """The round trips of that time; `others` are blocks a second of other edges."""
        until_ms, taken = self.now_ms + int(seconds * 1000), []
        while self.now_ms < until_ms:
            self.now_ms += 10
            self._free_ms = max(self._free_ms, self.now_ms) + self.others / 100 * self._block_ms
            while len(self._under_way) < self.window.size:
                self._free_ms += self._block_ms
                self._under_way.append((self.now_ms, int(self._free_ms) + self._base_ms))
            while self._under_way and self._under_way[0][1] <= self.now_ms:
                sent_ms, _ = self._under_way.popleft()
                taken.append(self.now_ms - sent_ms)
                self.window.follow(taken[-1], self.now_ms)
        return taken


def test_on_a_free_way_the_window_soon_is_as_wide_as_allowed() -> None:
    window = Window(WindowLimits(first=4, most=64), 0)
    Way(window, 100, 1e6).run(1)
    assert window.size == 64


@pytest.mark.parametrize(("base_ms", "blocks_per_s"), [(50, 200), (400, 1000), (10_000, 50), (30, 20)])
def test_the_way_is_used_up_and_nobody_waits_much_longer_than_two_seconds(base_ms: int, blocks_per_s: float) -> None:
    way = Way(Window(WindowLimits(first=32, most=1024), 0), base_ms, blocks_per_s)
    way.run(120)
    taken = way.run(100)
    assert len(taken) > 0.9 * 100 * blocks_per_s
    assert max(taken) <= base_ms + 2.5 * QUEUE_MS


def test_where_others_fill_the_way_the_window_gives_way_and_opens_again_afterwards() -> None:
    way = Way(Window(LIMITS, 0), 100, 500)
    way.run(20)
    wide = way.window.size
    way.others = 520
    way.run(10)
    assert way.window.size < wide / 4
    way.others = 0
    way.run(40)
    assert way.window.size > wide / 2


def test_a_loss_halves_it_and_silence_leaves_one() -> None:
    window = Window(LIMITS, 0)
    window.halve()
    assert window.size == 2
    window.close()
    assert window.size == 1
    window.halve()
    assert window.size == 1
    window.widen()
    assert window.size == 2


def test_the_quickest_round_trip_is_forgotten_after_some_minutes() -> None:
    window = Window(LIMITS, 0)
    window.follow(100, 1_000)
    sizes = []
    for now_ms in (200_000, 400_000, 750_000, 1_100_000):
        window.follow(11_000, now_ms)
        sizes.append(window.size)
    assert sizes == [2, 2, 3, 4]
