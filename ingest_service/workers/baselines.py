"""The baselines of the furnaces that burn, in memory: about 4.5 kB a furnace."""

from collections.abc import Collection

import numpy as np

from ingest_service.anomaly.baseline import SHAPE, Baseline
from ingest_service.columns import Int64s


class Baselines:
    """By furnace. Not thread-safe."""

    def __init__(self) -> None:
        self._row_of: dict[int, int] = {}
        self._known = np.full((1, 2, *SHAPE), np.nan, np.float32)  # the first row is nobody's

    def __contains__(self, furnace_id: int) -> bool:
        return furnace_id in self._row_of

    def keep(self, furnace_ids: Collection[int], baseline: Baseline) -> None:
        """These furnaces' (furnaces, quantities, cells), in the place of what was known."""
        for furnace_id in furnace_ids:
            self._row_of.setdefault(furnace_id, len(self._row_of) + 1)
        if len(self._row_of) >= len(self._known):
            more = max(len(self._row_of) + 1, 2 * len(self._known)) - len(self._known)
            self._known = np.concatenate([self._known, np.full((more, 2, *SHAPE), np.nan, np.float32)])
        rows = [self._row_of[one] for one in furnace_ids]
        self._known[rows] = np.stack([baseline.middle, baseline.sigma], axis=1)

    def of(self, furnace_ids: Int64s) -> Baseline:
        """(furnaces, quantities, cells); NaN of what is not known."""
        found = self._known[[self._row_of.get(one, 0) for one in furnace_ids.tolist()]].astype(np.float64)
        return Baseline(found[:, 0], found[:, 1])
