"""What stands between the connection and the MQTT library changes nothing that either of them can see."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_service.intake.read_ahead import Packet, ReadAhead

RESERVED = b"spBv1.0/STATE/"


def packet(first: int, rest: bytes) -> bytes:
    length, octets = len(rest), []
    while length > 0x7F:
        octets.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([first, *octets, length]) + rest


def publish(topic: bytes, payload: bytes, *, first: int = 0x30, between: bytes = b"") -> bytes:
    return packet(first, len(topic).to_bytes(2, "big") + topic + between + payload)


class Line:
    """A broker's end of a connection, and what came out of the other end."""

    def __init__(self, *, has_properties: bool = False) -> None:
        self.broker, connection = socket.socketpair()
        self.packets: list[Packet] = []
        self.passed = bytearray()
        self.reader = ReadAhead(connection, self._take, RESERVED, has_properties=has_properties)
        self.reader.setblocking(False)
        self.order: list[str] = []

    def _take(self, packets: Sequence[Packet]) -> None:
        self.packets += packets
        self.order += [topic for topic, _ in packets]

    def read(self, size: int = 1) -> None:
        """As the library reads: piece by piece while there is something."""
        while True:
            try:
                octets = self.reader.recv(size)
            except BlockingIOError:
                if not self.reader.pending():
                    return
                continue
            self.passed += octets
            if octets:
                self.order.append(octets.hex())

    def close(self) -> None:
        self.broker.close()
        self.reader.close()


@pytest.fixture
def line() -> Iterator[Line]:
    made = Line()
    yield made
    made.close()


def test_publishes_go_straight_to_whoever_wants_them(line: Line) -> None:
    line.broker.sendall(publish(b"a", b"1") + publish(b"b", b"x" * 5_000) + publish(b"c", b"", first=0x31))
    line.read()
    assert line.packets == [("a", b"1"), ("b", b"x" * 5_000), ("c", b"")]
    assert line.passed == b""


def test_all_else_reaches_the_library_unchanged_and_in_order(line: Line) -> None:
    others = [
        packet(0x20, b"\x00\x00"),
        packet(0xD0, b""),
        publish(b"q1", b"2", first=0x32, between=b"\x00\x07"),
        publish(RESERVED + b"me", b"{}"),
    ]
    line.broker.sendall(publish(b"a", b"1") + others[0] + publish(b"b", b"2") + b"".join(others[1:]))
    line.read(size=10_000)
    assert line.passed == b"".join(others)
    assert [one for one in line.order if len(one) == 1 or one == others[0].hex()] == ["a", others[0].hex(), "b"]


def test_a_torn_packet_waits_for_its_rest(line: Line) -> None:
    whole = publish(b"a", b"x" * 300)
    line.broker.sendall(whole[:2])
    line.read()
    assert line.reader.pending() == 0
    line.broker.sendall(whole[2:100])
    line.read()
    assert line.packets == []
    line.broker.sendall(whole[100:])
    line.read()
    assert line.packets == [("a", b"x" * 300)]


def test_a_topic_that_is_no_text_is_named_empty(line: Line) -> None:
    line.broker.sendall(publish(b"\xff\xfe", b"1"))
    line.read()
    assert line.packets == [("", b"1")]


def test_properties_of_mqtt_5_are_no_part_of_the_payload() -> None:
    line = Line(has_properties=True)
    line.broker.sendall(publish(b"a", b"1", between=b"\x03\x01\x00\x01") + publish(b"b", b"2", between=b"\x00"))
    line.read()
    line.close()
    assert line.packets == [("a", b"1"), ("b", b"2")]


@pytest.mark.parametrize(
    "malformed",
    [
        pytest.param(b"\x30\xff\xff\xff\xff\xff", id="a length that does not end"),
        pytest.param(packet(0x30, b"\x00\x09ab"), id="a topic longer than its packet"),
        pytest.param(packet(0x30, b""), id="nothing at all"),
    ],
)
def test_what_is_malformed_is_left_to_the_library(line: Line, malformed: bytes) -> None:
    line.broker.sendall(malformed)
    line.read()
    assert line.packets == []
    assert malformed.startswith(bytes(line.passed))
    assert line.passed


def test_the_end_of_the_connection_is_seen(line: Line) -> None:
    line.broker.close()
    assert line.reader.recv(1) == b""


def sent(line: Line) -> bytes:
    line.broker.setblocking(False)
    octets = bytearray()
    with suppress(BlockingIOError):
        while part := line.broker.recv(65_536):
            octets += part
    return bytes(octets)


def test_what_is_published_goes_with_the_next_that_the_library_sends_whole_and_before_it(line: Line) -> None:
    ping = packet(0xC0, b"")
    line.reader.publish([("a", b"1"), ("b", b"x" * 300)])
    assert sent(line) == b""
    assert line.reader.send(ping) == len(ping)
    assert sent(line) == publish(b"a", b"1") + publish(b"b", b"x" * 300) + ping


def test_what_the_connection_does_not_take_is_sent_later_in_one_piece(line: Line) -> None:
    large = publish(b"a", bytes(3_000_000))
    assert line.reader.send(large) == len(large)
    line.reader.publish([("b", b"2")])
    octets = bytearray()
    while len(octets) < len(large) + len(publish(b"b", b"2")):
        octets += sent(line)
        line.reader.pending()
    assert bytes(octets) == large + publish(b"b", b"2")


def test_where_too_much_waits_the_library_is_told_to_wait_and_the_rest_is_dropped(line: Line) -> None:
    line.reader.send(bytes(5_000_000))
    with pytest.raises(BlockingIOError):
        line.reader.send(b"more")
    line.reader.publish([("a", b"1")])
    octets = bytearray()
    while len(octets) < 5_000_000:
        octets += sent(line)
        line.reader.pending()
    assert line.reader.send(b"again") == 5
    assert sent(line) == b"again"


def test_a_broken_connection_shows_when_it_is_read_and_not_before(line: Line) -> None:
    line.broker.close()
    line.reader.publish([("a", b"1")])
    assert line.reader.pending() == 0
    assert line.reader.recv(1) == b""


topics = st.text(st.characters(codec="utf-8"), min_size=1, max_size=9).map(str.encode)
publishes = st.tuples(st.just(True), st.builds(publish, topics, st.binary(max_size=300)))
others = st.tuples(st.just(False), st.builds(packet, st.sampled_from([0x20, 0x90, 0xD0, 0x40]), st.binary(max_size=9)))


@given(st.lists(publishes | others, max_size=9), st.integers(1, 40), st.integers(1, 9))
def test_however_the_bytes_come_nothing_is_lost_or_mixed(sent: list[tuple[bool, bytes]], piece: int, size: int) -> None:
    line = Line()
    octets = b"".join(one for _, one in sent)
    for at in range(0, len(octets), piece):
        line.broker.sendall(octets[at : at + piece])
        line.read(size)
    line.close()
    assert bytes(line.passed) == b"".join(one for wanted, one in sent if not wanted)
    assert [publish(topic.encode(), payload) for topic, payload in line.packets] == [
        one for wanted, one in sent if wanted
    ]
