"""What furnaces used hour by hour, within cremations and outside of them, and how sparing they were with it. Pure."""

from collections.abc import Sequence

import msgspec
import numpy as np

from edge_agent.wire.durations import HOUR_MS, MINUTE_MS
from ingest_service.columns import Float64s
from ingest_service.cycles.cycle import Cycle, StartKind
from ingest_service.emissions.columns import MINUTES

_FREE_FOR_MS = 2 * HOUR_MS  # so long after a cremation a furnace is still warm: a choice of this product
_USING_M3 = 0.01  # gas in a minute, above which a furnace is being heated


class HourUse(msgspec.Struct, frozen=True):
    """One clock hour of a furnace, in all and of that in cremations; None where it has no such meter.

    `burning_s` belong to cremations; in `hot_idle_s` the furnace was heated and hot without one.
    """

    furnace_id: int
    start_ms: int
    gas_m3: float | None
    gas_in_cycles_m3: float | None
    electricity_kwh: float | None
    electricity_in_cycles_kwh: float | None
    burning_s: float
    hot_idle_s: float


class MeterMinutes(msgspec.Struct, frozen=True):
    """Minute means of one furnace (NaN where unknown) over an hour and the hour before it: meters and temperature.

    A meter is a totaliser (`*_total`) where there is one, else what flows an hour (`*_rate`).
    """

    gas_total: Float64s
    gas_rate: Float64s
    electricity_total: Float64s
    electricity_rate: Float64s
    chamber2_c: Float64s


def hour_use(
    furnace_id: int, start_ms: int, minutes: MeterMinutes, cycles: Sequence[Cycle], hot_above_c: float
) -> HourUse:
    """What was used in the hour from `start_ms` on, with the cremations that touch it."""
    share = in_cycles(start_ms, cycles)
    gas = _used(minutes.gas_total, minutes.gas_rate)
    power = _used(minutes.electricity_total, minutes.electricity_rate)
    heated = np.ones(MINUTES, np.bool_) if gas is None else gas > _USING_M3
    hot = heated & (minutes.chamber2_c[-MINUTES:] >= hot_above_c)
    return HourUse(
        furnace_id=furnace_id,
        start_ms=start_ms,
        gas_m3=_sum(gas, 1.0),
        gas_in_cycles_m3=_sum(gas, share),
        electricity_kwh=_sum(power, 1.0),
        electricity_in_cycles_kwh=_sum(power, share),
        burning_s=round(float(share.sum()) * 60.0, 1),
        hot_idle_s=round(float((hot * (1.0 - share)).sum()) * 60.0, 1),
    )


def in_cycles(start_ms: int, cycles: Sequence[Cycle]) -> Float64s:
    """The share of each minute of an hour, 0 to 1, that belongs to a cremation."""
    begin_ms = start_ms + np.arange(MINUTES) * MINUTE_MS
    share = np.zeros(MINUTES)
    for cycle in cycles:
        share += np.clip(np.minimum(cycle.end_ms, begin_ms + MINUTE_MS) - np.maximum(cycle.start_ms, begin_ms), 0, None)
    return np.asarray(np.minimum(share / MINUTE_MS, 1.0))


def _used(total: Float64s, rate: Float64s) -> Float64s | None:
    """What each of the hour's minutes used; None where no meter is known. A meter that was reset counts from 0."""
    if np.isfinite(total[-MINUTES:]).any():
        known = np.flatnonzero(np.isfinite(total))
        moved = np.diff(total[known], prepend=total[known[0]])
        each = np.zeros(len(total))
        each[known] = np.where(moved < 0, total[known], moved)
        return each[-MINUTES:]
    if np.isfinite(rate[-MINUTES:]).any():
        return np.asarray(np.nan_to_num(rate[-MINUTES:]) / MINUTES)
    return None


def _sum(used: Float64s | None, share: Float64s | float) -> float | None:
    return None if used is None else round(float((used * share).sum()), 3)


def avoidable(cycles: Sequence[Cycle]) -> set[str]:
    """The case numbers of one home's cold starts that better planning would have spared.

    For one of them the furnace had burned on the same day's run before, or another of the home's furnaces was warm
    (its last cremation at most two hours over) and free for as long as it took. `cycles` are those of a day.
    """
    cold = [cycle for cycle in cycles if cycle.start_kind is StartKind.COLD]
    return {cycle.case_number for cycle in cold if any(_could_take(other, cycle, cycles) for other in cycles)}


def _could_take(before: Cycle, cycle: Cycle, cycles: Sequence[Cycle]) -> bool:
    """Whether the furnace of `before` could have gone on with `cycle` instead of being left to cool."""
    if before is cycle or before.end_ms > cycle.charge_ms:
        return False
    if before.furnace_id == cycle.furnace_id:
        return True
    warm = cycle.charge_ms - before.end_ms <= _FREE_FOR_MS
    length_ms = cycle.end_ms - cycle.charge_ms
    others = (one for one in cycles if one.furnace_id == before.furnace_id and one is not before)
    busy = any(one.start_ms < cycle.charge_ms + length_ms and one.end_ms > before.end_ms for one in others)
    return warm and not busy
