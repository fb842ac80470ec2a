"""The columns that go into the judging core and come out of it."""

from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]
Float32s = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Bools = NDArray[np.bool_]

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
MINUTES = 60  # of an hour


class SampleColumns(Protocol):
    """Samples as parallel columns: series id, ms since 1970 UTC, value in the series' unit, code of `wire.Reason`."""

    @property
    def series(self) -> Int32s:
        """Series ids."""

    @property
    def measured_at_ms(self) -> Int64s:
        """Event times."""

    @property
    def value(self) -> Float64s:
        """Values, NaN where bad."""

    @property
    def reason(self) -> Bytes:
        """Why a value is not simply good; 0 is good."""


class MeanColumns(Protocol):
    """Means as parallel columns, as in `Means`."""

    @property
    def series(self) -> Int32s:
        """Series ids."""

    @property
    def start_ms(self) -> Int64s:
        """Starts of the periods."""

    @property
    def mean(self) -> Float64s:
        """Means, NaN where nothing was valid."""

    @property
    def low(self) -> Float64s:
        """Lowest values."""

    @property
    def high(self) -> Float64s:
        """Highest values."""

    @property
    def covered(self) -> Float32s:
        """Share of the period, 0 to 1, for which a value held."""


class Means(msgspec.Struct, frozen=True):
    """Means of one period length, sorted by (series, start).

    `mean`, `low` and `high` are in the series' unit, NaN where nothing was valid; `covered` is the share of the period,
    0 to 1, for which a value held.
    """

    series: Int32s
    start_ms: Int64s
    mean: Float64s
    low: Float64s
    high: Float64s
    covered: Float32s

    def __len__(self) -> int:
        return len(self.series)
