"""What a birth says, as rows that have no id yet. Pure."""

from functools import lru_cache

from edge_agent.wire.birth import Birth, ChannelBirth
from ingest_service.errors import RejectedMessage
from ingest_service.store.rows import EdgeRow, FurnaceRow, HomeRow, SeriesRow, SourceRow

LONGEST = 200  # characters that the tables hold


def home_row(home: str, birth: Birth) -> HomeRow:
    """The home that a node's birth names."""
    found = birth.attributes
    return HomeRow(
        id=identifier(home),
        name_zh=text(found.get("HomeNameZh", "")),
        name_en=text(found.get("HomeNameEn", "")),
        district_zh=text(found.get("DistrictZh", "")),
        district_en=text(found.get("DistrictEn", "")),
        city_zh=text(found.get("CityZh", "")),
        city_en=text(found.get("CityEn", "")),
    )


def edge_row(home: str, edge: str, birth: Birth, at_ms: int) -> EdgeRow:
    """The edge of a node's birth that came at `at_ms`."""
    software = text(birth.attributes.get("Software", ""))
    return EdgeRow(
        home_id=identifier(home), name=identifier(edge), software=software, first_seen_ms=at_ms, last_seen_ms=at_ms
    )


def furnace_row(home: str, device: str, birth: Birth) -> FurnaceRow:
    """The furnace that a device measures: its attribute `Furnace`, or else the device's own name."""
    found = birth.attributes
    return FurnaceRow(
        home_id=identifier(home),
        name=identifier(found.get("Furnace", "") or device),
        name_zh=text(found.get("NameZh", "")),
        name_en=text(found.get("NameEn", "")),
    )


def source_row(edge: EdgeRow, device: str, birth: Birth) -> SourceRow:
    """The device of that edge; "" is the node itself."""
    return SourceRow(
        edge_id=edge.id,
        device=identifier(device) if device else "",
        profile=text(birth.attributes.get("Profile", "")),
        home=edge.home_id,
        edge=edge.name,
    )


def series_row(channel: ChannelBirth) -> SeriesRow:
    """One channel; its source is not known yet. Raises RejectedMessage for a name that cannot be kept."""
    states = tuple(channel.states.items())
    words = (channel.name, channel.quantity, channel.unit, channel.name_zh, channel.name_en, channel.basis)
    return _series_row(words, int(channel.datatype), (channel.low, channel.high, channel.period_s), states)


@lru_cache(maxsize=8_192)
def _series_row(
    words: tuple[str, ...], datatype: int, numbers: tuple[float | None, ...], states: tuple[tuple[int, str], ...]
) -> SeriesRow:
    """Made once for all devices of a type."""
    name, quantity, unit, name_zh, name_en, basis = words
    low, high, period_s = numbers
    return SeriesRow(
        channel=identifier(name),
        quantity=text(quantity),
        unit=text(unit),
        name_zh=text(name_zh),
        name_en=text(name_en),
        basis=text(basis),
        datatype=datatype,
        low=low,
        high=high,
        period_s=period_s,
        states=dict(states),
    )


def identifier(name: str) -> str:
    """A name under which something is kept, unchanged. Raises RejectedMessage when the tables cannot hold it."""
    if not 0 < len(name) <= LONGEST or "\0" in name:
        raise RejectedMessage(f"a name of {len(name)} characters cannot be kept (1 to {LONGEST}): {name[:40]!r}")
    return name


def text(words: str) -> str:
    """Words for people, cut to what the tables hold."""
    return words.replace("\0", "")[:LONGEST]
