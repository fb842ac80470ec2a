"""What InfluxQL finds here: samples, means and derived series of the reader's homes, named as in external stores."""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_agent.wire.durations import HOUR_MS, MINUTE_MS
from ingest_service.influxql.evaluate import Column
from ingest_service.influxql.syntax import FOR_EVER_MS, Condition, Span, admits
from ingest_service.influxql.tokens import NotUnderstood
from ingest_service.store.batch import MeanBatch
from ingest_service.store.derived.point import MEASUREMENTS, DerivedStore, Kept, Tags
from ingest_service.store.named_series import NamedSeries, named_series
from ingest_service.store.overview import Reader
from ingest_service.store.timeseries import TimeSeriesStore

SAMPLE, QUALITY = "sample", "quality"
PARTS = ("mean", "low", "high", "covered")
PERIODS = {"minute": MINUTE_MS, "hour": HOUR_MS}
MEANS = {f"{name}_{part}": (length_ms, part) for name, length_ms in PERIODS.items() for part in PARTS}
HIDDEN = {"progress"}
NAMES = (SAMPLE, QUALITY, *MEANS, *(name for name in MEASUREMENTS if name not in HIDDEN))
MOST_TAG_HOURS = 4_000  # of samples at one a second, about 14 million
MOST_MEANS = 10_000_000
MOST_KEPT = 500_000  # means in one answer that is kept, some 20 MB
KEPT_S = 5.0  # less than the refresh of any dashboard
FEW_SOURCES = 4
_RECENT_MS = {Kept.MINUTE: 10 * MINUTE_MS, Kept.HOUR: 35 * 24 * HOUR_MS}  # where names are looked for


