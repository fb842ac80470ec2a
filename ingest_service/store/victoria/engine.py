"""The engine for VictoriaMetrics: it answers before what it took is on its disk, and shows it some seconds later."""

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

import msgspec

from edge_agent.wire.durations import HOUR_MS
from ingest_service.errors import StoreError
from ingest_service.store.batch import MeanBatch, SampleBatch
from ingest_service.store.remote.catalogue import Catalogue
from ingest_service.store.remote.columns import Collected, means_of, newest_of, samples_of, tally_of_counts
from ingest_service.store.remote.connection import Address, Connection
from ingest_service.store.remote.engine import ServerSize, Wait
from ingest_service.store.remote.names import SeriesName, period_name
from ingest_service.store.remote.points import MEAN_PARTS, MEASUREMENT, QUALITY, means_points, samples_points
from ingest_service.store.remote.writing import Refusal, Sending
from ingest_service.store.tally import HourTally
from ingest_service.store.victoria import promql
from ingest_service.store.victoria.metrics import Process, read_process
from ingest_service.store.victoria.revisions import Revisions

SETTLES_S = 15.0  # a new series is found after 10 s
_SELECTORS_AT_ONCE = 50


class Nodes(msgspec.Struct, frozen=True, kw_only=True):
    """Where to read, and the addresses of `/metrics` of every process that holds samples."""

    read_url: str
    metrics: tuple[str, ...]


