"""Lays the stored minutes of furnaces' hours out as the judging core wants them."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_agent.wire.quantity import PHASES
from ingest_service.emissions.averages import Averaging
from ingest_service.emissions.columns import HOUR_MS, MINUTE_MS, Float64s, Int64s, MeanColumns
from ingest_service.emissions.grid import excluded_minutes, signal, worst
from ingest_service.emissions.limits import Basis, HourRows, Signal
from ingest_service.emissions.marks import STATES, Marks, marked_minutes
from ingest_service.emissions.pack import Limit, RulePack
from ingest_service.emissions.units import Pollutant, scale_of
from ingest_service.store.batch import MeanBatch
from ingest_service.store.channels import NO_ID, Channels
from ingest_service.store.timeseries import TimeSeriesStore

_O2, _MOISTURE, _PHASE = "flue_o2", "stack_moisture", "phase"
_TEMPERATURE, _PRESSURE = "stack_temperature", "stack_pressure"
CONDITIONS = (_O2, _MOISTURE, _PHASE, _TEMPERATURE, _PRESSURE)


class Minutes(msgspec.Struct, frozen=True):
    """Minute means of some furnaces with what is needed to lay them out."""

    means: MeanColumns
    channels: Channels
    marks: Marks

    def rows(self, limit: Limit, pack: RulePack, furnace: Int64s, hour_ms: Int64s) -> HourRows:
        """A row per (furnace, hour) of what `limit` is about, and of what it is converted with."""
        share = pack.validity.minute_covered_share

        def of(quantity: str) -> Signal:
            return signal(self.means, self.channels.series_of(quantity, furnace), hour_ms, share)

        factor, offset = _scales(self.channels, limit.pollutant, furnace)
        measured = self._measured(limit, pack, furnace, hour_ms)
        minutes = measured.minutes * factor[:, None] + offset[:, None]
        codes = frozenset(code for code, name in PHASES.items() if name in pack.exclusion.phases)
        return HourRows(
            concentration=Signal(minutes, measured.present),
            basis=_bases(self.channels, limit.pollutant, furnace),
            unit_known=~measured.present | np.isfinite(factor),
            o2=of(_O2),
            o2_is_wet=np.isin(_bases(self.channels, _O2, furnace), (Basis.WET_STANDARD, Basis.WET_ACTUAL)),
            moisture=of(_MOISTURE),
            stack_temperature=of(_TEMPERATURE),
            stack_pressure=of(_PRESSURE),
            excluded=excluded_minutes(self.means, self.channels.series_of(_PHASE, furnace), hour_ms, codes),
            marked=marked_minutes(
                self.marks, furnace, hour_ms, frozenset(STATES[state] for state in pack.exclusion.states)
            ),
        )

    def _measured(self, limit: Limit, pack: RulePack, furnace: Int64s, hour_ms: Int64s) -> Signal:
        series = self.channels.series_of(limit.pollutant, furnace)
        share = pack.validity.minute_covered_share
        if limit.averaging is Averaging.REAL_TIME:
            return worst(self.means, series, hour_ms, share, limit.bound)
        return signal(self.means, series, hour_ms, share)


def read_minutes(
    store: TimeSeriesStore,
    channels: Channels,
    marks: Marks,
    furnaces: NDArray[np.int64],
    pollutants: Sequence[Pollutant],
    from_ms: int,
    to_ms: int,
) -> Minutes:
    """The minutes in `[from_ms, to_ms)` of these furnaces that judging `pollutants` needs."""
    quantities = (*CONDITIONS, *pollutants)
    wanted = np.unique([channels.series_of(str(quantity), furnaces) for quantity in quantities])
    series = [int(one) for one in wanted if one != NO_ID]
    means = store.means(MINUTE_MS, series, from_ms, to_ms) if series and to_ms > from_ms else _no_means()
    return Minutes(means, channels, marks)


def hour_bounds(hour_ms: Int64s) -> tuple[int, int]:
    """From the first of some hours to the end of the last; nothing where there is none."""
    return (int(hour_ms.min()), int(hour_ms.max()) + HOUR_MS) if len(hour_ms) else (0, 0)


def _bases(channels: Channels, quantity: str, furnace: Int64s) -> Int64s:
    """The basis of that quantity at each row's furnace. Oxygen without one is taken as that of dry gas."""
    series, at = np.unique(channels.series_of(quantity, furnace), return_inverse=True)
    known = [Basis.UNKNOWN if one == NO_ID else _basis(channels.row(int(one)).basis) for one in series]
    return np.array(known, np.int64)[at]


def _basis(name: str) -> Basis:
    return Basis.__members__.get(name.upper(), Basis.UNKNOWN)


def _scales(channels: Channels, pollutant: Pollutant, furnace: Int64s) -> tuple[Float64s, Float64s]:
    """Factor and offset of each row's channel into the computing unit; NaN where its unit is not known."""
    series, at = np.unique(channels.series_of(pollutant, furnace), return_inverse=True)
    scales = [None if one == NO_ID else scale_of(pollutant, channels.row(int(one)).unit) for one in series]
    factor = np.array([np.nan if scale is None else scale.factor for scale in scales])
    offset = np.array([np.nan if scale is None else scale.offset for scale in scales])
    return factor[at], offset[at]


def _no_means() -> MeanBatch:
    nothing = np.empty(0, np.float64)
    return MeanBatch(np.empty(0, np.int32), np.empty(0, np.int64), nothing, nothing, nothing, np.empty(0, np.float32))
