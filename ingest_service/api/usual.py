"""Between which bounds a furnace's means were expected, on the grid of its curves."""

import msgspec
import numpy as np

from edge_agent.wire.durations import MINUTE_MS
from ingest_service.columns import Float64s
from ingest_service.store.derived.point import DerivedColumn, DerivedStore, tags_of
from ingest_service.store.rows import FurnaceRow

LOW, HIGH = "expected_low", "expected_high"


class Usual(msgspec.Struct, frozen=True):
    """The bounds of one quantity, minute by minute; NaN where nothing was expected."""

    low: Float64s
    high: Float64s


def usual_of(derived: DerivedStore, furnace: FurnaceRow, from_ms: int, minutes: int) -> dict[str, Usual]:
    """By quantity, of so many minutes from `from_ms` on; nothing of a quantity of which none was. Raises StoreError."""
    where = tags_of(home=furnace.home_id, furnace=furnace.name)
    to_ms = from_ms + minutes * MINUTE_MS
    low, high = (
        {one.field: _laid_out(one, from_ms, minutes) for one in found}
        for found in (derived.read(name, lambda _tags: True, from_ms, to_ms, None, where) for name in (LOW, HIGH))
    )
    return {name: Usual(low[name], high[name]) for name in low.keys() & high.keys()}


def _laid_out(column: DerivedColumn, from_ms: int, minutes: int) -> Float64s:
    table = np.full(minutes, np.nan)
    table[(column.at_ms - from_ms) // MINUTE_MS] = column.value
    return table
