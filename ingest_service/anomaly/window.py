"""What detectors look at: what is known of each series from its newest samples. Pure columns."""

from enum import IntEnum, unique

import msgspec
import numpy as np
from numpy.typing import NDArray

from ingest_service.anomaly.runs import Runs

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]

NOT_BURNING = np.iinfo(np.int64).max  # in `burning_since_ms`


class Window(msgspec.Struct, frozen=True):
    """The watched series (sorted ids) with what is known of each from the newest minutes, which begin at `from_ms`.

    `runs` tells how long each stands still. `stuck_after_ms` is how long it may; 0 where that means nothing.
    `burning_since_ms` is when its furnace began to burn, as far as is known, NOT_BURNING where it does not burn.
    """

    series: NDArray[np.int32]
    runs: Runs
    stuck_after_ms: Int64s
    burning_since_ms: Int64s
    from_ms: int
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
