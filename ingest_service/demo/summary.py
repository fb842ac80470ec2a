"""What the demo did, in figures: asked of the agents' status files and of the service's API, like anybody could."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec

from edge_agent.wire.durations import DAY_MS
from ingest_service.demo.history import History

COUNTER = "scan_counter"


class AgentStatus(msgspec.Struct, frozen=True):
    """What an agent writes into its status file every second."""

    samples_read: int
    blocks_pending: int
    samples_acknowledged: int
    samples_dropped: int


class Shown(msgspec.Struct, frozen=True):
    """What the demo itself knows; `stopped_ms` is when its furnaces were stopped."""

    webhooks: int
    first_value_s: float
    history: History
    stopped_ms: int


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The demo's last line. `samples_lost` must be 0; `first_value_s` is from the start to the first value shown.

    `samples_read` counts none of the `history_samples` that lay in the outboxes for the `history_hours` before it.
    """

    samples_read: int
    samples_stored: int
    samples_acknowledged: int
    samples_lost: int
    furnaces: int
    exceedances: int
    alarms: int
    webhooks: int
    first_value_s: float
    history_hours: int
    history_samples: int

    def sentence(self) -> str:
        """What was shown, for a person."""
        lost = f"{self.samples_lost:,} LOST" if self.samples_lost else "none lost"
        return (
            f"shown: {_counted(self.furnaces, 'furnace')} with {self.history_hours} h of history "
            f"({self.history_samples:,} samples) and {self.samples_read:,} samples read live, {lost}; "
            f"{_counted(self.exceedances, 'exceedance')}, {_counted(self.alarms, 'alarm')}"
        )


class Api:
    """The service's HTTP API, as far as the demo needs it."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=10.0, trust_env=False)

    def ready(self) -> bool:
        """Whether the service says so."""
        try:
            return self._http.get("/readyz").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def get(self, path: str, **query: str | int) -> Any:
        """The JSON of a resource."""
        response = self._http.get(f"/api/v1{path}", params=query)
        response.raise_for_status()
        return response.json()

    def acknowledge(self, alarm: int, note: str) -> None:
        """Acknowledge an alarm."""
        self._http.post(f"/api/v1/alarms/{alarm}/acknowledge", json={"note": note}).raise_for_status()

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels."""
        lines = self._http.get("/metrics").text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.partition("{")[0].split(" ")[0] == name)

    def furnace_tags(self) -> list[dict[str, Any]]:
        """The tags of every furnace."""
        furnaces = self.get("/furnaces")
        return [self.get(f"/homes/{furnace['home_id']}/furnaces/{furnace['name']}") for furnace in furnaces]


def read_statuses(paths: Iterable[Path]) -> list[AgentStatus]:
    """The agents' status files that are there by now."""
    return [msgspec.json.decode(path.read_bytes(), type=AgentStatus) for path in paths if path.exists()]


def any_value(api: Api) -> bool:
    """Whether the page can show a value of any furnace."""
    return any(tag["value"] is not None for furnace in api.furnace_tags() for tag in furnace["tags"])


def counters_missing(api: Api, now_ms: int) -> int:
    """How many numbers are missing from the furnaces' scan counters, each of which counts the reads of itself."""
    missing = 0
    for furnace in api.furnace_tags():
        for tag in furnace["tags"]:
            if tag["channel"] == COUNTER:
                raw = api.get(f"/series/{tag['series']}/raw", **{"from": now_ms - DAY_MS, "to": now_ms})
                missing += _holes([int(value) for value in raw["value"] if value is not None])
    return missing


def summarise(api: Api, statuses: Sequence[AgentStatus], now_ms: int, shown: Shown) -> Summary:
    """Put the figures together; alarms that the end of the furnaces raised are none of the demo's."""
    stored = round(api.metric("clearstack_ingest_samples_stored_total"))
    acknowledged = sum(status.samples_acknowledged for status in statuses)
    dropped = sum(status.samples_dropped for status in statuses)
    return Summary(
        samples_read=sum(status.samples_read for status in statuses),
        samples_stored=stored,
        samples_acknowledged=acknowledged,
        samples_lost=max(0, acknowledged - stored) + dropped + counters_missing(api, now_ms),
        furnaces=len(api.get("/furnaces")),
        exceedances=len(api.get("/exceedances")),
        alarms=sum(alarm["raised_at_ms"] < shown.stopped_ms for alarm in api.get("/alarms", state="all")),
        webhooks=shown.webhooks,
        first_value_s=round(shown.first_value_s, 1),
        history_hours=shown.history.hours,
        history_samples=shown.history.samples,
    )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _holes(numbers: Sequence[int]) -> int:
    return max(numbers) - min(numbers) + 1 - len(set(numbers)) if numbers else 0
