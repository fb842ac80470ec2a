"""The minute means of the quantities that are held against what a furnace usually shows."""

import numpy as np

from edge_agent.wire.durations import MINUTE_MS
from edge_agent.wire.quantity import quantities
from ingest_service.anomaly.watched import QUANTITIES, WATCHED, Scale
from ingest_service.columns import Float64s, Int64s
from ingest_service.store.channels import NO_ID, Channels
from ingest_service.store.timeseries import TimeSeriesStore

COVERED_SHARE = 0.75  # of a minute; below it its mean says too little, as for judging


def watched_series(channels: Channels, furnaces: Int64s) -> Int64s:
    """(furnaces, quantities) series, NO_ID where a furnace has none, or one whose unit is not the catalogue's.

    A factor needs no unit: on a logarithmic scale any will do.
    """
    return np.stack([_series(channels, name, furnaces) for name in QUANTITIES], axis=1)


def read_watched(store: TimeSeriesStore, series: Int64s, from_ms: int, minutes: int) -> Float64s:
    """(furnaces, quantities, minutes) means of these series, NaN where too little is known. Raises StoreError."""
    wanted = np.unique(series[series != NO_ID])
    found = np.full((len(wanted) + 1, minutes), np.nan)  # the last row is nobody's
    means = store.means(MINUTE_MS, wanted.tolist(), from_ms, from_ms + minutes * MINUTE_MS)
    good = means.covered >= np.float32(COVERED_SHARE)
    row, column = np.searchsorted(wanted, means.series[good]), (means.start_ms[good] - from_ms) // MINUTE_MS
    found[row, column] = means.mean[good]
    return found[np.where(series == NO_ID, len(wanted), np.searchsorted(wanted, series))]


def _series(channels: Channels, name: str, furnaces: Int64s) -> Int64s:
    series = channels.series_of(name, furnaces)
    if WATCHED[name].scale is Scale.LOG:
        return series
    unit = quantities()[name].unit
    at = np.minimum(np.searchsorted(channels.series, series), max(len(channels) - 1, 0)).tolist()
    known = [one != NO_ID and channels.rows[row].unit == unit for one, row in zip(series.tolist(), at, strict=True)]
    return np.where(known, series, NO_ID)
