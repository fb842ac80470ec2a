"""A channel as written to a channel as used: addresses from zero, an encoding, units and names, every value checked."""

from collections.abc import Iterable
from itertools import pairwise

from edge_agent.deadband import ReportMode, ReportRule, deadband_of_range
from edge_agent.devices.encoding import resolve_encoding
from edge_agent.devices.profile import AddressBase, AddressRange, Channel, ReadLimits
from edge_agent.devices.tables import ChannelTable, ModbusTable
from edge_agent.errors import ConfigError
from edge_agent.modbus.value import Table
from edge_agent.toml_file import Place, suggestion
from edge_agent.wire.quantity import Quantity, quantities

BASES = ("dry_standard", "wet_standard", "wet_actual")
LAST_ADDRESS = 65535
MIN_SCAN_S, MAX_SCAN_S = 0.1, 86_400.0
_MODICON_TABLES = {0: Table.COIL, 1: Table.DISCRETE, 3: Table.INPUT, 4: Table.HOLDING}


def resolve_limits(modbus: ModbusTable, file: str) -> ReadLimits:
    """The caps of one read, checked against the protocol's own. Raises ConfigError."""
    where = Place(file, "modbus")
    for key, value, most in (("max_registers", modbus.max_registers, 125), ("max_bits", modbus.max_bits, 2000)):
        if not 1 <= value <= most:
            raise where.error(key, f"{value} is out of range", f"1 to {most}")
    if not 0 <= modbus.max_hole <= 2000:
        raise where.error("max_hole", f"{modbus.max_hole} is out of range", "0 to 2000")
    ranges = tuple(_never_read(modbus, where))
    return ReadLimits(
        max_registers=modbus.max_registers, max_bits=modbus.max_bits, max_hole=modbus.max_hole, never_read=ranges
    )


def resolve_channel(table: ChannelTable, modbus: ModbusTable, limits: ReadLimits, place: Place) -> Channel:
    """The channel, ready for use. Raises ConfigError naming the key that is wrong."""
    quantity = _quantity(table, place)
    where, address = _address(table, modbus, place)
    encoding = resolve_encoding(table, modbus, where, place)
    channel = Channel(
        name=_name(table, place),
        table=where,
        address=address,
        encoding=encoding,
        quantity=table.quantity or "",
        name_zh=table.name_zh or (quantity.zh if quantity else table.name),
        name_en=table.name_en or (quantity.en if quantity else table.name),
        unit=_unit(table, quantity),
        basis=_basis(table, place),
        states=table.states or {},
        scan_ms=_scan_ms(table, place),
        report=_report(table, place),
    )
    _check_reach(channel, limits, place)
    return channel


def _never_read(modbus: ModbusTable, where: Place) -> Iterable[AddressRange]:
    base = 1 if modbus.address_base is AddressBase.ONE else 0
    for number, (first, last) in enumerate(modbus.never_read, 1):
        if not 0 <= first - base <= last - base <= LAST_ADDRESS:
            key = f"never_read[{number}]"
            raise where.error(key, f"[{first}, {last}] is no range", f"first <= last, {base} to {LAST_ADDRESS + base}")
        yield AddressRange(first - base, last - base)


def _name(table: ChannelTable, place: Place) -> str:
    if not table.name or set(table.name) & set("+#/") or table.name.strip() != table.name:
        raise place.error("name", f'"{table.name}" is no name', "text without + # / and outer spaces")
    return table.name


def _quantity(table: ChannelTable, place: Place) -> Quantity | None:
    if table.quantity is None:
        return None
    known = quantities()
    if table.quantity not in known:
        hint = suggestion(table.quantity, list(known))
        raise place.error("quantity", f'unknown quantity "{table.quantity}"{hint}', ", ".join(known))
    return known[table.quantity]


def _unit(table: ChannelTable, quantity: Quantity | None) -> str:
    if table.unit is not None:
        return table.unit
    return quantity.unit if quantity else ""


