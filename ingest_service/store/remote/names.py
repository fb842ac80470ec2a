"""How series are called in a store that others read too: home, edge, device and furnace as tags, the channel as field.

Pure. The names are the field's words, so that whoever looks into the database understands it without our tables.
"""

import re
from collections.abc import Iterable

import msgspec

from edge_agent.wire.durations import MINUTE_MS

NODE_DEVICE = "#node"  # an edge's own series; no Sparkplug device can have this name
_UNFIT = re.compile(r"[\x00-\x1f\x7f\\\"]")
Key = tuple[str, str, str, str]  # home, edge, device, channel


class SeriesName(msgspec.Struct, frozen=True):
    """One series by its names; `furnace` is "" for what an edge says of itself. The key leaves the furnace out."""

    series_id: int
    source_id: int
    home: str
    edge: str
    device: str
    channel: str
    furnace: str

    @property
    def key(self) -> Key:
        """What tells it from all others."""
        return self.home, self.edge, self.device, self.channel

    @property
    def tags(self) -> str:
        """Its tags as line protocol, beginning with a comma."""
        pairs = (("home", self.home), ("edge", self.edge), ("device", self.device), ("furnace", self.furnace))
        return "".join(f",{name}={escaped(value)}" for name, value in pairs if value)

    @property
    def field(self) -> str:
        """Its field's key as line protocol."""
        return escaped(self.channel)


def series_name(
    series_id: int, source_id: int, home: str, edge: str, device: str, channel: str, furnace: str | None
) -> SeriesName:
    """The name with what no line can carry replaced."""
    return SeriesName(
        series_id, source_id, fit(home), fit(edge), fit(device) or NODE_DEVICE, fit(channel), fit(furnace or "")
    )


def fit(text: str) -> str:
    """The text without control characters, backslashes and quotes, which servers understand differently."""
    return _UNFIT.sub("_", text)


def period_name(period_ms: int) -> str:
    """A length of means as it stands in names of buckets and measurements."""
    return "minute" if period_ms == MINUTE_MS else "hour"


def by_edge(names: Iterable[SeriesName]) -> dict[tuple[str, str], list[SeriesName]]:
    """The names of each home and edge."""
    found: dict[tuple[str, str], list[SeriesName]] = {}
    for name in names:
        found.setdefault((name.home, name.edge), []).append(name)
    return found


def escaped(text: str) -> str:
    """A name or the value of a tag as line protocol writes it."""
    return text.replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ")
