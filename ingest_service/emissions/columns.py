"""The columns that go into the judging core and come out of it."""

from typing import Protocol

import msgspec

from ingest_service.columns import Float32s, Float64s, Int32s, Int64s

MINUTES = 60  # of an hour


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
