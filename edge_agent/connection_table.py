"""`[[connection]]` of the site file: as written, and as used. Each transport has keys of its own."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from edge_agent.errors import ConfigError
from edge_agent.modbus.connection import Connection, Parity, SerialPort, StopBits, Transport
from edge_agent.toml_file import Place

BAUDS = (1200, 2400, 4800, 9600, 14400, 19200, 38400, 57600, 115200, 230400, 460800, 921600)
_NETWORK = (Transport.TCP, Transport.RTU_OVER_TCP, Transport.TLS, Transport.UDP)
_OWNERS = {
    "host": _NETWORK,
    "port": _NETWORK,
    "serial_port": (Transport.RTU,),
    "baud": (Transport.RTU,),
    "parity": (Transport.RTU,),
    "stop_bits": (Transport.RTU,),
    "ca_file": (Transport.TLS,),
    "cert_file": (Transport.TLS,),
    "key_file": (Transport.TLS,),
}


class ConnectionTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a connection; what is left out has the default of the resolved struct."""

    name: str
    transport: Transport = Transport.TCP
    host: str | None = None
    port: int | None = None
    serial_port: str | None = None
    baud: int | None = None
    parity: Parity | None = None
    stop_bits: StopBits | None = None
    timeout_s: float = 1.0
    pause_after_connect_s: float = 0.0
    pause_between_requests_s: float = 0.0
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None


def resolve_connections(tables: Sequence[ConnectionTable], folder: Path, file: str) -> tuple[Connection, ...]:
    """The connections, paths from `folder`. Raises ConfigError."""
    connections = tuple(_resolved(table, folder, Place(file, f'connection "{table.name}"')) for table in tables)
    _check_serial_ports(connections, file)
    return connections


def check_range(place: Place, key: str, value: float, least: float, most: float) -> None:
    """Refuse a number outside its range. Raises ConfigError."""
    if not least <= value <= most:
        raise place.error(key, f"{value:g} is out of range", f"{least:g} to {most:g}")


def check_pair(place: Place, cert_file: str | None, key_file: str | None) -> None:
    """Refuse a certificate without its key, and a key without its certificate. Raises ConfigError."""
    if bool(cert_file) != bool(key_file):
        raise place.error("cert_file", "cert_file and key_file go together")


def _resolved(table: ConnectionTable, folder: Path, place: Place) -> Connection:
    _check_keys(table, place)
    check_range(place, "timeout_s", table.timeout_s, 0.05, 60)
    check_range(place, "pause_after_connect_s", table.pause_after_connect_s, 0, 60)
    check_range(place, "pause_between_requests_s", table.pause_between_requests_s, 0, 60)
    check_pair(place, table.cert_file, table.key_file)
    return Connection(
        name=table.name,
        transport=table.transport,
        host=table.host or "",
        port=_port(table, place),
        serial=_serial(table, place),
        timeout_s=table.timeout_s,
        pause_after_connect_s=table.pause_after_connect_s,
        pause_between_requests_s=table.pause_between_requests_s,
        ca_file=_path(table.ca_file, folder),
        cert_file=_path(table.cert_file, folder),
        key_file=_path(table.key_file, folder),
    )


def _check_keys(table: ConnectionTable, place: Place) -> None:
    """A key of another transport is a mistake, and each transport must be told where it leads."""
    for key, owners in _OWNERS.items():
        if getattr(table, key) is not None and table.transport not in owners:
            raise place.error(key, f'has no meaning for transport "{table.transport}"', _listed(owners))
    leads_to = "serial_port" if table.transport is Transport.RTU else "host"
    if not getattr(table, leads_to):
        raise place.error(leads_to, "is missing", "/dev/ttyUSB0" if leads_to == "serial_port" else "")


def _listed(transports: Iterable[Transport]) -> str:
    return ", ".join(transports)


def _port(table: ConnectionTable, place: Place) -> int:
    if table.transport is Transport.RTU:
        return 0
    port = table.transport.default_port if table.port is None else table.port
    check_range(place, "port", port, 1, 65535)
    return port


def _serial(table: ConnectionTable, place: Place) -> SerialPort | None:
    if table.serial_port is None:
        return None
    if table.baud is not None and table.baud not in BAUDS:
        raise place.error("baud", f"{table.baud} is no rate of a serial line", ", ".join(map(str, BAUDS)))
    default = SerialPort(path=table.serial_port)
    return SerialPort(
        path=table.serial_port,
        baud=table.baud or default.baud,
        parity=table.parity or default.parity,
        stop_bits=table.stop_bits or default.stop_bits,
    )


def _path(written: str | None, folder: Path) -> str:
    return str(folder / written) if written else ""


def _check_serial_ports(connections: Iterable[Connection], file: str) -> None:
    """A serial port has one master: the units on it share one connection."""
    seen: dict[str, str] = {}
    for connection in connections:
        if connection.serial is None:
            continue
        path = connection.serial.path
        if path in seen:
            key = f'connection "{connection.name}".serial_port'
            raise ConfigError(
                file, key, f'{path} is that of connection "{seen[path]}", which all its devices can share'
            )
        seen[path] = connection.name
