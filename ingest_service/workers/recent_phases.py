"""The newest minutes of the fleet's phases, kept from one minute to the next; and what was said of them already."""

import numpy as np

from edge_agent.wire.durations import MINUTE_MS
from ingest_service.anomaly.course import phase_minutes
from ingest_service.columns import Bools, Float64s, Int64s
from ingest_service.store.channels import NO_ID, Channels
from ingest_service.store.timeseries import TimeSeriesStore
from ingest_service.workers.cycle_reading import read_table

MINUTES = 128  # longer than from a charge to its cooling
LATE_MINUTES = 2  # read again each time
REREAD_MS = 10 * MINUTE_MS  # so often all of them are: what came later still makes a phase known


class RecentPhases:
    """`phase` holds codes of (furnaces, MINUTES), NaN where unknown; `told` where all was said that there is to say.

    Furnaces are those that tell their phase; the last minute begins at `end_ms` - 60 s.
    """

    def __init__(self, store: TimeSeriesStore) -> None:
        self._store = store
        self.furnaces: Int64s = np.empty(0, np.int64)
        self.phase: Float64s = np.empty((0, MINUTES))
        self.told: Bools = np.empty((0, MINUTES), np.bool_)
        self.end_ms = 0

    def move_to(self, end_ms: int, channels: Channels) -> None:
        """Read what is new until `end_ms`, a whole minute. Raises StoreError, and has not moved then."""
        furnaces = channels.furnaces[channels.series_of("phase", channels.furnaces) != NO_ID]
        passed = (end_ms - self.end_ms) // MINUTE_MS
        anew = passed >= MINUTES or passed < 0 or not np.array_equal(furnaces, self.furnaces)
        count = MINUTES if anew or end_ms % REREAD_MS == 0 else min(MINUTES, passed + LATE_MINUTES)
        fresh = self._read(channels, furnaces, end_ms, count)
        if anew:
            self.phase, self.told = fresh, np.zeros(fresh.shape, np.bool_)
        else:
            self.phase, self.told = np.roll(self.phase, -passed, 1), np.roll(self.told, -passed, 1)
            self.phase[:, MINUTES - count :] = fresh
            self.told[:, MINUTES - passed :] = False
        self.furnaces, self.end_ms = furnaces, end_ms

    def is_told(self, furnace_id: int, start_ms: Int64s) -> Bools:
        """Whether all was said of those minutes of that furnace; of what is not known here, no."""
        row = int(np.searchsorted(self.furnaces, furnace_id))
        if row == len(self.furnaces) or self.furnaces[row] != furnace_id:
            return np.zeros(len(start_ms), np.bool_)
        at = MINUTES + (start_ms - self.end_ms) // MINUTE_MS
        within = (at >= 0) & (at < MINUTES)
        return np.asarray(within & self.told[row, np.where(within, at, 0)])

    def _read(self, channels: Channels, furnaces: Int64s, end_ms: int, count: int) -> Float64s:
        if not len(furnaces):
            return np.full((0, count), np.nan)
        table = read_table(self._store, channels, furnaces.tolist(), ("phase",), end_ms - count * MINUTE_MS, end_ms)
        return phase_minutes(table.low[:, 0], table.high[:, 0])
