"""A device type, read and checked: its channels and how its registers may be read."""

from enum import IntEnum, StrEnum

import msgspec

from edge_agent.deadband import ReportRule
from edge_agent.modbus.value import Encoding, Table


class Origin(StrEnum):
    """Whether the register list comes from a manual, or is an example to be edited."""

    FROM_MANUAL = "from_manual"
    EXAMPLE = "example"


class AddressBase(IntEnum):
    """How a profile counts addresses: from 0, from 1, or in the 40001 style, whose first digit names the table."""

    ZERO = 0
    ONE = 1
    MODICON = 40001


class AddressRange(msgspec.Struct, frozen=True):
    """Addresses, zero-based, both ends included; they hold in every table."""

    first: int
    last: int


class ReadLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one read may span: registers (or bits), the largest hole to read through, and ranges never to touch."""

    max_registers: int = 125
    max_bits: int = 2000
    max_hole: int = 8
    never_read: tuple[AddressRange, ...] = ()


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """One quantity of a device type. `address` is zero-based in its table; `states` names the codes of an enumeration.

    `basis` says for which gas state a concentration holds (quantities.toml). `scan_ms` is the time between readings.
    """

    name: str
    table: Table
    address: int
    encoding: Encoding
    quantity: str = ""
    name_zh: str = ""
    name_en: str = ""
    unit: str = ""
    basis: str = ""
    states: dict[int, str] = {}
    scan_ms: int = 1000
    report: ReportRule = ReportRule()

    @property
    def width(self) -> int:
        """How many addresses of its table the channel takes."""
        return 1 if self.table.holds_bits else self.encoding.registers


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A device type. `source` names the manual, or says what the example stands for."""

    id: str
    name_zh: str
    name_en: str
    origin: Origin
    source: str
    limits: ReadLimits
    channels: tuple[Channel, ...]
