"""Rounding of statistics: half to even, as public implementations of HJ 212-2025 do it for every mean they send."""

from functools import cache

import numpy as np

from ingest_service.columns import Float64s

_NOISE = 9  # decimals of a quotient beyond which a difference is binary noise: 0.35 / 0.1 is to be 3.5


def half_even(values: Float64s, resolution: float) -> Float64s:
    """`values` as multiples of `resolution` (same unit), a tie to the even multiple; NaN stays NaN."""
    steps = np.rint(np.round(values / resolution, _NOISE))
    return np.asarray(np.round(steps * resolution, decimals(resolution)))


@cache
def decimals(resolution: float) -> int:
    """Digits after the point that a multiple of `resolution` needs: 0 for 1 and 5, 1 for 0.1, 2 for 0.25."""
    text = f"{resolution:.12f}".rstrip("0")
    return len(text.partition(".")[2])
