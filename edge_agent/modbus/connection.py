"""A line to one or more Modbus units, as configured."""

from enum import StrEnum

import msgspec


class Transport(StrEnum):
    """How frames travel: Modbus TCP, RTU frames over TCP (serial gateways), TLS (Modbus Security) or UDP."""

    TCP = "tcp"
    RTU_OVER_TCP = "rtu_over_tcp"
    TLS = "tls"
    UDP = "udp"

    @property
    def default_port(self) -> int:
        """502, and 802 for Modbus Security."""
        return 802 if self is Transport.TLS else 502


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """One connection. `timeout_s` bounds connecting and every answer; pauses are for devices that need a rest (s).

    The three files belong to TLS: whom to trust, and our own certificate with its key (absolute paths, "" if unused).
    """

    name: str
    transport: Transport
    host: str
    port: int
    timeout_s: float = 1.0
    pause_after_connect_s: float = 0.0
    pause_between_requests_s: float = 0.0
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
