"""Reckons what furnaces used in some hours, from minute means and the cremations that are known."""

from collections.abc import Collection, Sequence

import numpy as np

from edge_agent.wire.durations import HOUR_MS
from ingest_service.columns import Float64s
from ingest_service.cycles.energy import HourUse, MeterMinutes, hour_use
from ingest_service.emissions.columns import MINUTES
from ingest_service.store.channels import Channels
from ingest_service.store.cycles import CycleRow
from ingest_service.store.timeseries import TimeSeriesStore
from ingest_service.workers.average import FurnaceHour
from ingest_service.workers.cycle_reading import read_table

_METERS = ("gas_total", "gas_flow", "electricity_total", "electricity_power", "chamber2_temperature")


def hours_used(
    store: TimeSeriesStore,
    channels: Channels,
    hours: Collection[FurnaceHour],
    cycles: Sequence[CycleRow],
    hot_above_c: float,
) -> list[HourUse]:
    """What furnaces used in each of these hours; none for an hour of which nothing is known. Raises StoreError."""
    if not hours:
        return []
    from_ms = min(hour.start_ms for hour in hours) - HOUR_MS
    to_ms = max(hour.start_ms for hour in hours) + HOUR_MS
    furnaces = sorted({hour.furnace_id for hour in hours})
    table = read_table(store, channels, furnaces, _METERS, from_ms, to_ms).mean
    row_of = {furnace: row for row, furnace in enumerate(furnaces)}
    own: dict[int, list[CycleRow]] = {furnace: [] for furnace in furnaces}
    for cycle in cycles:
        own.get(cycle.furnace_id, []).append(cycle)
    found = []
    for hour in sorted(hours, key=lambda one: (one.furnace_id, one.start_ms)):
        first = (hour.start_ms - from_ms) // HOUR_MS * MINUTES - MINUTES
        minutes = table[row_of[hour.furnace_id], :, first : first + 2 * MINUTES]
        if np.isfinite(minutes[:, MINUTES:]).any():
            touching = [one for one in own[hour.furnace_id] if _touches(one, hour)]
            found.append(hour_use(hour.furnace_id, hour.start_ms, _meters(minutes), touching, hot_above_c))
    return found


def _touches(cycle: CycleRow, hour: FurnaceHour) -> bool:
    return cycle.start_ms < hour.start_ms + HOUR_MS and cycle.end_ms > hour.start_ms


def _meters(minutes: Float64s) -> MeterMinutes:
    return MeterMinutes(*minutes)
