"""MQTT control packets read from their bytes (MQTT 3.1.1 and 5.0, chapters 2 and 3), for tests that watch the line."""

import struct
from enum import IntEnum

import msgspec

_SESSION_EXPIRY = 0x11
_PROPERTY_SIZES = {0x11: 4, 0x21: 2, 0x27: 4, 0x22: 2, 0x19: 1, 0x17: 1, 0x18: 4, 0x01: 1, 0x02: 4}


class Kind(IntEnum):
    """The packet types that a client of Sparkplug sends."""

    CONNECT = 1
    PUBLISH = 3
    PUBACK = 4
    SUBSCRIBE = 8
    PINGREQ = 12
    DISCONNECT = 14


class Packet(msgspec.Struct, frozen=True):
    """One packet from a client: its connection (counted from 1), when it came (ms UTC), first byte and body."""

    connection: int
    at_ms: int
    first: int
    body: bytes

    @property
    def kind(self) -> int:
        """The packet's type, one of `Kind` or another."""
        return self.first >> 4


class Connect(msgspec.Struct, frozen=True, kw_only=True):
    """A CONNECT packet; `session_expiry_s` is None where it is not said."""

    level: int
    clean: bool
    client_id: str
    has_will: bool
    will_topic: str
    will_payload: bytes
    will_qos: int
    will_retain: bool
    session_expiry_s: int | None


class Publish(msgspec.Struct, frozen=True):
    """A PUBLISH packet as it was sent."""

    topic: str
    payload: bytes
    qos: int
    retain: bool


class Reader:
    """Takes the parts of a packet one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, size: int) -> bytes:
        """The next bytes."""
        self._at += size
        return self._data[self._at - size : self._at]

    def byte(self) -> int:
        """The next byte."""
        return self.take(1)[0]

    def short(self) -> int:
        """The next two bytes as a number."""
        found: tuple[int] = struct.unpack(">H", self.take(2))
        return found[0]

    def field(self) -> bytes:
        """Bytes with their length before them."""
        return self.take(self.short())

    def varint(self) -> int:
        """A number of one to four bytes."""
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def properties(self) -> dict[int, bytes]:
        """The properties of fixed size; others end the reading."""
        inner, found = Reader(self.take(self.varint())), {}
        while inner.left and (key := inner.byte()) in _PROPERTY_SIZES:
            found[key] = inner.take(_PROPERTY_SIZES[key])
        return found

    @property
    def left(self) -> bytes:
        """What was not taken."""
        return self._data[self._at :]


def split(data: bytearray) -> tuple[int, bytes] | None:
    """Take the first whole packet from the front of the buffer: its first byte and body; None where there is none."""
    length = shift = 0
    for at in range(1, min(len(data), 5)):
        length |= (data[at] & 0x7F) << shift
        shift += 7
        if data[at] < 0x80:
            end = at + 1 + length
            if len(data) < end:
                return None
            first, body = data[0], bytes(data[at + 1 : end])
            del data[:end]
            return first, body
    return None


def read_connect(packet: Packet) -> Connect:
    """The parts of a CONNECT."""
    reader = Reader(packet.body)
    reader.field()
    level, flags, _ = reader.byte(), reader.byte(), reader.short()
    said = reader.properties() if level == 5 else {}
    client_id, has_will = reader.field().decode(), bool(flags & 4)
    if has_will and level == 5:
        reader.properties()
    topic, payload = (reader.field(), reader.field()) if has_will else (b"", b"")
    expiry = said.get(_SESSION_EXPIRY)
    return Connect(
        level=level,
        clean=bool(flags & 2),
        client_id=client_id,
        has_will=has_will,
        will_topic=topic.decode(),
        will_payload=payload,
        will_qos=flags >> 3 & 3,
        will_retain=bool(flags & 0x20),
        session_expiry_s=None if expiry is None else int.from_bytes(expiry, "big"),
    )


def read_publish(packet: Packet, level: int = 4) -> Publish:
    """The parts of a PUBLISH."""
    reader, qos = Reader(packet.body), packet.first >> 1 & 3
    topic = reader.field().decode()
    if qos:
        reader.short()
    if level == 5:
        reader.properties()
    return Publish(topic, reader.left, qos, bool(packet.first & 1))


def read_subscribe(packet: Packet, level: int = 4) -> list[tuple[str, int]]:
    """The topics of a SUBSCRIBE with the QoS that is asked for."""
    reader = Reader(packet.body)
    reader.short()
    if level == 5:
        reader.properties()
    found = []
    while reader.left:
        found.append((reader.field().decode(), reader.byte() & 3))
    return found
