"""Searches a furnace's stored signals for the cremations that some stretch of its data has to do with."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from edge_agent.wire.durations import HOUR_MS, MINUTE_MS
from ingest_service.columns import Int64s
from ingest_service.cycles.charges import charges
from ingest_service.cycles.cycle import Cycle
from ingest_service.cycles.finding import find
from ingest_service.store.channels import Channels
from ingest_service.store.timeseries import TimeSeriesStore
from ingest_service.workers.cycle_reading import CycleSite, feed_of, read_charge_minutes, read_signals
from ingest_service.workers.newest_together import Samples

REACH_MS = 3 * HOUR_MS  # a cremation is looked for so far to either side of its charge
_FIRE_MS = 30 * MINUTE_MS  # within so long, the fire that proves a charge follows
_APART_MS = 5 * MINUTE_MS  # after a charge: none of its own


class Found(msgspec.Struct, frozen=True):
    """The finished cremations of a furnace whose charge lies in `[begin_ms, end_ms)`; there are no others."""

    begin_ms: int
    end_ms: int
    cycles: tuple[Cycle, ...]


class Windows(msgspec.Struct, frozen=True):
    """Charges (their minutes, ms) and from when to when the signals of each are looked at, as parallel columns."""

    charge_ms: Int64s
    first_ms: Int64s
    last_ms: Int64s


def charges_near(
    store: TimeSeriesStore, channels: Channels, furnaces: Sequence[int], from_ms: int, to_ms: int, now_ms: int
) -> Mapping[int, Int64s]:
    """The charges of each furnace that data in `[from_ms, to_ms)` may have to do with. Raises StoreError."""
    first_ms, last_ms = _reach(from_ms, to_ms, now_ms)
    if last_ms <= first_ms:
        return dict.fromkeys(furnaces, np.empty(0, np.int64))
    minutes = read_charge_minutes(store, channels, furnaces, first_ms, last_ms)
    return {furnace: charges(own) for furnace, own in zip(furnaces, minutes, strict=True)}


def search(
    store: Samples,
    channels: Channels,
    site: CycleSite,
    furnace_id: int,
    near_ms: Int64s,
    from_ms: int,
    to_ms: int,
    now_ms: int,
) -> Found:
    """The cremations of a furnace that may depend on its data in `[from_ms, to_ms)`. Raises StoreError.

    `near_ms` are its charges by `charges_near`, of this span or a longer one.
    """
    first_ms, last_ms = _reach(from_ms, to_ms, now_ms)
    windows = _windows(near_ms[(near_ms >= first_ms) & (near_ms < last_ms)], now_ms)
    touched = np.flatnonzero((windows.first_ms < to_ms) & (windows.last_ms > from_ms))
    begin_ms, end_ms = _examined(windows.charge_ms, touched, from_ms, to_ms)
    if not len(touched):
        return Found(begin_ms, end_ms, ())
    first_ms, last_ms = int(windows.first_ms[touched].min()), int(windows.last_ms[touched].max())
    signals = read_signals(store, feed_of(channels, furnace_id), first_ms, last_ms)
    place = site.place(channels, furnace_id)
    cycles = []
    for at in touched.tolist():
        own = signals.between(int(windows.first_ms[at]), int(windows.last_ms[at]))
        has_next = bool((windows.charge_ms == windows.last_ms[at]).any())
        cycle = find(own, int(windows.charge_ms[at]), has_next, place, site.terms)
        if cycle is not None and begin_ms <= cycle.charge_ms < end_ms:
            cycles.append(cycle)
    return Found(begin_ms, end_ms, tuple(cycles))


def _reach(from_ms: int, to_ms: int, now_ms: int) -> tuple[int, int]:
    """Where charges lie that are near enough for data in `[from_ms, to_ms)` to matter, and those before and after."""
    reach_ms = 2 * REACH_MS + _FIRE_MS
    return (from_ms - reach_ms) // MINUTE_MS * MINUTE_MS, min(to_ms + reach_ms, now_ms) // MINUTE_MS * MINUTE_MS


def _windows(charge_ms: Int64s, now_ms: int) -> Windows:
    """Each charge with the time since the one before it until the next, as far as that is near."""
    before = np.concatenate([[np.iinfo(np.int64).min], charge_ms[:-1]])
    after = np.concatenate([charge_ms[1:], [np.iinfo(np.int64).max]])
    last_ms = np.minimum(np.minimum(after, charge_ms + REACH_MS), now_ms)
    return Windows(charge_ms, np.maximum(before, charge_ms - REACH_MS), last_ms)


def _examined(charge_ms: Int64s, touched: Int64s, from_ms: int, to_ms: int) -> tuple[int, int]:
    """Between which times every charge was looked at: from the last one before those that were, to the next."""
    first = from_ms if not len(touched) else int(charge_ms[touched[0]])
    last = to_ms if not len(touched) else int(charge_ms[touched[-1]])
    before, after = charge_ms[charge_ms < first], charge_ms[charge_ms > last]
    begin_ms = int(before[-1]) + _APART_MS if len(before) else from_ms - REACH_MS
    end_ms = int(after[0]) - MINUTE_MS if len(after) else to_ms + REACH_MS
    return begin_ms, max(begin_ms, end_ms)
