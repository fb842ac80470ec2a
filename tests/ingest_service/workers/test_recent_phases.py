from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ingest_service.store.batch import MeanBatch, empty_means, no_minutes
from ingest_service.workers.recent_phases import LATE_MINUTES, MINUTES, REREAD_MS, RecentPhases
from tests.ingest_service.workers.city import MINUTE, START, City


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    made = City(tmp_path, channels=("phase", "co"))
    yield made
    made.close()


def show(city: City, furnace: int, minute: int, *codes: float, high: float | None = None) -> None:
    """The phase of some minutes, from that one on; `high` where it changed within them."""
    low = np.array(codes)
    series = np.full(len(low), city.series(furnace, "phase"), np.int32)
    at_ms, highest = START + MINUTE * (minute + np.arange(len(low))), low if high is None else low * 0 + high
    covered = np.ones(len(low), np.float32)
    city.store.write_means(MeanBatch(series, at_ms, low, low, highest, covered), empty_means(), no_minutes())


def newest(recent: RecentPhases, furnace: int, count: int) -> list[float]:
    return [one if one == one else -1.0 for one in recent.phase[furnace - 1, -count:].tolist()]


def test_phases_go_with_the_time_and_what_was_told_with_them(city: City) -> None:
    recent = RecentPhases(city.store)
    show(city, 1, 0, 3.0, 4.0)
    show(city, 2, 1, 3.0, high=4.0)
    recent.move_to(START + 2 * MINUTE, city.channels())
    assert recent.furnaces.tolist() == [1, 2]
    assert (newest(recent, 1, 3), newest(recent, 2, 2)) == ([-1.0, 3.0, 4.0], [-1.0, -1.0])
    recent.told[0, -1] = True
    show(city, 1, 2, 5.0)
    recent.move_to(START + 3 * MINUTE, city.channels())
    assert newest(recent, 1, 3) == [3.0, 4.0, 5.0]
    times = START + MINUTE * np.array([-2 * MINUTES, 0, 1, 2, 3])
    assert recent.is_told(1, times).tolist() == [False, False, True, False, False]
    assert not recent.is_told(2, times).any()
    assert not recent.is_told(77, times).any()


def test_minutes_that_come_late_are_seen_soon_and_older_ones_after_a_while(city: City) -> None:
    recent = RecentPhases(city.store)
    show(city, 1, 0, 4.0)
    recent.move_to(START + 6 * MINUTE, city.channels())
    show(city, 1, 1, *[4.0] * 6)
    recent.move_to(START + 7 * MINUTE, city.channels())
    assert newest(recent, 1, 7) == [4.0, *[-1.0] * (6 - LATE_MINUTES - 1), *[4.0] * (LATE_MINUTES + 1)]
    recent.move_to(START + REREAD_MS, city.channels())
    assert newest(recent, 1, 10) == [*[4.0] * 7, -1.0, -1.0, -1.0]


@pytest.mark.parametrize("moved", [-1, MINUTES])
def test_a_jump_of_the_clock_begins_anew(city: City, moved: int) -> None:
    recent = RecentPhases(city.store)
    show(city, 1, 0, 4.0, 4.0)
    recent.move_to(START + 2 * MINUTE, city.channels())
    recent.told[:] = True
    recent.move_to(START + (2 + moved) * MINUTE, city.channels())
    assert not recent.told.any()
    assert newest(recent, 1, 1) == ([4.0] if moved == -1 else [-1.0])
