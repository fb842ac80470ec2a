"""The edge node's own channels: how the agent is doing, sent and kept like any other measurement (pure).

The node has the channels of `Health`, and `device/<name>/<channel>` for the channels of `DeviceHealth`.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from edge_agent.config import Site
from edge_agent.tags import (
    ALIASES_PER_DEVICE,
    FIRST_NODE_ALIAS,
    NODE_BLOCK_ALIAS,
    NODE_GAP_ALIAS,
    DeviceTags,
    node_birth_attributes,
)
from edge_agent.wire.birth import Birth, ChannelBirth
from edge_agent.wire.metric import DataType
from edge_agent.wire.sample import Reason, Sample

PERIOD_S = 10.0
FIRST_DEVICE_ALIAS, ALIASES_A_DEVICE = 64, 8


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """What the node reports of itself; the fields' names are the channels'. Totals count since the agent's start.

    None where nothing is known.
    """

    outbox_depth: int
    outbox_bytes: int
    outbox_oldest_s: float
    outbox_write_errors_total: int
    samples_read_total: int
    samples_dropped: int
    blocks_resent_total: int
    poll_errors_total: int
    connections_total: int
    timeouts_total: int
    skipped_slots_total: int
    clock_offset_s: float | None
    clock_unsynchronised: int | None
    clock_steps_total: int
    site_file_refused: int
    reloads_total: int
    reload_errors_total: int
    memory_mb: float | None


class DeviceHealth(msgspec.Struct, frozen=True, kw_only=True):
    """What the node reports of one device; times are those of its last 512 polls and reads, None before the first."""

    device: str
    poll_p95_ms: int | None
    response_p50_ms: int | None
    response_p95_ms: int | None
    timeouts_total: int
    bad_reads_total: int
    skipped_slots_total: int


class HealthReport(msgspec.Struct, frozen=True):
    """How the node and its devices are doing."""

    node: Health
    devices: tuple[DeviceHealth, ...]


class Meaning(NamedTuple):
    """A channel's unit and its name in Chinese and English."""

    unit: str
    zh: str
    en: str


NODE_MEANINGS = {
    "outbox_depth": Meaning("blocks", "待发数据块", "Blocks waiting"),
    "outbox_bytes": Meaning("B", "待发数据量", "Bytes waiting"),
    "outbox_oldest_s": Meaning("s", "最早待发数据的时长", "Age of the oldest waiting sample"),
    "outbox_write_errors_total": Meaning("", "缓存写入失败次数", "Refusals of the disk"),
    "samples_read_total": Meaning("", "已读取数据点", "Samples read"),
    "samples_dropped": Meaning("", "已丢弃数据点", "Samples lost at the edge"),
    "blocks_resent_total": Meaning("", "补传数据块", "Blocks sent as history"),
    "poll_errors_total": Meaning("", "读取失败次数", "Failed readings"),
    "connections_total": Meaning("", "连接次数", "Connections to the broker"),
    "timeouts_total": Meaning("", "读取超时次数", "Readings without an answer"),
    "skipped_slots_total": Meaning("", "错过的采样时刻", "Readings left out because they were late"),
    "clock_offset_s": Meaning("s", "时钟偏差（中心减现场）", "Centre's clock minus ours"),
    "clock_unsynchronised": Meaning("", "时钟未同步", "Clock not synchronised"),
    "clock_steps_total": Meaning("", "时钟跳变次数", "Steps of the clock"),
    "site_file_refused": Meaning("", "站点文件被拒绝", "Site file refused"),
    "reloads_total": Meaning("", "站点文件重载次数", "Site files taken up"),
    "reload_errors_total": Meaning("", "站点文件拒绝次数", "Refusals of the site file"),
    "memory_mb": Meaning("MB", "内存占用", "Memory in use"),
}
DEVICE_MEANINGS = {
    "poll_p95_ms": Meaning("ms", "轮询时间（95 %）", "Poll time, 95th percentile"),
    "response_p50_ms": Meaning("ms", "响应时间（中位数）", "Response time, median"),
    "response_p95_ms": Meaning("ms", "响应时间（95 %）", "Response time, 95th percentile"),
    "timeouts_total": Meaning("", "读取超时次数", "Readings without an answer"),
    "bad_reads_total": Meaning("", "读取失败次数", "Failed readings"),
    "skipped_slots_total": Meaning("", "错过的采样时刻", "Readings left out because they were late"),
}
_NODE_CHANNELS = tuple(enumerate(NODE_MEANINGS.items(), FIRST_NODE_ALIAS))


def node_birth(site: Site, tagged: Iterable[DeviceTags]) -> Birth:
    """The birth of the node: its place, its software and its own channels."""
    channels = [_channel(name, alias, meaning) for alias, (name, meaning) in _NODE_CHANNELS]
    for tags in tagged:
        named = zip(_device_aliases(tags), DEVICE_MEANINGS.items(), strict=False)
        channels += [_channel(f"device/{tags.device.name}/{name}", alias, meaning) for alias, (name, meaning) in named]
    return Birth(
        channels=tuple(channels),
        attributes=node_birth_attributes(site),
        block_alias=NODE_BLOCK_ALIAS,
        gap_alias=NODE_GAP_ALIAS,
    )


def health_samples(report: HealthReport, tagged: Sequence[DeviceTags], at_ms: int, reason: Reason) -> list[Sample]:
    """One sample for each of the node's channels that has a figure; `reason` is what to doubt about the time."""
    figures = [(alias, getattr(report.node, name)) for alias, (name, _) in _NODE_CHANNELS]
    aliases = {tags.device.name: _device_aliases(tags) for tags in tagged}
    for device in report.devices:
        known = zip(aliases.get(device.device, ()), DEVICE_MEANINGS, strict=False)
        figures += [(alias, getattr(device, name)) for alias, name in known]
    return [Sample(alias, at_ms, float(figure), reason) for alias, figure in figures if figure is not None]


def _device_aliases(tags: DeviceTags) -> Sequence[int]:
    """The node's aliases for a device; devices past the 504th have none."""
    first = FIRST_DEVICE_ALIAS + (tags.number - 1) * ALIASES_A_DEVICE
    return range(first, min(first + len(DEVICE_MEANINGS), ALIASES_PER_DEVICE))


def _channel(name: str, alias: int, meaning: Meaning) -> ChannelBirth:
    return ChannelBirth(
        name=name,
        alias=alias,
        datatype=DataType.DOUBLE,
        unit=meaning.unit,
        name_zh=meaning.zh,
        name_en=meaning.en,
        period_s=PERIOD_S,
    )
