"""What detectors look at: what is known of each series from its newest samples. Pure columns."""

from enum import IntEnum, unique

import msgspec
import numpy as np

from ingest_service.anomaly.runs import Runs
from ingest_service.columns import Float64s, Int32s, Int64s

NOT_BURNING = np.iinfo(np.int64).max  # in `burning_since_ms`


class Window(msgspec.Struct, frozen=True):
    """The watched series (sorted ids) with what is known of each from the newest minutes, which begin at `from_ms`.

    `runs` tells how long each stands still. `stuck_after_ms` is how long it may; 0 where that means nothing.
    `burning_since_ms` is when its furnace began to burn, as far as is known, NOT_BURNING where it does not burn.
    """

    series: Int32s
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
    presence: Int64s
    since_ms: Int64s
    score: Float64s
    threshold: Float64s
    value: Float64s


class FewMinutes(msgspec.Struct, frozen=True):
    """The newest minutes of series whose furnaces burn, as (series, minutes); `start_ms` is when each minute began.

    `value` is its mean, `low` and `high` what was expected (unit of the series), `deviation` how far the mean is from
    the middle of that, in robust sigmas and with its sign, `cell` where in the cremation the minute lies. NaN is
    unknown.
    """

    series: Int32s
    start_ms: Int64s
    value: Float64s
    low: Float64s
    high: Float64s
    deviation: Float64s
    cell: Int64s


class UnusualFindings(Findings, frozen=True):
    """With what was expected at the newest minute, and where in the cremation that lies."""

    low: Float64s
    high: Float64s
    cell: Int64s
