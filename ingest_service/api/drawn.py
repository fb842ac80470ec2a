"""Which series of a furnace are drawn, and their means; nitrogen oxides measured apart are drawn as their sum."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from ingest_service.columns import Float64s, Int64s
from ingest_service.emissions.limits import Basis, Signal
from ingest_service.emissions.measured import Measured, measured
from ingest_service.emissions.units import LimitUnit, Oxide, Pollutant, scale_of
from ingest_service.store.batch import MeanBatch
from ingest_service.store.overview import KnownSeries
from ingest_service.store.timeseries import TimeSeriesStore

DRAWN = (
    "chamber1_temperature", "chamber2_temperature", "flue_o2", "co", "so2", "nox", "hcl", "dust",
)  # fmt: skip
OF_PARTS = -1  # the id of a series that no edge sends


def drawn_series(known: Sequence[KnownSeries]) -> list[KnownSeries]:
    """The first series of each quantity that is drawn, in the order of DRAWN."""
    first = {series.quantity: series for series in reversed(known)}
    oxide = first.get(Oxide.NO2)
    if Pollutant.NOX not in first and oxide is not None and Oxide.NO in first:
        sum_of = {"id": OF_PARTS, "channel": Pollutant.NOX, "quantity": Pollutant.NOX, "unit": LimitUnit.MG_PER_M3}
        first[Pollutant.NOX] = msgspec.structs.replace(oxide, name_zh="", name_en="", low=None, high=None, **sum_of)
    return [first[quantity] for quantity in DRAWN if quantity in first]


def drawn_means(
    store: TimeSeriesStore, known: Sequence[KnownSeries], period_ms: int, from_ms: int, to_ms: int
) -> MeanBatch:
    """Means of the series that are drawn of those known. Raises StoreError."""
    drawn = drawn_series(known)
    parts = {}
    if any(one.id == OF_PARTS for one in drawn):
        parts = {one.quantity: one for one in reversed(known) if one.quantity in list(Oxide)}
    ids = [one.id for one in (*drawn, *parts.values()) if one.id != OF_PARTS]
    batch = store.means(period_ms, ids, from_ms, to_ms)
    return _with_sum(batch, parts) if parts else batch


def _with_sum(batch: MeanBatch, parts: Mapping[str, KnownSeries]) -> MeanBatch:
    """The means with those of the sum of two oxides behind them; NaN where no sum can be formed."""
    starts = np.unique(batch.start_ms)
    total = measured(Pollutant.NOX, lambda quantity: _measured(parts.get(quantity), quantity, batch, starts))
    mean = np.where(total.basis[:, None] == Basis.UNKNOWN, np.nan, total.signal.minutes)[0]
    more = (np.full(len(starts), OF_PARTS), starts, mean, mean, mean, np.isfinite(mean))
    columns = [
        np.append(getattr(batch, name), own).astype(getattr(batch, name).dtype)
        for name, own in zip(MeanBatch.__struct_fields__, more, strict=True)
    ]
    return MeanBatch(*columns)


def _measured(series: KnownSeries | None, quantity: Pollutant | Oxide, batch: MeanBatch, starts: Int64s) -> Measured:
    """One row of what a series shows at those times."""
    column: Float64s = np.full(len(starts), np.nan)
    if series is None:
        return Measured(Signal(column[None], np.array([False])), np.array([int(Basis.UNKNOWN)]), np.array([True]))
    mine, scale = batch.series == series.id, scale_of(quantity, series.unit)
    if scale is not None:
        column[np.searchsorted(starts, batch.start_ms[mine])] = batch.mean[mine] * scale.factor + scale.offset
    basis = Basis.__members__.get(series.basis.upper(), Basis.UNKNOWN)
    signal = Signal(column[None], np.array([True]))
    return Measured(signal, np.array([int(basis)]), np.array([scale is not None]))
