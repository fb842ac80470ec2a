"""The site file: an edge's place, broker, outbox, connections and devices, as frozen structs."""

from pathlib import Path

import msgspec

from edge_agent.devices.profile import Profile
from edge_agent.modbus.connection import Connection


class Names(msgspec.Struct, frozen=True):
    """A name in Chinese and in English; "" where none is given."""

    zh: str = ""
    en: str = ""


class Broker(msgspec.Struct, frozen=True, kw_only=True):
    """The MQTT broker. `password_env` names the environment variable with the password; `ca_file` asks for TLS."""

    host: str
    port: int = 1883
    username: str = ""
    password_env: str = ""
    keepalive_s: int = 15
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""


class OutboxLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Where the outbox lies and how much it may hold: 2 GB and 30 days outlast a long outage on a small gateway."""

    path: Path
    max_mb: int = 2048
    max_age_days: float = 30.0


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
