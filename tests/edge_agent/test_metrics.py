import asyncio
import re
import socket
import urllib.request
from collections.abc import Callable

import pytest

from edge_agent.errors import ConfigError
from edge_agent.health import DEVICE_MEANINGS, NODE_MEANINGS, HealthReport
from edge_agent.metrics import serve_metrics
from tests.edge_agent.test_health import NODE, device
from tests.support.broker import free_port


def scraped(read: Callable[[], HealthReport]) -> str:
    """What a scrape of this report says."""

    async def scene() -> str:
        async with serve_metrics(0, read) as port:
            return await asyncio.to_thread(fetched, port)

    return asyncio.run(scene())


def fetched(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as response:
        return str(response.read().decode())


def test_a_scrape_tells_every_figure_that_is_known() -> None:
    text = scraped(lambda: HealthReport(NODE, (device("furnace1", 20), device("furnace2", None))))
    assert "\nclearstack_edge_outbox_oldest_s 3.5\n" in text
    assert "\nclearstack_edge_connections_total 9.0\n" in text
    assert '\nclearstack_edge_device_response_p95_ms{device="furnace1"} 20.0\n' in text
    assert '\nclearstack_edge_device_timeouts_total{device="furnace2"} 22.0\n' in text
    assert 'response_p95_ms{device="furnace2"}' not in text
    assert "\nclearstack_edge_clock_offset_s " not in text


def test_there_is_one_family_for_every_health_channel_and_no_other() -> None:
    text = scraped(lambda: HealthReport(NODE, (device("furnace1", 20),)))
    found = set(re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE))
    node = {f"clearstack_edge_{name}" for name in NODE_MEANINGS}
    assert found == node | {f"clearstack_edge_device_{name}" for name in DEVICE_MEANINGS}


def test_figures_are_read_anew_at_each_scrape_in_the_event_loop() -> None:
    async def scene() -> tuple[str, str]:
        seen = [device("furnace1", 1)]

        def read() -> HealthReport:
            assert asyncio.get_running_loop() is loop
            return HealthReport(NODE, tuple(seen))

        loop = asyncio.get_running_loop()
        async with serve_metrics(0, read) as port:
            first = await asyncio.to_thread(fetched, port)
            seen[0] = device("furnace1", 2)
            return first, await asyncio.to_thread(fetched, port)

    first, second = asyncio.run(scene())
    assert 'response_p50_ms{device="furnace1"} 1.0' in first
    assert 'response_p50_ms{device="furnace1"} 2.0' in second


@pytest.mark.parametrize("port", [-1, 70_000])
def test_a_port_that_does_not_exist_is_refused_in_one_line(port: int) -> None:
    async def scene() -> None:
        async with serve_metrics(port, lambda: HealthReport(NODE, ())):
            raise AssertionError("it serves")

    with pytest.raises(ConfigError, match=rf"--metrics-port: cannot listen on 127\.0\.0\.1:{port}"):
        asyncio.run(scene())


def test_a_port_in_use_is_refused_in_one_line() -> None:
    async def scene(port: int) -> None:
        async with serve_metrics(port, lambda: HealthReport(NODE, ())):
            raise AssertionError("it serves")

    port = free_port()
    with socket.create_server(("127.0.0.1", port)), pytest.raises(ConfigError, match="in use"):
        asyncio.run(scene(port))


def test_when_it_ends_the_port_is_free_again() -> None:
    async def scene(port: int) -> None:
        for _ in range(2):
            async with serve_metrics(port, lambda: HealthReport(NODE, ())):
                await asyncio.to_thread(fetched, port)

    asyncio.run(scene(free_port()))
