"""Every dashboard in every dialect and language, as files."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml  # type: ignore[import-untyped]

from dashboards.emissions import emissions
from dashboards.energy import energy
from dashboards.fleet import fleet
from dashboards.furnace import furnace
from dashboards.health import health
from dashboards.panel import Dashboard
from dashboards.provisioning import Store, provisioning
from dashboards.targets import Dialect
from dashboards.text import Locale
from dashboards.types import DashboardJson
from dashboards.writing import write

ROOT = Path(__file__).parents[1]
JSON_FOLDER, PROVISIONING = Path("dashboards/json"), Path("deploy/grafana")
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
    """Path in the repository and contents of everything that is generated."""
    for dialect, locale, dashboard, page in pages():
        path = JSON_FOLDER / dialect / locale / f"{dashboard.name}.json"
        yield path, _formatted(msgspec.json.encode(page))
    for store in Store:
        for name, content in provisioning(store).items():
            yield PROVISIONING / store / name, _yaml(content)


def _formatted(text: bytes) -> bytes:
    return msgspec.json.format(text, indent=2) + b"\n"


def _yaml(content: dict[str, Any]) -> bytes:
    text: str = yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=120)
    return b"# Written by python -m dashboards\n" + text.encode()
