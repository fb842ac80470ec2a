"""A running service whose line to the broker is watched."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conformance.said import Line
from tests.conformance.speaking_edge import FURNACE, now_ms
from tests.support.broker import Mosquitto, start_mosquitto
from tests.support.mqtt_tap import Tap, tapped
from tests.support.plant import Service
from tests.support.waiting import wait_until


class HostStage:
    """A broker, a service over a tapped line, and what the service shows."""

    def __init__(self, broker: Mosquitto, tap: Tap, service: Service) -> None:
        self.broker, self.tap, self.service = broker, tap, service

    def line(self) -> Line:
        """What the service has said so far."""
        return Line(list(self.tap.packets))

    def shown(self, home: str, channel: str = "co") -> tuple[object, object]:
        """Value and quality of a channel as the API shows them; (None, "") while it is unknown."""
        tag = self.service.tags(home, FURNACE).get(channel, {})
        return tag.get("value"), tag.get("quality", "")

    def shows(self, home: str, value: float | None, quality: str = "good", channel: str = "co") -> None:
        """Wait until that is shown."""
        wait_until(lambda: self.shown(home, channel) == (value, quality))

    def edge(self, home: str) -> dict[str, object]:
        """What the API says of the only edge of a home; nothing while it is unknown."""
        found: list[dict[str, object]] = self.service.http.get("/api/v1/edges", params={"home": home}).json()
        return found[0] if found else {}

    def stored(self, home: str, channel: str = "co") -> list[float]:
        """The values of a channel in the store, in order of time."""
        series = self.service.tags(home, FURNACE)[channel]["series"]
        span = {"from": now_ms() - 600_000, "to": now_ms() + 600_000}
        values: list[float] = self.service.http.get(f"/api/v1/series/{series}/raw", params=span).json()["value"]
        return values


@contextmanager
def host_stage(folder: Path, *settings: str) -> Iterator[HostStage]:
    """A service that is ready; `settings` are further lines of its broker table."""
    with start_mosquitto(folder, ["log_type all"]) as broker, tapped(broker.port) as tap:
        service = Service(folder, tap.port)
        file = folder / "service.toml"
        file.write_text(file.read_text().replace("[broker]\n", "\n".join(["[broker]", *settings, ""])))
        try:
            service.start()
            yield HostStage(broker, tap, service)
        finally:
            service.program.kill()
            service.http.close()
