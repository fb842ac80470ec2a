"""The column types of the service: many values of one kind side by side, never one object a value."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]
Uint64s = NDArray[np.uint64]
Float32s = NDArray[np.float32]
Float64s = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Bools = NDArray[np.bool_]


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
