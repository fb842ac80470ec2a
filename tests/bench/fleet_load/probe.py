"""Asks the service's API over and over when a furnace's newest sample can be queried, and how long questions take."""

import threading
import time
from collections.abc import Mapping

import httpx
import numpy as np

from tests.bench.fleet_load.furnace import COUNTER, FURNACES_AN_EDGE
from tests.bench.fleet_load.packets import device_of, home_of

PROBED_EDGES = 7
_POLL_S = 0.1
_REST_S = 1.0  # between two measurements, so that asking costs the service little
_PATIENCE_S = 5.0
_QUESTIONS = 5
_DAY_MS = 86_400_000


class Probe:
    """Measures from the time that a sample carries until `raw` returns it; asks a few times a second."""

    def __init__(self, url: str, edges: int) -> None:
        self._client, self._page = httpx.Client(base_url=f"{url}/api/v1", timeout=60), f"{url}/"
        self._asker = httpx.Client(base_url=f"{url}/api/v1", timeout=30)  # of the thread
        chosen = [edges * at // PROBED_EDGES for at in range(PROBED_EDGES)] if edges >= PROBED_EDGES else range(edges)
        self._series = [self._counter_of(edge, edge % FURNACES_AN_EDGE) for edge in chosen]
        self._stop = threading.Event()
        self._delays_s: list[float] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def forget(self) -> None:
        """Begin to measure anew."""
        self._delays_s = []

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join()

    def percentile_s(self, share: float) -> float:
        """So large a share of the samples could be queried after so many seconds."""
        return float(np.quantile(self._delays_s, share)) if self._delays_s else float("nan")

    def questions_ms(self) -> dict[str, float]:
        """Medians of the questions that pages and dashboards ask, while the load runs."""
        now_ms = time.time_ns() // 1_000_000
        series, home, device = self._series[0], home_of(0), device_of(0)
        day: dict[str, str | int] = {"from": now_ms - _DAY_MS, "to": now_ms}
        month: dict[str, str | int] = {"from": now_ms - 30 * _DAY_MS, "to": now_ms, "period": "minute"}
        return {
            "raw_24h_of_one_tag_ms": self._median_ms(f"/series/{series}/raw", day),
            "minute_means_30d_of_one_tag_ms": self._median_ms(f"/series/{series}/means", month),
            "latest_of_40_tags_ms": self._median_ms(f"/homes/{home}/furnaces/{device}", {}),
        }

    def page_ms(self) -> float:
        """How long the page that shows every furnace takes."""
        return self._median_ms(self._page, {}, times=1)

    def _median_ms(self, path: str, query: Mapping[str, str | int], times: int = _QUESTIONS) -> float:
        taken = []
        for _ in range(times):
            started = time.perf_counter()
            self._client.get(path, params=query).raise_for_status()
            taken.append((time.perf_counter() - started) * 1000)
        return float(np.median(taken))

    def _counter_of(self, edge: int, furnace: int) -> int:
        found = self._client.get(f"/homes/{home_of(edge)}/furnaces/{device_of(furnace)}").raise_for_status().json()
        return next(int(tag["series"]) for tag in found["tags"] if tag["channel"] == COUNTER)

    def _run(self) -> None:
        at = 0
        while not self._stop.is_set():
            self._measure(self._series[at % len(self._series)])
            at += 1
            self._stop.wait(_REST_S)

    def _measure(self, series: int) -> None:
        """Wait for the next sample of a series that is measured from now on, and note its age when it is there."""
        asked_ms = time.time_ns() // 1_000_000
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline and not self._stop.wait(_POLL_S):
            span = {"from": asked_ms, "to": asked_ms + 60_000}
            times_ms = self._asker.get(f"/series/{series}/raw", params=span).json()["measured_at_ms"]
            if times_ms:
                self._delays_s.append(time.time() - times_ms[0] / 1000)
                return
        self._delays_s.append(_PATIENCE_S)
