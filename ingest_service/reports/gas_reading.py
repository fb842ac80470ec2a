"""Reads what a furnace's stack showed minute by minute, for the mass of hours that a rule fills in."""

from collections.abc import Sequence

import numpy as np

from edge_agent.wire.durations import MINUTE_MS
from ingest_service.cycles.signals import QUANTITIES, Signals
from ingest_service.store.overview import KnownSeries
from ingest_service.store.timeseries import TimeSeriesStore

_STATE = ("flue_o2", "stack_temperature", "stack_pressure", "stack_velocity", "stack_moisture")


def read_gas(
    store: TimeSeriesStore, series: Sequence[KnownSeries], concentrations: Sequence[str], from_ms: int, to_ms: int
) -> Signals:
    """Minute means in `[from_ms, to_ms)`, each quantity in its channel's unit. Raises StoreError."""
    known = {one.quantity: one.id for one in reversed(series) if one.quantity in (*_STATE, *concentrations)}
    columns = np.full((len(QUANTITIES), (to_ms - from_ms) // MINUTE_MS), np.nan)
    means = store.means(MINUTE_MS, sorted(known.values()), from_ms, to_ms)
    for quantity, number in known.items():
        own = means.series == number
        columns[QUANTITIES.index(quantity), (means.start_ms[own] - from_ms) // MINUTE_MS] = means.mean[own]
    return Signals(from_ms, MINUTE_MS, columns)
