"""/metrics: the service in figures for Prometheus. Names end in their unit or in `_total`."""

from collections.abc import Iterable, Iterator, Mapping

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ingest_service.api.access import needs
from ingest_service.api.context import EVERYTHING, Context, Here
from ingest_service.api.snapshot import EdgeState, edge_states
from ingest_service.api.stream import Streams
from ingest_service.errors import StoreError
from ingest_service.people.roles import Right
from ingest_service.store import journal

COUNTS = {
    "messages": "MQTT messages received",
    "samples_received": "Samples in the messages received",
    "samples_stored": "Samples made durable",
    "samples_repeated": "Samples of blocks that were held already",
    "samples_unstored": "Samples given up after a failed write; their edge sends them again",
    "acknowledged_blocks": "Blocks acknowledged to their edge",
    "acknowledged_samples": "Samples in the blocks acknowledged",
    "dropped_messages": "Messages dropped by the full queue; their edge sends them again",
    "held_back_dropped": "Messages dropped while waiting for a missing one",
    "rebirths_requested": "Rebirths asked of edges",
    "decode_errors": "Messages that could not be decoded",
    "store_errors": "Failed writes",
    "gaps_recorded": "Gap records that are new",
    "births": "Births of edges and devices",
    "deaths": "Deaths of edges and devices",
    "batches": "Batches written",
}

router = APIRouter(tags=["health"])


@router.get("/metrics", summary="Figures for Prometheus", dependencies=[needs(Right.METRICS)])
def show_metrics(here: Here, request: Request) -> Response:
    """The figures of this moment."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ServiceFigures(here, request.app.state.streams))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class ServiceFigures(Collector):
    """Reads the service's own counts when it is asked; keeps none itself."""

    def __init__(self, here: Context, streams: Streams) -> None:
        self._here = here
        self._streams = streams

    def collect(self) -> Iterable[Metric]:
        """Every figure."""
        yield from self._intake()
        yield from self._edges()
        yield from self._store()
        yield from self._alarms()
        yield _gauge("live_streams", "Live streams open", self._streams.open)
        yield _by_label("check_ready", "1 while a readiness check passes", "check", self._checks())

    def _intake(self) -> Iterator[Metric]:
        counters = self._here.counters()
        for name, about in COUNTS.items():
            yield CounterMetricFamily(f"clearstack_ingest_{name}", about, value=getattr(counters, name))
        yield _rejected("samples", "Samples not admitted", counters.samples_rejected)
        yield _rejected("messages", "Messages not understood, or put aside until a birth", counters.messages_rejected)
        yield _gauge("ingest_queued_messages", "Messages waiting to be stored", counters.queued_messages)
        yield _gauge(
            "ingest_last_batch_seconds", "From drain to commit of the newest batch", counters.last_batch_ms / 1000
        )
        if counters.last_commit_at_ms:
            lag_s = (self._here.clock() - counters.last_commit_at_ms) / 1000
            yield _gauge("ingest_lag_seconds", "Since the newest commit", lag_s)

    def _edges(self) -> Iterator[Metric]:
        states = edge_states(self._here, self._here.reader(EVERYTHING))
        online = sum(state.online for state in states)
        figures = {"online": float(online), "silent": float(len(states) - online)}
        yield _by_label("edges", "Edges by state", "state", figures)
        yield _conflicts(states)

    def _store(self) -> Iterator[Metric]:
        try:
            status = self._here.store.status()
        except StoreError:
            return  # readiness says why
        rows = {"hot": status.hot_rows, "sealed": status.sealed_rows}
        known = {form: float(count) for form, count in rows.items() if count is not None}
        yield _by_label("store_rows", "Samples kept", "form", known)
        sizes = {
            "store_disk_bytes": ("Size of the store on disk", status.disk_bytes),
            "store_free_bytes": ("Space left on the store's disk", status.free_bytes),
            "store_growth_bytes_per_day": ("Growth of the last week", status.growth_bytes_per_day),
            "store_quarantined_samples": ("Samples that the store refuses", status.quarantined_samples),
        }
        for name, (about, figure) in sizes.items():
            if figure is not None:
                yield _gauge(name, about, figure)

    def _alarms(self) -> Iterator[Metric]:
        found = journal.open_alarms(self._here.reader(EVERYTHING))
        figures: dict[str, float] = {}
        for alarm in found:
            figures[alarm.severity] = figures.get(alarm.severity, 0.0) + 1
        yield _by_label("open_alarms", "Open alarms by severity", "severity", figures)

    def _checks(self) -> dict[str, float]:
        return {check.name: float(not check.problem()) for check in self._here.checks}


def _conflicts(states: Iterable[EdgeState]) -> Metric:
    """Named one by one only where there are any: they are few, edges may be thousands."""
    about = "What showed that two edges go by one name"
    family = CounterMetricFamily("clearstack_edge_conflicts", about, labels=["home", "edge"])
    for state in states:
        if state.conflicts:
            family.add_metric([state.home_id, state.name], state.conflicts)
    return family


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(f"clearstack_{name}", about, value=value)


def _rejected(what: str, about: str, by_reason: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(f"clearstack_ingest_{what}_rejected", about, labels=["reason"])
    for reason, count in by_reason.items():
        family.add_metric([reason], count)
    return family


def _by_label(name: str, about: str, label: str, figures: dict[str, float]) -> Metric:
    family = GaugeMetricFamily(f"clearstack_{name}", about, labels=[label])
    for key, value in figures.items():
        family.add_metric([key], value)
    return family
