"""What detectors look at: the newest minutes of raw samples, and what is known of each series. Pure columns."""

from enum import IntEnum, unique

import msgspec
import numpy as np
from numpy.typing import NDArray

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]

NOT_BURNING = np.iinfo(np.int64).max  # in `burning_since_ms`


class Window(msgspec.Struct, frozen=True):
    """Samples sorted by (series, time) as columns, and the watched series (sorted ids) with what is known of each.

    `value` is in the series' unit, NaN where bad. `stuck_after_ms` is how long a series may stand still; 0 where that
    means nothing. `burning_since_ms` is when its furnace began to burn, as far as the window shows, NOT_BURNING where
    it does not burn.
    """

    sample_series: NDArray[np.int32]
    measured_at_ms: Int64s
    value: Float64s
    series: NDArray[np.int32]
    stuck_after_ms: Int64s
    burning_since_ms: Int64s
    now_ms: int


@unique
class Presence(IntEnum):
    """What a detector says of a series; UNKNOWN leaves things as they are."""

    UNKNOWN = 0
    NORMAL = 1
    ANOMALOUS = 2


class Findings(msgspec.Struct, frozen=True):
    """A detector's word on every series of a window, parallel to `Window.series`.

    `presence` holds `Presence` codes; an anomaly exists since `since_ms`, with `score` against `threshold` in the
    detector's own measure, at `value` (unit of the series).
    """

    detector: str
    presence: NDArray[np.int64]
    since_ms: Int64s
    score: Float64s
    threshold: Float64s
    value: Float64s
