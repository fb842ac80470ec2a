"""What detectors need to know of a fleet's newest samples, kept up to date as they come instead of read each time."""

import numpy as np

from ingest_service.anomaly.burning import BURNING_CODES
from ingest_service.anomaly.runs import Runs, RunTally
from ingest_service.anomaly.window import NOT_BURNING
from ingest_service.columns import Float64s, Int32s, Int64s, SampleColumns

NO_SERIES = -1  # a furnace without a phase


class StandingValues:
    """Not thread-safe. It knows nothing of what came before it began: that is at most a few minutes."""

    def __init__(self) -> None:
        self._values = RunTally()
        self._burning = RunTally(_is_burning)

    def watch(self, series: Int32s, phases: Int64s) -> None:
        """Heed these series, and these signals of the phase (NO_SERIES for none)."""
        self._values.watch(series)
        self._burning.watch(phases[phases != NO_SERIES].astype(np.int32))

    def add(self, samples: SampleColumns) -> None:
        """Samples as they came."""
        self._values.add(samples)
        self._burning.add(samples)

    def runs(self, series: Int32s) -> Runs:
        """How long each series stands still."""
        return self._values.runs(series)

    def burning_since_ms(self, phases: Int64s) -> Int64s:
        """Since when a furnace with that signal of the phase burns, NOT_BURNING where it does not, or has none."""
        runs = self._burning.runs(np.maximum(phases, 0).astype(np.int32))
        return np.where((phases != NO_SERIES) & (runs.value == 1.0), runs.begin_ms, NOT_BURNING)


def _is_burning(code: Float64s) -> Float64s:
    return np.isin(code, BURNING_CODES).astype(np.float64)
