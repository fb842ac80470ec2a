"""What a furnace usually shows in each minute of each phase, learnt from its last cremations. Pure.

A lesson is one cremation: (quantities, cells) means on the scale of each quantity, NaN where nothing is known.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum, unique
from itertools import groupby

import msgspec
import numpy as np

from ingest_service.anomaly.course import CELLS, MINUTES_OF, NO_CELL, PHASE_OF
from ingest_service.anomaly.watched import QUANTITIES, WATCHED, Watched
from ingest_service.columns import Float64s, Int64s

LESSONS = 30  # of a furnace count: some five days
FEWEST = 8  # below so many nothing is expected
WIDTH = 4.0  # robust sigmas to either side: normal scatter lies outside less than once a furnace and month, by estimate
_FEW = 4.0  # a few lessons know less: sigma grows by 1 + this / lessons
_SIGMA_OF_MAD = 1.4826  # of a normal distribution
KEPT_AS = np.dtype("<f2")  # of a lesson: a hundredth of what is usual at most, half the bytes of more
SHAPE = (len(QUANTITIES), CELLS)
LAYOUT = ",".join(f"{name}:{one.scale}" for name, one in WATCHED.items()) + ";" + str(list(MINUTES_OF.values()))
_FLOOR, _WIDEST = (np.array([[getattr(one, name)] for one in WATCHED.values()]) for name in ("floor", "widest"))


@unique
class HeldBack(StrEnum):
    """Why a cremation does not teach. The names are stored: never rename one."""

    NOTHING = ""
    MARKED = "marked"  # a person said that the plant was not in its usual state
    ALARM = "alarm"
    BAD_DATA = "bad_data"
    UNUSUAL = "unusual"  # itself far outside what was expected


class Baseline(msgspec.Struct, frozen=True):
    """Middle and robust sigma (..., quantities, cells) on the scale of each quantity; NaN where nothing is expected."""

    middle: Float64s
    sigma: Float64s

    def at(self, cell: Int64s) -> "Expected":
        """What is expected of minutes (..., minutes) that lie in these cells."""
        place = np.broadcast_to(np.maximum(cell, 0)[..., None, :], (*self.middle.shape[:-1], cell.shape[-1]))
        known = (cell != NO_CELL)[..., None, :]
        found = (np.take_along_axis(column, place, -1) for column in (self.middle, self.sigma))
        return Expected(*(np.where(known, column, np.nan) for column in found))


class Expected(msgspec.Struct, frozen=True):
    """The same of (..., quantities, minutes)."""

    middle: Float64s
    sigma: Float64s

    @property
    def low(self) -> Float64s:
        """What a mean is at least, in the unit of the channel."""
        return _each(self.middle - WIDTH * self.sigma, lambda one, value: one.bound(value))

    @property
    def high(self) -> Float64s:
        """What it is at most."""
        return _each(self.middle + WIDTH * self.sigma, lambda one, value: one.bound(value))

    def deviation(self, value: Float64s) -> Float64s:
        """How far means are from the middle, in robust sigmas and with their sign."""
        return (on_scale(value) - self.middle) / self.sigma


def lesson(cell: Int64s, value: Float64s) -> Float64s:
    """What one cremation teaches: its minutes' cells, and (quantities, minutes) means in the units of the channels."""
    scaled = on_scale(value)
    used = (cell != NO_CELL) & np.isfinite(scaled)
    at = np.arange(len(value))[:, None] * CELLS + np.maximum(cell, 0)
    total = np.bincount(at[used], weights=scaled[used], minlength=len(value) * CELLS)
    count = np.bincount(at[used], minlength=len(value) * CELLS)
    means = np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)
    return np.asarray(means.reshape(len(value), CELLS).astype(KEPT_AS), np.float64)


def learn(lessons: Float64s) -> Baseline:
    """The baseline of (..., lessons, quantities, cells); nothing of a cell that too few know, or that scatters much."""
    count = np.isfinite(lessons).sum(axis=-3)
    middle = _median(lessons, -3)
    own = _SIGMA_OF_MAD * _median(np.abs(lessons - middle[..., None, :, :]), -3)
    enough = count >= FEWEST
    own = np.where(enough, own, np.nan)
    wider = 1.0 + _FEW / np.maximum(count, 1)
    sigma = np.fmax(np.fmax(own, _of_phase(own)), _FLOOR) * wider
    enough &= sigma <= _WIDEST
    return Baseline(np.where(enough, middle, np.nan), np.where(enough, sigma, np.nan))


def teaching(held_back: Sequence[HeldBack]) -> list[int]:
    """Which of a furnace's cremations (oldest first) teach: the last LESSONS that nothing holds back.

    A run of FEWEST unusual ones is no chance: the furnace has changed, and they are what is usual from then on.
    """
    places = [at for at, why in enumerate(held_back) if why in (HeldBack.NOTHING, HeldBack.UNUSUAL)]
    chosen: list[int] = []
    for is_unusual, group in groupby(places, key=lambda at: held_back[at] is HeldBack.UNUSUAL):
        run = list(group)
        if not is_unusual:
            chosen += run
        elif len(run) >= FEWEST:
            chosen = run
    return chosen[-LESSONS:]


def on_scale(value: Float64s) -> Float64s:
    """Values (..., quantities, any) on the scale of each quantity."""
    return _each(value, lambda one, column: one.scale.of(column))


def _each(value: Float64s, by: Callable[[Watched, Float64s], Float64s]) -> Float64s:
    """Each quantity's values in its own way."""
    return np.stack([by(one, value[..., at, :]) for at, one in enumerate(WATCHED.values())], axis=-2)


def _median(value: Float64s, axis: int) -> Float64s:
    """The median of what is known, NaN where nothing is."""
    ordered = np.sort(value, axis=axis)  # NaN last
    count = np.isfinite(value).sum(axis=axis, keepdims=True)
    below = np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, axis)
    above = np.take_along_axis(ordered, np.minimum(count // 2, value.shape[axis] - 1), axis)
    return np.where(count > 0, (below + above) / 2.0, np.nan).squeeze(axis)


def _of_phase(sigma: Float64s) -> Float64s:
    """The median of a phase's cells for each of them: single minutes of few cremations may look too alike."""
    found = np.empty_like(sigma)
    for name in MINUTES_OF:
        own = [at for at, phase in enumerate(PHASE_OF) if phase == name]
        found[..., own] = _median(sigma[..., own], -1)[..., None]
    return found
