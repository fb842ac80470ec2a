"""Whether a finished cremation may teach: it knows enough, and is not itself what should be noticed. Pure."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ingest_service.anomaly.baseline import WIDTH, Baseline, HeldBack
from ingest_service.anomaly.course import NO_CELL
from ingest_service.anomaly.unusual import IN_A_ROW
from ingest_service.columns import Float64s, Int64s

KNOWN_SHARE = 0.75  # of the burning minutes, for a quantity to be learnt from; as of an hour for its mean to count
FEWEST_MINUTES = 20  # a cremation whose phases are known for less is hardly known


def well_known(cell: Int64s, value: Float64s) -> Float64s:
    """The (quantities, minutes) means without the quantities of which too many burning minutes are missing."""
    burning = cell != NO_CELL
    if burning.sum() < FEWEST_MINUTES:
        return np.full(value.shape, np.nan)
    share = np.isfinite(value[:, burning]).mean(axis=1)
    return np.where((share >= KNOWN_SHARE)[:, None], value, np.nan)


def held_back(cell: Int64s, value: Float64s, baseline: Baseline) -> HeldBack:
    """What of the cremation itself holds it back; `value` as `well_known` leaves it."""
    if not np.isfinite(value).any():
        return HeldBack.BAD_DATA
    deviation = baseline.at(cell).deviation(value)
    return HeldBack.UNUSUAL if any(_is_unusual(own[np.isfinite(own)]) for own in deviation) else HeldBack.NOTHING


def _is_unusual(deviation: Float64s) -> bool:
    """As the detector of unusual minutes would have told."""
    if len(deviation) < IN_A_ROW:
        return False
    beyond = sliding_window_view(np.where(np.abs(deviation) > WIDTH, np.sign(deviation), 0.0), IN_A_ROW)
    return bool(((beyond[:, 0] != 0) & (beyond == beyond[:, :1]).all(axis=1)).any())
