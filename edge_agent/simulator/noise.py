"""Correlated noise that is a function of time alone: two rings of AR(1) values, read at the second."""

from array import array
from random import Random

import msgspec

# Prime lengths: the sum of both repeats only after more than a year.
_FAST_LENGTH, _SLOW_LENGTH = 3989, 10007
_FAST_MEMORY, _SLOW_MEMORY = 0.75, 0.995
_FAST_SHARE, _SLOW_SHARE = 0.6, 0.8
_LANE_S = 173
LANES = 23


class Noise(msgspec.Struct, frozen=True):
    """What every lane reads at one second. Both parts have zero mean; their sum has unit variance."""

    rings: "NoiseRings"
    fast_at: int
    slow_at: int

    def fast(self, lane: int) -> float:
        """Flicker of a sensor, memory of seconds, standard deviation 0.6."""
        return self.rings.fast[self.fast_at + lane * _LANE_S]

    def slow(self, lane: int) -> float:
        """Wandering of the process, memory of minutes, standard deviation 0.8."""
        return self.rings.slow[self.slow_at + lane * _LANE_S]

    def both(self, lane: int) -> float:
        """The sum of both, standard deviation 1."""
        at = lane * _LANE_S
        return self.rings.fast[self.fast_at + at] + self.rings.slow[self.slow_at + at]


class NoiseRings(msgspec.Struct, frozen=True):
    """The rings of one furnace, unrolled past their end so that every lane is one look-up away."""

    fast: "array[float]"
    slow: "array[float]"

    def at(self, second: int) -> Noise:
        """The noise at a second since 1970; the same whatever was asked before."""
        return Noise(self, second % _FAST_LENGTH, second % _SLOW_LENGTH)


def draw_rings(rng: Random) -> NoiseRings:
    """Draw both rings."""
    fast = _draw_ring(rng, _FAST_LENGTH, _FAST_MEMORY, _FAST_SHARE)
    slow = _draw_ring(rng, _SLOW_LENGTH, _SLOW_MEMORY, _SLOW_SHARE)
    return NoiseRings(fast, slow)


def _draw_ring(rng: Random, length: int, memory: float, share: float) -> "array[float]":
    """An AR(1) path that ends near where it begins, mean 0 and the given standard deviation."""
    innovation = (1.0 - memory * memory) ** 0.5
    path = [rng.gauss(0.0, 1.0)]
    for _ in range(length - 1):
        path.append(memory * path[-1] + rng.gauss(0.0, innovation))
    gap = path[-1] - path[0]
    closed = [value - gap * at / length for at, value in enumerate(path)]
    mean = sum(closed) / length
    deviation = (sum((value - mean) ** 2 for value in closed) / length) ** 0.5
    ring = [share * (value - mean) / deviation for value in closed]
    return array("d", ring + ring[: LANES * _LANE_S])