class VictoriaEngine:
    """Of one server or cluster. Lines go to the address, questions to `nodes.read_url`."""

    kind = "victoriametrics"
    settles_s = SETTLES_S

    def __init__(self, address: Address, nodes: Nodes, catalogue: Catalogue, hold_s: float) -> None:
        self.address, self.hold_s = address.url.rstrip("/"), hold_s
        self._writing = Connection(address)
        self._reading = Connection(msgspec.structs.replace(address, url=nodes.read_url))
        self._nodes, self._catalogue = nodes, catalogue
        self._revisions = Revisions()
        self._flushed = False

    def write_samples(self, batch: SampleBatch, wait: Wait) -> list[Refusal]:
        """Write them; the same again changes nothing. The server refuses nothing, so names and values are fit."""
        if not len(batch):
            return []
        points = samples_points(batch, self._names(batch.series.tolist()))
        sending = Sending(self._post, wait)
        return [refusal for part in points for refusal in sending.send(part)]

    def write_means(self, period_ms: int, means: MeanBatch, wait: Wait) -> None:
        """Put these beside what there is, so that they are found first."""
        names, period = self._names(means.series.tolist()), period_name(period_ms)
        from_ms, to_ms = int(means.start_ms.min()), int(means.start_ms.max()) + period_ms
        (covered,) = self._export([f"{period}_covered"], sorted(names), from_ms, to_ms)
        series, at_ms, _ = covered.columns()
        times = self._revisions.times(means, period_ms, series, at_ms, time.monotonic())
        sending = Sending(self._post, wait)
        for points in means_points(means, times, period, names):
            sending.send(points)

    def samples(self, series: Sequence[int], from_ms: int, to_ms: int) -> SampleBatch:
        """The samples with `from_ms <= time < to_ms`, sorted."""
        return samples_of(*self._export([MEASUREMENT, QUALITY], series, from_ms, to_ms))

    def tally(self, series: Sequence[int], from_ms: int, to_ms: int) -> HourTally:
        """How many samples lie in the whole hours of `[from_ms, to_ms)`, sorted by series and hour.

        A window leaves its beginning out and takes its end in, so each ends a millisecond before the hour does.
        """
        (reasons,) = self._export([QUALITY], series, from_ms, to_ms)
        counts, wanted = Collected(), set(series)
        start_s = (from_ms + HOUR_MS - 1) / 1000
        for selector in (
            promql.selectors([MEASUREMENT], self._catalogue.names(wanted).values()) if from_ms < to_ms else ()
        ):
            query = f"count_over_time({selector}[1h]) keep_metric_names"
            span = {
                "start": f"{start_s:.3f}",
                "end": f"{(to_ms + HOUR_MS - 2) / 1000:.3f}",
                "step": "1h",
                "nocache": "1",
            }
            for one in promql.ranges(self._reading.post_form("/api/v1/query_range", [("query", query), *span.items()])):
                series_id = self._series(one.metric, one.metric.get("__name__", "").removeprefix(f"{MEASUREMENT}_"))
                if series_id in wanted:
                    starts = [round(at_s * 1000) + 1 - HOUR_MS for at_s, _ in one.values]
                    counts.add(series_id, starts, [float(count) for _, count in one.values])
        return tally_of_counts(counts, reasons)

    def means(self, period_ms: int, series: Sequence[int], from_ms: int, to_ms: int) -> MeanBatch:
        """The means that start in `[from_ms, to_ms)`, sorted by series and start."""
        period = period_name(period_ms)
        first_ms, last_ms = (-(-at_ms // period_ms) * period_ms for at_ms in (from_ms, to_ms))
        return means_of(self._export([f"{period}_{part}" for part in MEAN_PARTS], series, first_ms, last_ms), period_ms)

    def newest(self, since_ms: int) -> SampleBatch:
        """The newest sample of every series that has one not older than that."""
        self._flush_once()
        span_s = max(60, round(time.time() - since_ms / 1000))
        found = {measurement: Collected() for measurement in (MEASUREMENT, QUALITY)}
        for measurement, collected in found.items():
            times = self._ask(f'tlast_over_time({{__name__=~"{measurement}_.*"}}[{span_s}s]) keep_metric_names')
            values = self._ask(f'last_over_time({{__name__=~"{measurement}_.*"}}[{span_s}s]) keep_metric_names')
            for series in times.keys() & values.keys():
                collected.add(series, [round(times[series] * 1000)], [values[series]])
        return newest_of(samples_of(found[MEASUREMENT], found[QUALITY]))

    def run(self) -> str:
        """The moments at which the processes that hold samples were started."""
        return " ".join(process.started for process in self.processes())

    def size(self) -> ServerSize:
        """The sum of all processes that hold samples, and the least space that one has left."""
        found = self.processes()
        self._reading.get("/api/v1/query", {"query": "1", "nocache": "1"})
        return ServerSize(
            rows=_sum(process.rows for process in found),
            disk_bytes=_sum(process.disk_bytes for process in found),
            free_bytes=min((one.free_bytes for one in found if one.free_bytes is not None), default=None),
        )

    def processes(self) -> list[Process]:
        """Every process that holds samples. Raises StoreError when one does not answer."""
        return [read_process(self._writing.read(url)) for url in self._nodes.metrics]

    def close(self) -> None:
        """Let go of its connections."""
        self._writing.close()
        self._reading.close()

    def _flush_once(self) -> None:
        """What the process before this one wrote a moment ago shall be seen; a server may not allow it."""
        if not self._flushed:
            for url in self._nodes.metrics:
                with suppress(StoreError):
                    self._writing.read(url.replace("/metrics", "/internal/force_flush"))
            self._flushed = True

    def _post(self, lines: bytes) -> None:
        self._writing.write_v2("-", lines)

    def _names(self, series: Iterable[int]) -> Mapping[int, SeriesName]:
        return self._catalogue.all_names(series)

    def _export(self, measurements: Sequence[str], series: Sequence[int], from_ms: int, to_ms: int) -> list[Collected]:
        """One set of columns a measurement; the server includes both ends, so the last ms is left out."""
        self._flush_once()
        found = {measurement: Collected() for measurement in measurements}
        wanted = set(series)
        chosen = promql.selectors(measurements, self._catalogue.names(wanted).values()) if from_ms < to_ms else []
        for start in range(0, len(chosen), _SELECTORS_AT_ONCE):
            form = [("match[]", one) for one in chosen[start : start + _SELECTORS_AT_ONCE]]
            form += [("start", f"{from_ms / 1000:.3f}"), ("end", f"{(to_ms - 1) / 1000:.3f}")]
            for one in promql.exported(self._reading.post_form("/api/v1/export", form)):
                self._collect(one, wanted, found)
        return list(found.values())

    def _collect(self, one: promql.Exported, wanted: set[int], found: Mapping[str, Collected]) -> None:
        metric = one.metric.get("__name__", "")
        for measurement, collected in found.items():
            if metric.startswith(f"{measurement}_"):
                series = self._series(one.metric, metric.removeprefix(f"{measurement}_"))
                if series in wanted:
                    collected.add(series, one.timestamps, one.values)

    def _ask(self, query: str) -> dict[int, float]:
        """The answer to a question about now, by series."""
        found: dict[int, float] = {}
        for one in promql.instants(self._reading.get("/api/v1/query", {"query": query, "nocache": "1"})):
            metric = one.metric.get("__name__", "")
            series = self._series(one.metric, metric.partition("_")[2])
            if series is not None:
                found[series] = float(one.value[1])
        return found

    def _series(self, labels: Mapping[str, str], channel: str) -> int | None:
        return self._catalogue.id_of(
            (labels.get("home", ""), labels.get("edge", ""), labels.get("device", ""), channel)
        )


def _sum(figures: Iterable[int | None]) -> int | None:
    known = [figure for figure in figures if figure is not None]
    return sum(known) if known else None
