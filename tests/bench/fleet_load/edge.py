"""One simulated edge: its connection to the broker, its births, and the blocks that nobody has acknowledged yet."""

import socket
import time
from collections.abc import Iterator

import msgspec

from edge_agent.wire.birth import Birth, encode_birth
from edge_agent.wire.command import Command, decode_command, encode_death
from edge_agent.wire.topic import MessageType, Topic
from tests.bench.fleet_load.furnace import BLOCK_ALIAS, COUNTER_FROM, FURNACES_AN_EDGE, channels
from tests.bench.fleet_load.packets import device_of, home_of, publish_packet, varint

EPOCH = 77
_KEEPALIVE_S = 60
_TIMEOUT_S = 30.0
_PUBLISH, _PINGRESP = 0x30, 0xD0


class Block(msgspec.Struct):
    """What an edge must keep of a block to send it again: which furnace and scan, and when it was measured and sent."""

    furnace: int
    scan: int
    measured_at_ms: int
    sent_s: float


class SimulatedEdge:
    """`number` names it within the whole fleet. Sending never waits: what the socket does not take is kept."""

    def __init__(self, number: int, port: int) -> None:
        self.number = number
        self.seq = 0
        self.next_block = COUNTER_FROM
        self.pending: dict[int, Block] = {}
        self._kept = bytearray()
        self._heard = bytearray()
        self._connection = _connect(number, port)

    def fileno(self) -> int:
        """For a selector."""
        return self._connection.fileno()

    def births(self) -> None:
        """NBIRTH and the DBIRTHs of its furnaces; `seq` begins anew."""
        now_ms = time.time_ns() // 1_000_000
        names = {"HomeNameZh": f"第 {self.number} 殡仪馆", "HomeNameEn": f"Home {self.number}", "Software": "load"}
        node = Birth(channels=(), attributes=names, bd_seq=0, epoch=EPOCH)
        self.send(publish_packet(self._topic(MessageType.NBIRTH), encode_birth(node, 0, now_ms)))
        for furnace in range(FURNACES_AN_EDGE):
            device = Birth(channels=channels(furnace), attributes={"Profile": "load"}, block_alias=BLOCK_ALIAS)
            topic = self._topic(MessageType.DBIRTH, device_of(furnace))
            self.send(publish_packet(topic, encode_birth(device, 1 + furnace, now_ms)))
        self.seq = 1 + FURNACES_AN_EDGE

    def send(self, octets: bytes | memoryview) -> None:
        """Send, or keep what cannot be sent now."""
        if self._kept:
            self._kept += octets
            self.flush()
            return
        try:
            sent = self._connection.send(octets)
        except BlockingIOError:
            sent = 0
        if sent < len(octets):
            self._kept += octets[sent:]

    def flush(self) -> None:
        """Try again to send what was kept."""
        if not self._kept:
            return
        try:
            del self._kept[: self._connection.send(self._kept)]
        except BlockingIOError:
            return

    def commands(self) -> Iterator[Command]:
        """The commands that have come. Raises ConnectionError when the broker has gone."""
        try:
            octets = self._connection.recv(65_536)
        except BlockingIOError:
            return
        if not octets:
            raise ConnectionError(f"the broker closed the connection of edge {self.number}")
        self._heard += octets
        while packet := _take_packet(self._heard):
            if packet[0] & 0xF0 == _PUBLISH:
                topic = int.from_bytes(packet[1:3], "big")
                yield decode_command(packet[3 + topic :])

    def close(self) -> None:
        """Disconnect as one should, so that no will is published."""
        self._connection.setblocking(True)
        self._connection.sendall(b"\xe0\x00")
        self._connection.close()

    def _topic(self, kind: MessageType, device: str | None = None) -> str:
        return str(Topic(home_of(self.number), kind, "edge", device))


def _connect(number: int, port: int) -> socket.socket:
    """Connect with a will and subscribe to the edge's commands."""
    connection = socket.create_connection(("127.0.0.1", port), _TIMEOUT_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    home = home_of(number)
    will = _text(str(Topic(home, MessageType.NDEATH, "edge"))) + _bytes(encode_death(0, 0))
    start = _text("MQTT") + bytes([4, 0b0000_1110]) + _KEEPALIVE_S.to_bytes(2, "big")
    connection.sendall(_packet(0x10, start + _text(f"{home}-edge") + will))
    _expect(connection, 0x20)
    connection.sendall(_packet(0x82, b"\x00\x01" + _text(str(Topic(home, MessageType.NCMD, "edge"))) + b"\x00"))
    _expect(connection, 0x90)
    connection.setblocking(False)
    return connection


def _expect(connection: socket.socket, kind: int) -> None:
    """Read a short answer of that kind."""
    heard = bytearray()
    while not (packet := _take_packet(heard)):
        octets = connection.recv(64)
        if not octets:
            raise ConnectionError("the broker refused an edge")
        heard += octets
    if packet[0] != kind:
        raise ConnectionError(f"the broker answered {packet[0]:#x} instead of {kind:#x}")


def _take_packet(heard: bytearray) -> bytes:
    """The first whole packet: its first byte, then all that follows its length; b"" while it is not whole."""
    length, shift, at = 0, 0, 1
    while at < len(heard):
        length |= (heard[at] & 0x7F) << shift
        shift += 7
        at += 1
        if heard[at - 1] < 0x80:
            break
    else:
        return b""
    if len(heard) < at + length:
        return b""
    packet = heard[:1] + heard[at : at + length]
    del heard[: at + length]
    return bytes(packet)


def _packet(first: int, rest: bytes) -> bytes:
    return bytes([first]) + varint(len(rest)) + rest


def _bytes(octets: bytes) -> bytes:
    return len(octets).to_bytes(2, "big") + octets


def _text(words: str) -> bytes:
    return _bytes(words.encode())
