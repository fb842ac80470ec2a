"""A line to one or more Modbus units, as configured."""

from enum import IntEnum, StrEnum

import msgspec

_BITS_OF_A_BYTE = 11  # start, eight data bits, parity or a second stop bit, stop
_SILENT_BYTES = 3.5
_SHORTEST_SILENCE_S = 0.00175


class Transport(StrEnum):
    """How frames travel: Modbus TCP, RTU over TCP (serial gateways), TLS (Modbus Security), UDP, a serial line."""

    TCP = "tcp"
    RTU_OVER_TCP = "rtu_over_tcp"
    TLS = "tls"
    UDP = "udp"
    RTU = "rtu"

    @property
    def default_port(self) -> int:
        """502, and 802 for Modbus Security."""
        return 802 if self is Transport.TLS else 502

    @property
    def numbers_requests(self) -> bool:
        """True where an answer carries the transaction number of its request; RTU frames carry none."""
        return self not in (Transport.RTU, Transport.RTU_OVER_TCP)

    @property
    def unit_ids(self) -> range:
        """Units that can answer: on a serial line 1 to 247, where 0 speaks to all and the rest is reserved."""
        return range(256) if self.numbers_requests else range(1, 248)


class Parity(StrEnum):
    """The parity of a serial line."""

    NONE = "none"
    EVEN = "even"
    ODD = "odd"


class StopBits(IntEnum):
    """How many stop bits end a byte."""

    ONE = 1
    TWO = 2


class SerialPort(msgspec.Struct, frozen=True, kw_only=True):
    """A serial port, `path` as in /dev/ttyUSB0. RTU always has eight data bits."""

    path: str
    baud: int = 9600
    parity: Parity = Parity.NONE
    stop_bits: StopBits = StopBits.ONE

    @property
    def silence_s(self) -> float:
        """What separates two frames: 3.5 characters, not less than 1.75 ms (Modbus over serial line 1.02, 2.5.1.1)."""
        return max(_SHORTEST_SILENCE_S, _SILENT_BYTES * _BITS_OF_A_BYTE / self.baud)


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """One connection. `timeout_s` bounds connecting and every answer; pauses are for devices that need a rest (s).

    `serial` belongs to RTU, host and port to every other transport. The three files belong to TLS: whom to trust, and
    our own certificate with its key (absolute paths, "" if unused).
    """

    name: str
    transport: Transport
    host: str = ""
    port: int = 0
    serial: SerialPort | None = None
    timeout_s: float = 1.0
    pause_after_connect_s: float = 0.0
    pause_between_requests_s: float = 0.0
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""

    @property
    def address(self) -> str:
        """Where the line leads, for people."""
        return self.serial.path if self.serial else f"{self.host}:{self.port}"

    @property
    def rest_s(self) -> float:
        """The least time between an answer and the next request: RTU frames are told apart by silence."""
        if self.transport.numbers_requests:
            return self.pause_between_requests_s
        silence_s = self.serial.silence_s if self.serial else _SHORTEST_SILENCE_S
        return max(self.pause_between_requests_s, silence_s)
