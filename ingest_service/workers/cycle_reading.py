"""Lays out what the store holds of a furnace as the search for cremations wants it."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from edge_agent.wire.durations import MINUTE_MS
from ingest_service.columns import Float64s, Int64s
from ingest_service.cycles.charges import Minutes
from ingest_service.cycles.finding import Place, Terms
from ingest_service.cycles.masses import MEASURED, Stack
from ingest_service.cycles.settings import Cremations
from ingest_service.cycles.signals import NO_SERIES, QUANTITIES, Feed, Signals, lay_out
from ingest_service.emissions.averaging import holds_ms
from ingest_service.emissions.columns import MeanColumns
from ingest_service.emissions.limits import Basis
from ingest_service.emissions.units import Oxide, Pollutant, Scale, scale_of
from ingest_service.store.channels import NO_ID, ChannelRow, Channels
from ingest_service.store.timeseries import TimeSeriesStore
from ingest_service.workers.newest_together import NEWEST_MS, NewestTogether, Samples

_CHARGE = ("phase", "charge_door_open", "trolley_in", "flue_o2")
_NO_SCALE = Scale(1.0)


class CycleSite(msgspec.Struct, frozen=True):
    """What is settled for every furnace: the zone of case numbers, the air pressure, and the site's own figures."""

    zone: ZoneInfo
    barometric_pa: float | None
    settings: Cremations

    @property
    def terms(self) -> Terms:
        """As the search wants it."""
        one = self.settings
        return Terms(one.chamber2_least_c, one.co2_kg_per_m3, one.cold_below_c)

    def place(self, channels: Channels, furnace_id: int) -> Place:
        """Whose cremations these are."""
        row = channels.of_furnace(furnace_id)
        bases = tuple(None if one is None else _basis(one) for one in rows_of(channels, furnace_id, MEASURED))
        area_m2 = self.settings.area_of(row.home_id, row.furnace)
        return Place(furnace_id, row.furnace, self.zone, Stack(area_m2, self.barometric_pa, bases))


def rows_of(channels: Channels, furnace_id: int, quantities: Sequence[str]) -> list[ChannelRow | None]:
    """The furnace's channel of each quantity, None where it has none."""
    one = np.array([furnace_id], np.int64)
    series = [int(channels.series_of(name, one)[0]) for name in quantities]
    at = np.searchsorted(channels.series, series)
    return [None if found == NO_ID else channels.rows[row] for found, row in zip(series, at.tolist(), strict=True)]


def feed_of(channels: Channels, furnace_id: int) -> Feed:
    """Which series show the furnace's quantities, and how; a gas in an unknown unit counts as none."""
    rows = rows_of(channels, furnace_id, QUANTITIES)
    scales = [_scale(row) for row in rows]
    series = [NO_SERIES if row is None or not scale else row.series_id for row, scale in zip(rows, scales, strict=True)]
    periods = [np.nan if row is None or row.period_s is None else row.period_s for row in rows]
    factors = [(scale or _NO_SCALE).factor for scale in scales]
    offsets = [(scale or _NO_SCALE).offset for scale in scales]
    return Feed(np.array(series, np.int64), holds_ms(np.array(periods)), np.array(factors), np.array(offsets))


def read_signals(store: Samples, feed: Feed, from_ms: int, to_ms: int) -> Signals:
    """What the furnace showed in `[from_ms, to_ms)`, by the second. Raises StoreError."""
    wanted = np.unique(feed.series[feed.series != NO_SERIES]).tolist()
    samples = store.raw(wanted, from_ms - int(feed.hold_ms.max()), to_ms)
    return lay_out(samples, feed, from_ms, to_ms)


def newest_of(store: TimeSeriesStore, channels: Channels, furnaces: Sequence[int], now_ms: int) -> NewestTogether:
    """What signals of these furnaces are read from, the newest of all of them at once. Raises StoreError."""
    ids = np.array(furnaces, np.int64)
    series = np.unique(np.concatenate([channels.series_of(name, ids) for name in QUANTITIES]))
    return NewestTogether(store, series[series != NO_ID].tolist(), now_ms - NEWEST_MS, now_ms)


def read_charge_minutes(
    store: TimeSeriesStore, channels: Channels, furnaces: Sequence[int], from_ms: int, to_ms: int
) -> list[Minutes]:
    """The minutes in `[from_ms, to_ms)` (whole ones) that tell of charges, for each furnace. Raises StoreError."""
    table = read_table(store, channels, furnaces, _CHARGE, from_ms, to_ms)
    phase, door, trolley, oxygen = range(len(_CHARGE))
    return [
        Minutes(from_ms, low[phase], high[phase], mean[door], mean[trolley], mean[oxygen])
        for mean, low, high in zip(table.mean, table.low, table.high, strict=True)
    ]


class MinuteTables(msgspec.Struct, frozen=True):
    """Minutes (furnaces, quantities, minutes), NaN where unknown."""

    mean: Float64s
    low: Float64s
    high: Float64s


def read_table(
    store: TimeSeriesStore,
    channels: Channels,
    furnaces: Sequence[int],
    quantities: Sequence[str],
    from_ms: int,
    to_ms: int,
) -> MinuteTables:
    """Minute means of some quantities of some furnaces. Raises StoreError."""
    ids = np.array(furnaces, np.int64)
    series = np.stack([channels.series_of(name, ids) for name in quantities], axis=1).ravel()
    means = store.means(MINUTE_MS, np.unique(series[series != NO_ID]).tolist(), from_ms, to_ms)
    shape = (len(ids), len(quantities), (to_ms - from_ms) // MINUTE_MS)
    return MinuteTables(
        *(_table(means, getattr(means, name), series, from_ms, shape) for name in ("mean", "low", "high"))
    )


def _table(means: MeanColumns, values: Float64s, series: Int64s, from_ms: int, shape: tuple[int, int, int]) -> Float64s:
    table = np.full((shape[0] * shape[1], shape[2]), np.nan)
    order = np.argsort(series)
    row = order[np.searchsorted(series[order], means.series)]
    table[row, (means.start_ms - from_ms) // MINUTE_MS] = values
    return table.reshape(shape)


def _scale(row: ChannelRow | None) -> Scale | None:
    """What the channel's unit is in ours; None for a gas whose unit is not known."""
    gas = None if row is None else next((one for one in (*Pollutant, *Oxide) if one == row.quantity), None)
    return _NO_SCALE if row is None or gas is None else scale_of(gas, row.unit)


def _basis(row: ChannelRow) -> Basis:
    return Basis.__members__.get(row.basis.upper(), Basis.UNKNOWN)