class RecentMeans:
    """Means of all channels of a few devices, read once for all panels of a dashboard that ask for them together."""

    def __init__(self, store: TimeSeriesStore, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._store, self._monotonic_s, self._lock = store, monotonic_s, threading.Lock()
        self._kept: dict[tuple[int, ...], tuple[float, MeanBatch]] = {}

    def means(self, length_ms: int, series: Sequence[int], from_ms: int, to_ms: int) -> MeanBatch:
        """As the store has them, or had them a moment ago. Whoever asks meanwhile waits for the first answer."""
        if len(series) * (to_ms - from_ms) / length_ms > MOST_KEPT:
            return self._store.means(length_ms, series, from_ms, to_ms)
        key = (length_ms, from_ms, to_ms, *series)
        with self._lock:
            now_s = self._monotonic_s()
            self._kept = {one: found for one, found in self._kept.items() if found[0] > now_s - KEPT_S}
            if key not in self._kept:
                self._kept[key] = (now_s, self._store.means(length_ms, series, from_ms, to_ms))
            return self._kept[key][1]


class GrafanaSeries:
    """Of one reader. Raises StoreError, and NotUnderstood for what is not there or too much."""

    def __init__(
        self, reader: Reader, store: TimeSeriesStore, recent: RecentMeans, derived: DerivedStore, now_ms: int
    ) -> None:
        self._reader, self._store, self._recent_means = reader, store, recent
        self._derived, self._now_ms = derived, now_ms

    def columns(self, measurement: str, fields: Collection[str], where: Condition, span: Span) -> list[Column]:
        """The columns of these fields whose tags may hold the condition. A measurement that is unknown has none."""
        if measurement in MEASUREMENTS and measurement not in HIDDEN:
            return self._derived_columns(measurement, fields, where, span)
        own = [one for one in named_series(self._reader, fields) if admits(where, dict(one.tags))]
        if measurement in (SAMPLE, QUALITY):
            return self._samples(measurement, own, span)
        return self._means(measurement, own, span) if measurement in MEANS else []

    def tag_sets(self, measurement: str, where: Condition) -> set[Tags]:
        """The sets of tags that a measurement has, or every one of samples and means where it is ""."""
        if measurement in MEASUREMENTS and measurement not in HIDDEN:
            return {column.tags for column in self._recent(measurement, where)}
        if measurement and measurement not in NAMES:
            return set()
        return {one.tags for one in named_series(self._reader) if admits(where, dict(one.tags))}

    def fields(self, measurement: str) -> dict[str, str]:
        """The fields of a measurement and their types."""
        if measurement in MEASUREMENTS and measurement not in HIDDEN:
            columns = self._recent(measurement, None)
            return {one.field: "float" if one.value.dtype.kind == "f" else "string" for one in columns}
        if measurement not in NAMES:
            return {}
        return dict.fromkeys((one.channel for one in named_series(self._reader)), "float")

    def _recent(self, measurement: str, where: Condition | None) -> list[Column]:
        from_ms = self._now_ms - _RECENT_MS[MEASUREMENTS[measurement]]
        return self._derived_columns(measurement, None, where, Span(from_ms, self._now_ms + 1))

    def _derived_columns(
        self, measurement: str, fields: Collection[str] | None, where: Condition | None, span: Span
    ) -> list[Column]:
        def admitted(tags: Mapping[str, str]) -> bool:
            return self._in_sight(tags) and (where is None or admits(where, tags))

        to_ms = min(span.to_ms, self._now_ms + HOUR_MS)
        found = self._derived.read(measurement, admitted, span.from_ms, to_ms, fields)
        return [Column(one.tags, one.field, one.at_ms, one.value) for one in found]

    def _in_sight(self, tags: Mapping[str, str]) -> bool:
        """Figures of no home are those of the whole service."""
        homes = self._reader.scope.homes
        return homes is None or tags.get("home") in homes

    def _samples(self, measurement: str, series: Sequence[NamedSeries], span: Span) -> list[Column]:
        from_ms, to_ms = self._bounds(span)
        if len(series) * (to_ms - from_ms) / HOUR_MS > MOST_TAG_HOURS:
            raise NotUnderstood(
                f"{len(series)} series over {(to_ms - from_ms) / HOUR_MS:.0f} h are too many samples: "
                "select from minute_mean or hour_mean, or fewer series, or a shorter time"
            )
        batch = self._store.raw([one.id for one in series], from_ms, to_ms)
        value = batch.value if measurement == SAMPLE else batch.reason.astype(np.float64)
        kept = np.isfinite(value) if measurement == SAMPLE else batch.reason > 0
        return list(_columns(series, batch.series[kept], batch.measured_at_ms[kept], value[kept]))

    def _means(self, measurement: str, series: Sequence[NamedSeries], span: Span) -> list[Column]:
        length_ms, part = MEANS[measurement]
        from_ms, to_ms = self._bounds(span)
        if len(series) * (to_ms - from_ms) / length_ms > MOST_MEANS:
            raise NotUnderstood(f"{len(series)} series over that time are too many means: ask for a shorter time")
        batch = self._batch(length_ms, series, from_ms, to_ms)
        value = np.asarray(getattr(batch, part), np.float64)
        kept = np.isfinite(value)
        return list(_columns(series, batch.series[kept], batch.start_ms[kept], value[kept]))

    def _batch(self, length_ms: int, series: Sequence[NamedSeries], from_ms: int, to_ms: int) -> MeanBatch:
        """The means of these; those of a few devices with all their channels, which other panels ask for."""
        sources = {one.source_id for one in series}
        if len(sources) > FEW_SOURCES:
            return self._store.means(length_ms, [one.id for one in series], from_ms, to_ms)
        everything = [one.id for one in named_series(self._reader, sources=sources)]
        return self._recent_means.means(length_ms, everything, from_ms, to_ms)

    def _bounds(self, span: Span) -> tuple[int, int]:
        if not span.from_ms:
            raise NotUnderstood("a condition on time is needed, as time >= now() - 1h")
        to_ms = self._now_ms + 1 if span.to_ms == FOR_EVER_MS else span.to_ms
        return span.from_ms, max(span.from_ms, min(to_ms, self._now_ms + HOUR_MS))


def _columns(
    series: Iterable[NamedSeries], ids: NDArray[np.int32], at_ms: NDArray[np.int64], value: NDArray[Any]
) -> Iterator[Column]:
    """A column a series; the rows are sorted by series and time."""
    for one in series:
        start, stop = np.searchsorted(ids, [one.id, one.id + 1]).tolist()
        if start < stop:
            yield Column(one.tags, one.channel, at_ms[start:stop], value[start:stop])
