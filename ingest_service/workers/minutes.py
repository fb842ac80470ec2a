"""Lays the stored minutes of furnaces' hours out as the judging core wants them."""

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_agent.wire.durations import HOUR_MS, MINUTE_MS
from edge_agent.wire.quantity import PHASES
from ingest_service.columns import Bools, Float64s, Int64s
from ingest_service.emissions.averages import Averaging
from ingest_service.emissions.columns import MeanColumns
from ingest_service.emissions.grid import Column, MinuteTable
from ingest_service.emissions.limits import Basis, HourRows, Signal
from ingest_service.emissions.marks import STATES, Marks, marked_minutes
from ingest_service.emissions.measured import Measured, measured
from ingest_service.emissions.pack import Exclusion, Limit, RulePack
from ingest_service.emissions.units import Oxide, Pollutant, scale_of
from ingest_service.emissions.vocabulary import Bound
from ingest_service.store.batch import empty_means
from ingest_service.store.channels import NO_ID, Channels
from ingest_service.store.timeseries import TimeSeriesStore

_O2, _MOISTURE, _PHASE = "flue_o2", "stack_moisture", "phase"
_TEMPERATURE, _PRESSURE = "stack_temperature", "stack_pressure"
CONDITIONS = (_O2, _MOISTURE, _PHASE, _TEMPERATURE, _PRESSURE)


class Conditions(msgspec.Struct, frozen=True):
    """What the minutes of some rows have in common, whatever is judged; fields as in `HourRows`."""

    o2: Signal
    o2_is_wet: Bools
    moisture: Signal
    stack_temperature: Signal
    stack_pressure: Signal
    excluded: Bools
    marked: Bools


class Asked(msgspec.Struct, frozen=True):
    """For which rows, and by which rule, conditions were laid out."""

    furnace: Int64s
    hour_ms: Int64s
    share: float
    exclusion: Exclusion

    def same(self, other: "Asked") -> bool:
        """True when the same conditions are asked for."""
        rule = (self.share, self.exclusion) == (other.share, other.exclusion)
        rows = np.array_equal(self.furnace, other.furnace) and np.array_equal(self.hour_ms, other.hour_ms)
        return rule and rows


class Minutes:
    """Minute means of some furnaces with what is needed to lay them out."""

    def __init__(self, means: MeanColumns, channels: Channels, marks: Marks) -> None:
        self._table, self._channels, self._marks = MinuteTable(means), channels, marks
        self._last: tuple[Asked, Conditions] | None = None  # the limits of a pack ask for the same, one after the other

    def rows(self, limit: Limit, pack: RulePack, furnace: Int64s, hour_ms: Int64s) -> HourRows:
        """A row per (furnace, hour) of what `limit` is about, and of what it is converted with."""
        share = pack.validity.minute_covered_share
        found = measured(limit.pollutant, self._reader(furnace, hour_ms, share, _column(limit)))
        common = self._conditions(Asked(furnace, hour_ms, share, pack.exclusion))
        return HourRows(
            concentration=found.signal,
            basis=found.basis,
            unit_known=found.unit_known,
            o2=common.o2,
            o2_is_wet=common.o2_is_wet,
            moisture=common.moisture,
            stack_temperature=common.stack_temperature,
            stack_pressure=common.stack_pressure,
            excluded=common.excluded,
            marked=common.marked,
        )

    def _reader(
        self, furnace: Int64s, hour_ms: Int64s, share: float, column: Column
    ) -> Callable[[Pollutant | Oxide], Measured]:
        """Reads what the furnaces' channels of a quantity show."""

        def of(quantity: Pollutant | Oxide) -> Measured:
            series = self._channels.series_of(quantity, furnace)
            factor, offset = _scales(self._channels, quantity, series)
            shown = self._table.signal(series, hour_ms, share, column)
            signal = Signal(shown.minutes * factor[:, None] + offset[:, None], shown.present)
            return Measured(signal, _bases(self._channels, series), ~shown.present | np.isfinite(factor))

        return of

    def _conditions(self, asked: Asked) -> Conditions:
        if self._last is None or not self._last[0].same(asked):
            self._last = asked, self._laid_out(asked)
        return self._last[1]

    def _laid_out(self, asked: Asked) -> Conditions:
        def of(quantity: str) -> Signal:
            series = self._channels.series_of(quantity, asked.furnace)
            return self._table.signal(series, asked.hour_ms, asked.share)

        phases, o2 = (self._channels.series_of(name, asked.furnace) for name in (_PHASE, _O2))
        codes = frozenset(code for code, name in PHASES.items() if name in asked.exclusion.phases)
        states = frozenset(STATES[state] for state in asked.exclusion.states)
        return Conditions(
            o2=of(_O2),
            o2_is_wet=np.isin(_bases(self._channels, o2), (Basis.WET_STANDARD, Basis.WET_ACTUAL)),
            moisture=of(_MOISTURE),
            stack_temperature=of(_TEMPERATURE),
            stack_pressure=of(_PRESSURE),
            excluded=self._table.excluded(phases, asked.hour_ms, codes),
            marked=marked_minutes(self._marks, asked.furnace, asked.hour_ms, states),
        )


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
    quantities = (*CONDITIONS, *pollutants, *(Oxide if Pollutant.NOX in pollutants else ()))
    wanted = np.unique([channels.series_of(str(quantity), furnaces) for quantity in quantities])
    series = [int(one) for one in wanted if one != NO_ID]
    means = store.means(MINUTE_MS, series, from_ms, to_ms) if series and to_ms > from_ms else empty_means()
    return Minutes(means, channels, marks)


def hour_bounds(hour_ms: Int64s) -> tuple[int, int]:
    """From the first of some hours to the end of the last; nothing where there is none."""
    return (int(hour_ms.min()), int(hour_ms.max()) + HOUR_MS) if len(hour_ms) else (0, 0)


def _column(limit: Limit) -> Column:
    """Which figure of a minute is judged: its mean, or of real-time values the worst."""
    if limit.averaging is not Averaging.REAL_TIME:
        return Column.MEAN
    return Column.LOW if limit.bound is Bound.AT_LEAST else Column.HIGH


def _bases(channels: Channels, series: Int64s) -> Int64s:
    """The basis of each row's series. Oxygen without one is taken as that of dry gas."""
    names = _texts(channels, series, "basis")
    codes = {name: int(Basis.__members__.get(name.upper(), Basis.UNKNOWN)) for name in set(names)}
    return np.array([codes[name] for name in names], np.int64)


def _scales(channels: Channels, pollutant: Pollutant | Oxide, series: Int64s) -> tuple[Float64s, Float64s]:
    """Factor and offset of each row's series into the computing unit; NaN where its unit is not known."""
    units = _texts(channels, series, "unit")
    scales = {unit: scale_of(pollutant, unit) for unit in set(units)}
    known = {unit: (scale.factor, scale.offset) if scale else (np.nan, np.nan) for unit, scale in scales.items()}
    pairs = np.array([known[unit] for unit in units], np.float64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _texts(channels: Channels, series: Int64s, field: str) -> list[str]:
    """A field of each row's channel, "" where there is none."""
    at = np.searchsorted(channels.series, series)
    return [
        getattr(channels.rows[row], field) if one != NO_ID else ""
        for one, row in zip(series.tolist(), at.tolist(), strict=True)
    ]
