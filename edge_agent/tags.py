"""Tags: the channels of a site's devices with their Sparkplug aliases, and the births that announce them.

Aliases are unique within the edge. Device n (from 1) has the 4096 aliases from n * 4096 on, the first being its block
number; those below belong to the node, its block number first, its gap records last. 0 is never used. At the start
devices are numbered in the order of the site file; one that is there when the file changes keeps its number, a new one
takes the lowest free.
"""

from collections.abc import Sequence
from importlib.metadata import version

import msgspec

from edge_agent.config import Device, Site
from edge_agent.deadband import ReportMode
from edge_agent.devices.profile import Channel
from edge_agent.modbus.value import ValueType
from edge_agent.wire.birth import Birth, ChannelBirth
from edge_agent.wire.metric import DataType

ALIASES_PER_DEVICE = 4096
NODE_BLOCK_ALIAS = 1
FIRST_NODE_ALIAS = 2
NODE_GAP_ALIAS = ALIASES_PER_DEVICE - 1

_INTEGERS = {
    ValueType.INT8: DataType.INT8,
    ValueType.UINT8: DataType.UINT8,
    ValueType.INT16: DataType.INT16,
    ValueType.UINT16: DataType.UINT16,
    ValueType.INT32: DataType.INT32,
    ValueType.UINT32: DataType.UINT32,
    ValueType.INT64: DataType.INT64,
    ValueType.UINT64: DataType.UINT64,
    ValueType.BITS: DataType.UINT64,
    ValueType.BCD: DataType.UINT64,
}
_BY_TYPE = _INTEGERS | {ValueType.FLOAT16: DataType.FLOAT, ValueType.FLOAT32: DataType.FLOAT}


class DeviceTags(msgspec.Struct, frozen=True):
    """A device and its aliases: `aliases[i]` belongs to `device.profile.channels[i]`."""

    device: Device
    block_alias: int
    aliases: tuple[int, ...]

    @property
    def number(self) -> int:
        """The device's number within the edge, from 1."""
        return self.block_alias // ALIASES_PER_DEVICE


def tag_devices(site: Site, before: Sequence[DeviceTags] = ()) -> tuple[DeviceTags, ...]:
    """Aliases for every device, in the order of the site file; devices that were there `before` keep theirs."""
    names = {device.name for device in site.devices}
    numbers = {tags.device.name: tags.number for tags in before if tags.device.name in names}
    taken = set(numbers.values())
    free = (number for number in range(1, len(before) + len(names) + 1) if number not in taken)
    for device in site.devices:
        if device.name not in numbers:
            numbers[device.name] = next(free)
    return tuple(_tagged(device, numbers[device.name] * ALIASES_PER_DEVICE) for device in site.devices)


def _tagged(device: Device, first: int) -> DeviceTags:
    return DeviceTags(device, first, tuple(range(first + 1, first + 1 + len(device.profile.channels))))


def device_birth(tags: DeviceTags) -> Birth:
    """The birth of a device, without samples."""
    device = tags.device
    attributes = {
        "Furnace": device.furnace,
        "Profile": device.profile.id,
        "NameZh": device.names.zh or device.profile.name_zh,
        "NameEn": device.names.en or device.profile.name_en,
    }
    pairs = zip(device.profile.channels, tags.aliases, strict=True)
    return Birth(
        channels=tuple(_channel_birth(channel, alias) for channel, alias in pairs),
        attributes=attributes,
        block_alias=tags.block_alias,
    )


def node_birth_attributes(site: Site) -> dict[str, str]:
    """What a node's birth says of its place and software; names that the site file does not give are left out."""
    attributes = {
        "HomeNameZh": site.home_names.zh,
        "HomeNameEn": site.home_names.en,
        "DistrictZh": site.district.zh,
        "DistrictEn": site.district.en,
        "CityZh": site.city.zh,
        "CityEn": site.city.en,
        "Software": f"clearstack {version('clearstack')}",
    }
    return {key: text for key, text in attributes.items() if text}


def datatype_of(channel: Channel) -> DataType:
    """The Sparkplug type that holds the channel's values without loss."""
    encoding = channel.encoding
    if encoding.type is ValueType.BIT:
        return DataType.BOOLEAN
    if encoding.type is ValueType.STRING:
        return DataType.STRING
    return DataType.DOUBLE if encoding.is_scaled else _BY_TYPE.get(encoding.type, DataType.DOUBLE)


def _channel_birth(channel: Channel, alias: int) -> ChannelBirth:
    return ChannelBirth(
        name=channel.name,
        alias=alias,
        datatype=datatype_of(channel),
        unit=channel.unit,
        quantity=channel.quantity,
        name_zh=channel.name_zh,
        name_en=channel.name_en,
        basis=channel.basis,
        low=channel.encoding.low,
        high=channel.encoding.high,
        period_s=_longest_silence_s(channel),
        states=channel.states,
    )


def _longest_silence_s(channel: Channel) -> float | None:
    """The longest time between two samples while all is well (s), or None where only changes are reported."""
    if channel.report.mode is ReportMode.ON_CHANGE:
        return None
    if channel.report.mode is ReportMode.ALWAYS:
        return channel.scan_ms / 1000
    scans = -(-(channel.report.period_ms - channel.report.slack_ms) // channel.scan_ms)
    return max(1, scans) * channel.scan_ms / 1000
