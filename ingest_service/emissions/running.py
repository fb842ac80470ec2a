"""The running hour of many furnaces at once, minute by minute: state shaped (furnace, quantity)."""

import msgspec
import numpy as np

from ingest_service.columns import Bools, Float64s, Int64s
from ingest_service.emissions.columns import MINUTES

RECENT_MINUTES = 5  # "at this rate" means the mean of these: a choice of this product


class Running(msgspec.Struct, frozen=True):
    """What has come of the hour, each of shape (furnace, quantity), in the limits' units.

    `total`, `count` and `worst` are of the valid minutes; `recent` (RECENT_MINUTES first) holds the newest ones, NaN
    where not valid. `elapsed` counts the minutes of the hour that are over.
    """

    total: Float64s
    count: Int64s
    worst: Float64s
    recent: Float64s
    elapsed: int


class Outlook(msgspec.Struct, frozen=True):
    """Where the hour is heading, NaN where that cannot be said: shapes as in `Running`.

    `mean` so far; `forecast_mean` if the rest is like the recent minutes; `exceeds_in_min`: minutes from now until, at
    this rate, the whole hour's allowance is used up (0: it is).
    """

    mean: Float64s
    forecast_mean: Float64s
    exceeds_in_min: Float64s


def begin(shape: tuple[int, ...]) -> Running:
    """An hour of which nothing is over."""
    recent = np.full((RECENT_MINUTES, *shape), np.nan)
    return Running(np.zeros(shape), np.zeros(shape, np.int64), np.full(shape, np.nan), recent, 0)


def of_minutes(minutes: Float64s, elapsed: int, at_least: Bools) -> Running:
    """The state after the first `elapsed` of an hour's minutes (rows, 60), NaN where not valid."""
    running = begin((len(minutes),))
    for minute in range(elapsed):
        running = tick(running, minutes[:, minute], at_least)
    return running


def tick(running: Running, minute: Float64s, at_least: Bools) -> Running:
    """The state with one more minute (NaN where not valid); `at_least`: where the lowest value is the worst."""
    valid = np.isfinite(minute)
    lower, higher = np.fmin(running.worst, minute), np.fmax(running.worst, minute)
    return Running(
        total=running.total + np.where(valid, minute, 0.0),
        count=running.count + valid,
        worst=np.where(at_least, lower, higher),
        recent=np.concatenate([running.recent[1:], minute[None]]),
        elapsed=running.elapsed + 1,
    )


def outlook(running: Running, limit: Float64s, needed: Int64s, at_least: Bools) -> Outlook:
    """Where each hour is heading: `limit` in the unit of the minutes, `needed` valid minutes make the hour count."""
    left = MINUTES - running.elapsed
    rate, counted = _mean(np.nansum(running.recent, axis=0), np.isfinite(running.recent).sum(axis=0)), running.count
    final = counted + left
    hopeful = (final >= needed) & np.isfinite(rate)
    forecast = np.where(hopeful, (running.total + np.nan_to_num(rate) * left) / np.maximum(final, 1), np.nan)
    allowance = limit * final - running.total
    with np.errstate(divide="ignore", invalid="ignore"):
        minutes = np.where(allowance < 0, 0.0, allowance / np.maximum(rate, 0.0))
    told = hopeful & ~at_least & (minutes <= left) & (forecast > limit)
    return Outlook(_mean(running.total, counted), forecast, np.where(told, minutes, np.nan))


def _mean(total: Float64s, count: Int64s) -> Float64s:
    return np.asarray(np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0))