def _basis(table: ChannelTable, place: Place) -> str:
    if table.basis and table.basis not in BASES:
        raise place.error("basis", f'unknown basis "{table.basis}"{suggestion(table.basis, BASES)}', ", ".join(BASES))
    return table.basis or ""


def _address(table: ChannelTable, modbus: ModbusTable, place: Place) -> tuple[Table, int]:
    """The table and the zero-based address in it."""
    if table.address is None:
        raise place.error("address", "is missing")
    if modbus.address_base is AddressBase.MODICON:
        return _modicon_address(table, table.address, place)
    first = int(modbus.address_base)
    if not first <= table.address <= LAST_ADDRESS + first:
        allowed = f"{first} to {LAST_ADDRESS + first}"
        raise place.error("address", f"{table.address} is out of range", allowed)
    return table.table or Table.HOLDING, table.address - first


def _modicon_address(table: ChannelTable, address: int, place: Place) -> tuple[Table, int]:
    """40001 is the first holding register, 400001 its six-digit form; 0, 1 and 3 lead the other tables."""
    unit = 100_000 if address > 99_999 else 10_000
    found = _MODICON_TABLES.get(address // unit)
    if found is None or not 1 <= address % unit <= LAST_ADDRESS + 1:
        allowed = "1 to 9999, 10001 to 19999, 30001 to 39999, 40001 to 49999, or six digits"
        raise place.error("address", f"{address} is no address of the 40001 style", allowed)
    if table.table not in (None, found):
        raise place.error("table", f"{table.table} does not go with address {address}", found.value)
    return found, address % unit - 1


def _scan_ms(table: ChannelTable, place: Place) -> int:
    scan_s = 1.0 if table.scan_s is None else table.scan_s
    if not MIN_SCAN_S <= scan_s <= MAX_SCAN_S:
        raise place.error("scan_s", f"{scan_s:g} is out of range", f"{MIN_SCAN_S:g} to {MAX_SCAN_S:g}")
    return round(scan_s * 1000)


def _report(table: ChannelTable, place: Place) -> ReportRule:
    period_s = 10.0 if table.period_s is None else table.period_s
    scan_ms = _scan_ms(table, place)
    if not 0 < period_s <= MAX_SCAN_S:
        raise place.error("period_s", f"{period_s:g} is out of range", f"more than 0, at most {MAX_SCAN_S:g}")
    return ReportRule(
        mode=table.report or ReportMode.ON_CHANGE_OR_PERIOD,
        deadband=_deadband(table, place),
        period_ms=round(period_s * 1000),
        slack_ms=min(scan_ms, round(period_s * 1000)) // 2,
    )


def _deadband(table: ChannelTable, place: Place) -> float:
    if (table.deadband or 0.0) < 0 or (table.deadband_percent or 0.0) < 0:
        raise place.error("deadband", "is negative", "0 or more")
    if table.deadband_percent is None:
        return table.deadband or 0.0
    if table.deadband is not None:
        raise place.error("deadband", "cannot be combined with deadband_percent")
    if table.low is None or table.high is None:
        raise place.error("deadband_percent", "is a share of the plausible range, so low and high must be given")
    return deadband_of_range(table.deadband_percent, table.low, table.high)


def _check_reach(channel: Channel, limits: ReadLimits, place: Place) -> None:
    """A value must fit in one read, in the table, and outside what must never be read."""
    last = channel.address + channel.width - 1
    if last > LAST_ADDRESS:
        raise place.error("address", f"the value ends at {last}, past the table's last address {LAST_ADDRESS}")
    if not channel.table.holds_bits and channel.width > limits.max_registers:
        raise place.error("length", f"{channel.width} registers exceed modbus.max_registers = {limits.max_registers}")
    for never in limits.never_read:
        if channel.address <= never.last and last >= never.first:
            raise place.error("address", f"lies in never_read [{never.first}, {never.last}]")


def check_names(names: Iterable[str], file: str, key: str) -> None:
    """Refuse two of one name. Raises ConfigError."""
    for one, other in pairwise(sorted(names)):
        if one == other:
            raise ConfigError(file, key, f'two are named "{one}"', "each name once")
