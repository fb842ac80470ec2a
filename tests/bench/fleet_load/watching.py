"""Watches the processes of one run of the fleet benchmark and says what they did and what it cost."""

import time

import msgspec
import psutil

from tests.bench.fleet_load.furnace import FURNACES_AN_EDGE, tags
from tests.bench.fleet_load.plant import LoadProcess, ServiceProcess
from tests.bench.fleet_load.probe import Probe

TAGS = len(tags())
SETTLE_S = 20.0  # from the last registration until figures count
_TIMEOUT_S = 900.0
_REPORT_EVERY_S = 10.0


class Moment(msgspec.Struct, frozen=True):
    """Counts since the start at one moment: acknowledged blocks, and the processor seconds of each part."""

    at_s: float
    blocks: int
    service_s: float
    broker_s: float
    load_s: float


class Run:
    """One run: `watch` measures, `finish` waits for the load's end."""

    def __init__(self, service: ServiceProcess, running: list[LoadProcess], edges: int) -> None:
        self._service, self._loads, self._edges = service, running, edges
        children = psutil.Process().children()
        self._broker = next(child for child in children if child.name() == "mosquitto")
        self._started_s = time.monotonic()
        self._highest_rss_mb = 0.0

    def watch(self, seconds: float) -> dict[str, object]:
        """Wait for the births, let things settle, then measure for so long."""
        registered_s = self._wait_for_births()
        probe = Probe(self._service.url, self._edges)
        self._pass(SETTLE_S, probe)
        probe.forget()
        begin = self._moment()
        self._pass(seconds / 2, probe)
        questions = probe.questions_ms()
        self._pass(begin.at_s + seconds - time.monotonic(), probe)
        end = self._moment()
        probe.stop()
        questions["page_of_the_fleet_ms"] = probe.page_ms()
        return {
            "furnaces": self._edges * FURNACES_AN_EDGE,
            "registered_s": round(registered_s, 1),
            **self._figures(begin, end),
            "p50_queryable_s": round(probe.percentile_s(0.5), 3),
            "p95_queryable_s": round(probe.percentile_s(0.95), 3),
            **{name: round(taken, 1) for name, taken in questions.items()},
        }

    def finish(self) -> None:
        """Stop the load, and wait until every process of it has heard the last acknowledgement, or has given up."""
        for load in self._loads:
            load.stop()
        deadline = time.monotonic() + _TIMEOUT_S
        while any(load.alive() for load in self._loads) and time.monotonic() < deadline:
            time.sleep(0.2)

    def _wait_for_births(self) -> float:
        """Until everything that is sent is acknowledged within seconds; how long that took, in s."""
        second = self._edges * FURNACES_AN_EDGE
        while time.monotonic() < self._started_s + _TIMEOUT_S:
            self._report("births", None)
            born = sum(load.progress.born for load in self._loads)
            sent, waiting = self._count("blocks_sent"), self._count("blocks_pending")
            if born == self._edges and sent >= 2 * second and waiting <= 2 * second:
                return time.monotonic() - self._started_s
            self._check()
            time.sleep(2.0)
        raise TimeoutError("the fleet was not registered")

    def _pass(self, seconds: float, probe: Probe) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _REPORT_EVERY_S))
            self._report("load", probe)
            self._check()

    def _check(self) -> None:
        for load in self._loads:
            if not load.alive() and not load.progress.finished:
                raise RuntimeError("a load process has ended")

    def _moment(self) -> Moment:
        return Moment(
            at_s=time.monotonic(),
            blocks=self._count("blocks_acknowledged"),
            service_s=_processor_s(self._service.usage),
            broker_s=_processor_s(self._broker),
            load_s=sum(_processor_s(load.usage) for load in self._loads),
        )

    def _figures(self, begin: Moment, end: Moment) -> dict[str, object]:
        passed_s, samples = end.at_s - begin.at_s, (end.blocks - begin.blocks) * TAGS
        service_s = end.service_s - begin.service_s
        return {
            "samples_per_s": round(samples / passed_s),
            "service_cores": round(service_s / passed_s, 3),
            "service_us_per_sample": round(service_s / samples * 1e6, 3),
            "rss_mb": round(self._highest_rss_mb),
            "broker_cores": round((end.broker_s - begin.broker_s) / passed_s, 3),
            "load_cores": round((end.load_s - begin.load_s) / passed_s, 3),
        }

    def _report(self, phase: str, probe: Probe | None) -> None:
        rss_mb = self._service.usage.memory_info().rss / 2**20
        self._highest_rss_mb = max(self._highest_rss_mb, rss_mb)
        late_s = max(load.progress.late_s for load in self._loads)
        p95 = f", p95 {probe.percentile_s(0.95):.2f} s" if probe else ""
        print(
            f"{time.monotonic() - self._started_s:6.0f} s  {phase}: {self._count('blocks_sent')} blocks sent,"
            f" {self._count('blocks_pending')} pending, {self._count('blocks_resent')} resent,"
            f" load {late_s:.2f} s late, service {rss_mb:.0f} MB{p95}",
            flush=True,
        )

    def _count(self, name: str) -> int:
        return sum(getattr(load.progress, name) for load in self._loads)


def _processor_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
