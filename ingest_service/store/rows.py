"""Who is watched, as frozen rows; field names are those of the tables. An id of 0 is not given yet."""

from collections.abc import Mapping

import msgspec


class HomeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A funeral home; `id` is its Sparkplug group. Names may be empty."""

    id: str
    name_zh: str = ""
    name_en: str = ""
    district_zh: str = ""
    district_en: str = ""
    city_zh: str = ""
    city_en: str = ""


class EdgeRow(msgspec.Struct, frozen=True, kw_only=True):
    """An edge node of a home; times are ms since 1970 UTC by the centre's clock."""

    id: int = 0
    home_id: str
    name: str
    software: str = ""
    first_seen_ms: int
    last_seen_ms: int


class FurnaceRow(msgspec.Struct, frozen=True, kw_only=True):
    """A furnace of a home."""

    id: int = 0
    home_id: str
    name: str
    name_zh: str = ""
    name_en: str = ""


class SourceRow(msgspec.Struct, frozen=True, kw_only=True):
    """A device of an edge, or the node itself (device "", no furnace), with its series ids by channel name."""

    id: int = 0
    edge_id: int
    device: str
    furnace_id: int | None = None
    profile: str = ""
    home: str
    edge: str
    series: Mapping[str, int] = {}


class SeriesRow(msgspec.Struct, frozen=True, kw_only=True):
    """One channel of one source. `period_s` is the longest silence between two samples while all is well (s)."""

    id: int = 0
    source_id: int = 0
    channel: str
    quantity: str = ""
    unit: str = ""
    name_zh: str = ""
    name_en: str = ""
    basis: str = ""
    datatype: int = 10
    low: float | None = None
    high: float | None = None
    period_s: float | None = None
    states: Mapping[int, str] = {}
