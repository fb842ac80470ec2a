"""Every dashboard in every dialect and language, as files."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import msgspec

from dashboards.emissions import emissions
from dashboards.energy import energy
from dashboards.fleet import fleet
from dashboards.furnace import furnace
from dashboards.health import health
from dashboards.panel import Dashboard
from dashboards.targets import Dialect
from dashboards.text import Locale
from dashboards.types import DashboardJson
from dashboards.writing import write

FOLDER = Path(__file__).parent
DASHBOARDS: tuple[Callable[[Locale], Dashboard], ...] = (fleet, furnace, emissions, energy, health)


@cache
def pages() -> tuple[tuple[Dialect, Locale, Dashboard, DashboardJson], ...]:
    """Every one, as it was thought of and as Grafana reads it."""
    thought = [(locale, make(locale)) for locale in Locale for make in DASHBOARDS]
    return tuple(
        (dialect, locale, dashboard, write(dashboard, dialect, locale))
        for dialect in Dialect
        for locale, dashboard in thought
    )


def files() -> Iterator[tuple[Path, bytes]]:
    """Path in this folder and contents of everything that is generated."""
    for dialect, locale, dashboard, page in pages():
        yield Path("json") / dialect / locale / f"{dashboard.name}.json", _formatted(msgspec.json.encode(page))
    yield Path("schema.json"), _formatted(msgspec.json.encode(msgspec.json.schema(DashboardJson)))


def _formatted(text: bytes) -> bytes:
    return msgspec.json.format(text, indent=2) + b"\n"
