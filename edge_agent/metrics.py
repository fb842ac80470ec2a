"""The agent's health as Prometheus metrics on the loopback interface; nothing listens unless it is asked for.

Names are those of the health channels with `clearstack_edge_` before them, and `clearstack_edge_device_` with a label
`device` for those of one device.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from edge_agent.errors import ConfigError
from edge_agent.health import DEVICE_MEANINGS, NODE_MEANINGS, HealthReport

HOST = "127.0.0.1"
ANSWER_S = 5.0
_TOTAL = "_total"
_Family = CounterMetricFamily | GaugeMetricFamily


class HealthCollector(Collector):
    """Turns a report into metrics at each scrape; `read` may be called from any thread."""

    def __init__(self, read: Callable[[], HealthReport]) -> None:
        self._read = read

    def collect(self) -> Iterator[_Family]:
        """One family for each figure."""
        report = self._read()
        for name, meaning in NODE_MEANINGS.items():
            yield _filled(_family(f"clearstack_edge_{name}", meaning.en), [((), getattr(report.node, name))])
        for name, meaning in DEVICE_MEANINGS.items():
            family = _family(f"clearstack_edge_device_{name}", meaning.en, ("device",))
            yield _filled(family, [((device.device,), getattr(device, name)) for device in report.devices])

    def describe(self) -> Iterator[_Family]:
        """Nothing beforehand: a registry would otherwise ask for a report while the agent is being built."""
        return iter(())


@asynccontextmanager
async def serve_metrics(port: int, read: Callable[[], HealthReport]) -> AsyncIterator[int]:
    """Answer scrapes at that port of the loopback interface while the context lasts (0: a free one); yields the port.

    `read` runs in the event loop. Raises ConfigError where the port cannot be had.
    """
    loop, registry = asyncio.get_running_loop(), CollectorRegistry()

    async def in_loop() -> HealthReport:
        return read()

    registry.register(HealthCollector(lambda: asyncio.run_coroutine_threadsafe(in_loop(), loop).result(ANSWER_S)))
    try:
        server, thread = start_http_server(port, HOST, registry)
    except (OSError, OverflowError) as error:
        raise ConfigError("--metrics-port", "", f"cannot listen on {HOST}:{port}: {error}") from error
    try:
        yield server.server_port
    finally:
        await asyncio.to_thread(server.shutdown)
        await asyncio.to_thread(thread.join)
        server.server_close()


def _family(name: str, help_text: str, labels: tuple[str, ...] = ()) -> _Family:
    kind = CounterMetricFamily if name.endswith(_TOTAL) else GaugeMetricFamily
    return kind(name, help_text, labels=labels)


def _filled(family: _Family, figures: list[tuple[tuple[str, ...], float | None]]) -> _Family:
    """The family with every figure that is known."""
    for labels, figure in figures:
        if figure is not None:
            family.add_metric(labels, float(figure))
    return family
