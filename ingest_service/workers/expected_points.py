"""Derived points of what furnaces are expected to show. Pure."""

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from ingest_service.anomaly.watched import QUANTITIES
from ingest_service.columns import Float64s, Int64s
from ingest_service.store.derived.point import Point, Tags

LOW, HIGH = "expected_low", "expected_high"
_DECIMALS = 2


class Bounds(msgspec.Struct, frozen=True):
    """(minutes, quantities) between which means are expected, of minutes that begin at `start_ms`; NaN for nothing."""

    start_ms: Int64s
    low: Float64s
    high: Float64s


def expected_points(place: Sequence[Tags], bounds: Bounds) -> Iterator[Point]:
    """Two points of each minute, whose furnace's tags stand beside it; none where nothing is expected."""
    for measurement, table in ((LOW, bounds.low), (HIGH, bounds.high)):
        rounded, known = np.round(table, _DECIMALS), np.isfinite(table)
        for at in np.flatnonzero(known.any(axis=1)).tolist():
            names = zip(QUANTITIES, rounded[at].tolist(), known[at].tolist(), strict=True)
            fields = tuple((name, value) for name, value, holds in names if holds)
            yield Point(measurement, place[at], int(bounds.start_ms[at]), fields)
