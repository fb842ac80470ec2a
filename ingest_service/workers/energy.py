"""Reckons what furnaces used in some hours, from minute means and the cremations that are known."""

from collections.abc import Collection, Sequence

import numpy as np

from ingest_service.cycles.energy import HourUse, MeterMinutes, hour_use
from ingest_service.emissions.columns import MINUTES, Float64s
from ingest_service.store.channels import Channels
from ingest_service.store.cycles import CycleRow
from ingest_service.store.timeseries import HOUR_MS, TimeSeriesStore
from ingest_service.workers.average import FurnaceHour
from ingest_service.workers.cycle_reading import read_table

_METERS = ("gas_total", "gas_flow", "electricity_total", "electricity_power", "chamber2_temperature")


def hours_used(
    store: TimeSeriesStore,
    channels: Channels,
    furnace_id: int,
    hours: Collection[FurnaceHour],
    cycles: Sequence[CycleRow],
    hot_above_c: float,
) -> list[HourUse]:
    """What one furnace used in each of these hours; none for an hour of which nothing is known. Raises StoreError."""
    if not hours:
        return []
    from_ms = min(hour.start_ms for hour in hours) - HOUR_MS
    to_ms = max(hour.start_ms for hour in hours) + HOUR_MS
    table = read_table(store, channels, [furnace_id], _METERS, from_ms, to_ms).mean[0]
    found = []
    for hour in sorted(hours, key=lambda one: one.start_ms):
        first = (hour.start_ms - from_ms) // HOUR_MS * MINUTES - MINUTES
        minutes = table[:, first : first + 2 * MINUTES]
        if np.isfinite(minutes[:, MINUTES:]).any():
            touching = [one for one in cycles if one.start_ms < hour.start_ms + HOUR_MS and one.end_ms > hour.start_ms]
            found.append(hour_use(furnace_id, hour.start_ms, _meters(minutes), touching, hot_above_c))
    return found


def _meters(minutes: Float64s) -> MeterMinutes:
    return MeterMinutes(*minutes)
