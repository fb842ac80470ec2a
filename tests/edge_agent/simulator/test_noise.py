from itertools import pairwise
from random import Random

import pytest

from edge_agent.simulator.noise import LANES, NoiseRings, draw_rings

RINGS = draw_rings(Random(1))
START_S = 1_795_500_000


def _series(rings: NoiseRings, lane: int, length: int = 5000) -> list[float]:
    return [rings.at(START_S + second).both(lane) for second in range(length)]


def _correlation(a: list[float], b: list[float]) -> float:
    mean_a, mean_b = sum(a) / len(a), sum(b) / len(b)
    shared = sum((x - mean_a) * (y - mean_b) for x, y in zip(a, b, strict=True))
    return float(shared / (sum((x - mean_a) ** 2 for x in a) * sum((y - mean_b) ** 2 for y in b)) ** 0.5)


def test_noise_does_not_depend_on_what_was_asked_before() -> None:
    before = RINGS.at(START_S).both(3)
    _series(RINGS, 3, 100)
    assert RINGS.at(START_S).both(3) == before


def test_noise_is_correlated_from_second_to_second_and_less_so_over_minutes() -> None:
    series = _series(RINGS, 0)
    near, far = _correlation(series[:-1], series[1:]), _correlation(series[:-1200], series[1200:])
    assert near > 0.8
    assert abs(far) < near / 2


@pytest.mark.parametrize("lane", [0, 7, LANES - 1])
def test_noise_has_mean_zero_and_unit_deviation(lane: int) -> None:
    series = _series(RINGS, lane, 40_000)
    mean = sum(series) / len(series)
    deviation = (sum((value - mean) ** 2 for value in series) / len(series)) ** 0.5
    assert mean == pytest.approx(0.0, abs=0.05)
    assert deviation == pytest.approx(1.0, abs=0.1)


def test_every_second_moves_the_noise() -> None:
    series = _series(RINGS, 5)
    assert all(a != b for a, b in pairwise(series))
