"""A profile file as it is written: the keys of each table, before anything is worked out.

Every key that is left out has the default named here, or the one that the resolved structs name.
"""

from enum import StrEnum

import msgspec

from edge_agent.deadband import ReportMode
from edge_agent.devices.profile import AddressBase, Origin
from edge_agent.modbus.value import Byte, Order, Table, ValueType


class NoValue(StrEnum):
    """What a raw number may stand for instead of a value."""

    WIRE_BREAK = "wire_break"
    OVER_RANGE = "over_range"
    UNDER_RANGE = "under_range"
    NOT_A_NUMBER = "not_a_number"
    BAD = "bad"


class ProfileTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[profile]`: what the device type is, and where its register list comes from."""

    id: str
    name_zh: str
    name_en: str
    origin: Origin
    source: str


class ModbusTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[modbus]`: byte order and address style for all channels, and the caps of one read.

    `never_read` holds pairs of first and last address, for every table: from 1 where `address_base` is 1, else from 0.
    """

    order: Order = Order.ABCD
    address_base: AddressBase = AddressBase.ZERO
    max_registers: int = 125
    max_bits: int = 2000
    max_hole: int = 8
    never_read: list[tuple[int, int]] = []


class ChannelKeys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a channel but its name: what a site file may override for one device."""

    quantity: str | None = None
    name_zh: str | None = None
    name_en: str | None = None
    unit: str | None = None
    basis: str | None = None
    table: Table | None = None
    address: int | None = None
    type: ValueType | None = None
    order: Order | None = None
    bit: int | None = None
    width: int | None = None
    byte: Byte | None = None
    length: int | None = None
    scale: float | None = None
    offset: float | None = None
    raw_low: float | None = None
    raw_high: float | None = None
    low_eng: float | None = None
    high_eng: float | None = None
    raw_break: float | None = None
    raw_over: float | None = None
    states: dict[int, str] | None = None
    no_value: dict[int, NoValue] | None = None
    low: float | None = None
    high: float | None = None
    scan_s: float | None = None
    report: ReportMode | None = None
    period_s: float | None = None
    deadband: float | None = None
    deadband_percent: float | None = None


class ChannelTable(ChannelKeys, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[channel]]`."""

    name: str


class ProfileFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole profile file."""

    profile: ProfileTable
    channel: list[ChannelTable]
    modbus: ModbusTable = ModbusTable()


def overridden(channel: ChannelTable, override: ChannelKeys) -> ChannelTable:
    """The channel with every key that the override gives."""
    given = {key: value for key, value in msgspec.structs.asdict(override).items() if value is not None}
    if "deadband" in given or "deadband_percent" in given:
        channel = msgspec.structs.replace(channel, deadband=None, deadband_percent=None)
    return msgspec.structs.replace(channel, **given)
