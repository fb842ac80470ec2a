"""The site file: an edge's place, broker, outbox, connections and devices, as frozen structs."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from edge_agent.connection_table import ConnectionTable, check_pair, check_range, resolve_connections
from edge_agent.devices.files import read_profile, resolve_profile
from edge_agent.devices.profile import Profile
from edge_agent.devices.resolve import check_names
from edge_agent.devices.tables import ChannelKeys
from edge_agent.errors import ConfigError
from edge_agent.modbus.connection import Connection
from edge_agent.toml_file import Place, convert_table, read_toml, suggestion
from edge_agent.wire.mqtt import MqttVersion
from edge_agent.wire.topic import check_id


class Names(msgspec.Struct, frozen=True):
    """A name in Chinese and in English; "" where none is given."""

    zh: str = ""
    en: str = ""


class Broker(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The MQTT broker. The variable of `password_env` or `password_file` holds the password; `ca_file` asks for TLS.

    `primary_host` names a Sparkplug host application: while that is not online, the edge stays silent and keeps all.
    """

    host: str
    port: int = 1883
    username: str = ""
    password_env: str = ""
    password_file: str = ""
    keepalive_s: int = 15
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    mqtt: MqttVersion = MqttVersion.V3_1_1
    primary_host: str = ""


class OutboxLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Where the outbox lies and how much it may hold: 2 GB and 30 days outlast a long outage on a small gateway."""

    path: Path
    max_mb: int = 2048
    max_age_days: float = 30.0


class ClockWatching(StrEnum):
    """Whether the kernel is asked if a time server keeps the clock right. `UNWATCHED` where it cannot know.

    So it is where the clock is set by other means: a radio clock, a time service that only steps, a host machine.
    """

    WATCHED = "watched"
    UNWATCHED = "unwatched"


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One device of the site; `profile` has the site's overrides applied. `furnace` names what it belongs to."""

    name: str
    furnace: str
    connection: str
    unit_id: int
    profile: Profile
    names: Names = Names()


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """All that an edge agent needs. `home` is the Sparkplug group id, `edge` the edge node id."""

    home: str
    edge: str
    home_names: Names
    district: Names
    city: Names
    broker: Broker
    outbox: OutboxLimits
    connections: tuple[Connection, ...]
    devices: tuple[Device, ...]
    synchronisation: ClockWatching = ClockWatching.WATCHED


class _SiteTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    home: str
    edge: str
    name_zh: str = ""
    name_en: str = ""
    district_zh: str = ""
    district_en: str = ""
    city_zh: str = ""
    city_en: str = ""


class _ClockTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    synchronisation: ClockWatching = ClockWatching.WATCHED


class _OutboxTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    path: str = "outbox.db"
    max_mb: int = 2048
    max_age_days: float = 30.0


class _DeviceTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    furnace: str
    connection: str
    profile: str
    unit_id: int = 1
    name_zh: str = ""
    name_en: str = ""
    channel: dict[str, Any] = {}


class _SiteFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    site: _SiteTable
    broker: Broker
    connection: list[ConnectionTable]
    device: list[_DeviceTable]
    outbox: _OutboxTable = _OutboxTable()
    clock: _ClockTable = _ClockTable()


def load_site(path: Path) -> Site:
    """Read and check a site file and the profiles that it names; touches no device. Raises ConfigError."""
    file, folder = str(path), path.resolve().parent
    content = read_toml(path, _SiteFile)
    head = content.site
    _check_ids(content, file)
    _check_broker(content.broker, file)
    return Site(
        home=head.home,
        edge=head.edge,
        home_names=Names(head.name_zh, head.name_en),
        district=Names(head.district_zh, head.district_en),
        city=Names(head.city_zh, head.city_en),
        broker=_with_paths(content.broker, folder),
        outbox=_outbox(content.outbox, folder, file),
        connections=resolve_connections(content.connection, folder, file),
        devices=tuple(_device(table, content, folder, file) for table in content.device),
        synchronisation=content.clock.synchronisation,
    )


def _check_ids(content: _SiteFile, file: str) -> None:
    for key, identity in (("site.home", content.site.home), ("site.edge", content.site.edge)):
        _check_id(identity, file, key)
    for number, device in enumerate(content.device, 1):
        _check_id(device.name, file, f"device[{number}].name")
        _check_id(device.furnace, file, f"device[{number}].furnace")
    if not content.device:
        raise ConfigError(file, "device", "there is none", "one [[device]] or more")
    check_names((device.name for device in content.device), file, "device")
    check_names((connection.name for connection in content.connection), file, "connection")


def _check_id(identity: str, file: str, key: str) -> None:
    try:
        check_id(identity)
    except ValueError as error:
        raise ConfigError(file, key, str(error)) from error


def _check_broker(broker: Broker, file: str) -> None:
    place = Place(file, "broker")
    check_range(place, "port", broker.port, 1, 65535)
    check_range(place, "keepalive_s", broker.keepalive_s, 5, 3600)
    check_pair(place, broker.cert_file, broker.key_file)
    if broker.primary_host:
        _check_id(broker.primary_host, file, "broker.primary_host")


def _with_paths(broker: Broker, folder: Path) -> Broker:
    return msgspec.structs.replace(
        broker,
        password_file=_path(broker.password_file, folder),
        ca_file=_path(broker.ca_file, folder),
        cert_file=_path(broker.cert_file, folder),
        key_file=_path(broker.key_file, folder),
    )


def _path(written: str, folder: Path) -> str:
    return str(folder / written) if written else ""


def _outbox(table: _OutboxTable, folder: Path, file: str) -> OutboxLimits:
    place = Place(file, "outbox")
    check_range(place, "max_mb", table.max_mb, 1, 1_000_000)
    check_range(place, "max_age_days", table.max_age_days, 0.01, 3650)
    return OutboxLimits(path=folder / table.path, max_mb=table.max_mb, max_age_days=table.max_age_days)


def _check_unit(table: _DeviceTable, connections: Sequence[ConnectionTable], place: Place) -> None:
    known = {connection.name: connection for connection in connections}
    if table.connection not in known:
        hint = suggestion(table.connection, list(known))
        raise place.error("connection", f'unknown connection "{table.connection}"{hint}', ", ".join(known))
    units = known[table.connection].transport.unit_ids
    check_range(place, "unit_id", table.unit_id, units[0], units[-1])


def _device(table: _DeviceTable, content: _SiteFile, folder: Path, file: str) -> Device:
    place = Place(file, f'device "{table.name}"')
    _check_unit(table, content.connection, place)
    overrides = {
        name: convert_table(keys, ChannelKeys, file, f"{place.key}.channel.{name}")
        for name, keys in table.channel.items()
    }
    return Device(
        name=table.name,
        furnace=table.furnace,
        connection=table.connection,
        unit_id=table.unit_id,
        profile=resolve_profile(read_profile(table.profile, folder, place), overrides, place),
        names=Names(table.name_zh, table.name_en),
    )
