"""Reads and writes the broker's connection in large pieces: the library takes a byte or a packet at a system call.

PUBLISH packets at QoS 0, which is nearly everything that edges send, go straight to whoever wants them, many at once.
All other packets reach the library byte by byte as if nothing stood between, and in the order in which they came.
"""

import ssl
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTProtocolVersion

if TYPE_CHECKING:
    from paho.mqtt.client import SocketLike

Packet = tuple[str, bytes]  # topic ("" where it is no UTF-8) and payload

_AT_ONCE = 256 * 1024
_PUBLISH, _KIND_AND_QOS = 0x30, 0xF6
_MOST_TOPICS = 65_536
_MOST_UNSENT = 4 * 1024 * 1024
_INCOMPLETE = -1
_LONGEST_NUMBER = 5  # bytes, one more than the protocol allows: the library refuses it


class ReadAhead:
    """A connected socket as the library wants it. `wanted` gets packets whose topic does not begin with `reserved`."""

    def __init__(
        self,
        connection: "SocketLike",
        wanted: Callable[[Sequence[Packet]], None],
        reserved: bytes,
        *,
        has_properties: bool,
    ) -> None:
        self._connection = connection
        self._wanted = wanted
        self._reserved = reserved
        self._has_properties = has_properties
        self._heard = bytearray()
        self._passed = bytearray()
        self._topics: dict[bytes, str] = {}
        self._sending = threading.Lock()
        self._unsent = bytearray()

    def recv(self, size: int) -> bytes:
        """At most `size` bytes for the library. Raises BlockingIOError when there are none now."""
        if not self._passed:
            self._sort()
        if not self._passed:
            octets = self._connection.recv(_AT_ONCE)
            if not octets:
                return b""
            self._heard += octets
            self._sort()
        if not self._passed:
            raise BlockingIOError
        taken = bytes(self._passed[:size])
        del self._passed[:size]
        return taken

    def pending(self) -> int:
        """How many bytes can be had without waiting for the network; 1 where it is some. Sends what waits."""
        with suppress(OSError), self._sending:  # a broken connection shows when it is read
            self._flush()
        if self._passed or _packet_end(self._heard, 0) != _INCOMPLETE:
            return 1
        return self._connection.pending() if isinstance(self._connection, ssl.SSLSocket) else 0

    def send(self, octets: bytes | bytearray) -> int:
        """Send all of it, now or as soon as there is room. Raises BlockingIOError when too much waits."""
        with self._sending:
            self._flush()
            if len(self._unsent) > _MOST_UNSENT:
                raise BlockingIOError
            self._unsent += octets
            self._flush()
        return len(octets)

    def publish(self, packets: Iterable[Packet]) -> None:
        """Publish at QoS 0 with the next that the library sends; dropped when too much waits. From any thread."""
        octets = b"".join(_publish(topic, payload, self._has_properties) for topic, payload in packets)
        with self._sending:
            if len(self._unsent) <= _MOST_UNSENT:
                self._unsent += octets

    def _flush(self) -> None:
        """Only on the library's thread: a connection with TLS bears no more than one."""
        if self._unsent:
            with suppress(BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                del self._unsent[: self._connection.send(self._unsent)]

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def fileno(self) -> int:
        """For a selector."""
        return self._connection.fileno()

    def setblocking(self, flag: bool) -> None:
        """Whether calls wait."""
        self._connection.setblocking(flag)

    def _sort(self) -> None:
        """Hand out whole PUBLISH packets up to the first other one, which is passed to the library."""
        heard, at = self._heard, 0
        packets: list[Packet] = []
        while (end := _packet_end(heard, at)) != _INCOMPLETE:
            packet = self._published(at, end) if heard[at] & _KIND_AND_QOS == _PUBLISH else None
            if packet is None:
                self._passed += heard[at:end]
                at = end
                break
            packets.append(packet)
            at = end
        del heard[:at]
        if packets:
            self._wanted(packets)

    def _published(self, at: int, end: int) -> Packet | None:
        """Topic and payload of a PUBLISH; None where it is reserved, or not as it should be."""
        start = _number(self._heard, at + 1)[1]
        body = start + 2 + int.from_bytes(self._heard[start : start + 2], "big")
        name = bytes(self._heard[start + 2 : body])
        if self._has_properties and body < end:
            length, start = _number(self._heard, body)
            body = end + 1 if start == _INCOMPLETE else start + length
        if body > end or name.startswith(self._reserved):
            return None
        return self._text(name), bytes(self._heard[body:end])

    def _text(self, name: bytes) -> str:
        """A topic as text; the same object each time, so that thousands that wait share it."""
        known = self._topics.get(name)
        if known is None:
            try:
                known = name.decode()
            except UnicodeDecodeError:
                known = ""
            if len(self._topics) < _MOST_TOPICS:
                self._topics[name] = known
        return known


class ReadAheadClient(Client):
    """A client whose connection is read ahead; set `wanted` and `reserved` before it connects."""

    wanted: Callable[[Sequence[Packet]], None]
    reserved: bytes

    def _create_socket(self) -> "SocketLike":
        has_properties = self.protocol == MQTTProtocolVersion.MQTTv5
        return ReadAhead(super()._create_socket(), self.wanted, self.reserved, has_properties=has_properties)


def _publish(topic: str, payload: bytes, has_properties: bool) -> bytes:
    """A PUBLISH at QoS 0."""
    name = topic.encode()
    rest = len(name).to_bytes(2, "big") + name + (b"\0" if has_properties else b"") + payload
    length, octets = len(rest), bytearray(b"\x30")
    while length > 0x7F:
        octets.append(length & 0x7F | 0x80)
        length >>= 7
    octets.append(length)
    return bytes(octets) + rest


def _packet_end(heard: bytearray, at: int) -> int:
    """Where the packet that begins at `at` ends; _INCOMPLETE while it is not whole."""
    length, start = _number(heard, at + 1)
    if start == _INCOMPLETE or start + length > len(heard):
        return _INCOMPLETE
    return start + length


def _number(heard: bytearray, at: int) -> tuple[int, int]:
    """A variable-length number and where it ends; _INCOMPLETE while it is not whole. Longer than five bytes is none."""
    number = 0
    for place in range(at, min(at + _LONGEST_NUMBER, len(heard))):
        octet = heard[place]
        number |= (octet & 0x7F) << 7 * (place - at)
        if octet < 0x80:
            return number, place + 1
    return 0, at + _LONGEST_NUMBER if at + _LONGEST_NUMBER <= len(heard) else _INCOMPLETE
