"""The edge node's own channels: how the agent is doing, sent and kept like any other measurement (pure)."""

import msgspec

from edge_agent.config import Site
from edge_agent.tags import FIRST_NODE_ALIAS, NODE_BLOCK_ALIAS, node_birth_attributes
from edge_agent.wire.birth import Birth, ChannelBirth
from edge_agent.wire.metric import DataType
from edge_agent.wire.sample import Sample

PERIOD_S = 10.0


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """What the node reports of itself; the fields' names are the channels'. Totals count since the agent's start."""

    outbox_depth: int
    outbox_bytes: int
    outbox_oldest_s: float
    outbox_write_errors_total: int
    samples_read_total: int
    samples_dropped: int
    blocks_resent_total: int
    poll_errors_total: int
    connections_total: int


_UNITS_AND_NAMES = {
    "outbox_depth": ("blocks", "待发数据块", "Blocks waiting"),
    "outbox_bytes": ("B", "待发数据量", "Bytes waiting"),
    "outbox_oldest_s": ("s", "最早待发数据的时长", "Age of the oldest waiting sample"),
    "outbox_write_errors_total": ("", "缓存写入失败次数", "Refusals of the disk"),
    "samples_read_total": ("", "已读取数据点", "Samples read"),
    "samples_dropped": ("", "已丢弃数据点", "Samples lost at the edge"),
    "blocks_resent_total": ("", "补传数据块", "Blocks sent as history"),
    "poll_errors_total": ("", "读取失败次数", "Failed readings"),
    "connections_total": ("", "连接次数", "Connections to the broker"),
}
_CHANNELS = tuple(
    ChannelBirth(
        name=name,
        alias=alias,
        datatype=DataType.DOUBLE,
        unit=_UNITS_AND_NAMES[name][0],
        name_zh=_UNITS_AND_NAMES[name][1],
        name_en=_UNITS_AND_NAMES[name][2],
        period_s=PERIOD_S,
    )
    for alias, name in enumerate(Health.__struct_fields__, FIRST_NODE_ALIAS)
)


def node_birth(site: Site) -> Birth:
    """The birth of the node: its place, its software and its own channels."""
    return Birth(channels=_CHANNELS, attributes=node_birth_attributes(site), block_alias=NODE_BLOCK_ALIAS)


def health_samples(health: Health, now_ms: int) -> list[Sample]:
    """One sample for each of the node's channels."""
    values = msgspec.structs.astuple(health)
    pairs = zip(_CHANNELS, values, strict=True)
    return [Sample(channel.alias or 0, now_ms, float(value)) for channel, value in pairs]
