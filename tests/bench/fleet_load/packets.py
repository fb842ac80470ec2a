"""The DDATA packets of a fleet as one array of bytes, made by the real encoder once and patched in place each scan.

Every number that changes has a fixed width: `seq` is written in two bytes always, which protobuf allows.
"""

from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_agent.wire.data import encode_data
from edge_agent.wire.metric import DataType
from edge_agent.wire.sample import Sample
from edge_agent.wire.topic import MessageType, Topic
from tests.bench.fleet_load.furnace import BLOCK_ALIAS, COUNTER_FROM, FURNACES_AN_EDGE, ROWS, channels, loops, tags

Octets = NDArray[np.uint8]
Int64s = NDArray[np.int64]
_TWO_BYTE_SEQ = 200
_SOME_MS = 1_764_000_000_000
_STUCK_EVERY, _OVER_EVERY = 997, 499  # one furnace in so many has a stuck CO analyser, or too much CO
_FOLLOWS = np.arange(FURNACES_AN_EDGE)


def home_of(edge: int) -> str:
    """The Sparkplug group of an edge; every name has the same length."""
    return f"h{edge:05}"


def device_of(furnace: int) -> str:
    """The Sparkplug device of the n-th furnace of an edge."""
    return f"f{furnace}"


def publish_packet(topic: str, payload: bytes) -> bytes:
    """An MQTT 3.1.1 PUBLISH at QoS 0."""
    name = topic.encode()
    rest = len(name).to_bytes(2, "big") + name + payload
    return b"\x30" + varint(len(rest)) + rest


def varint(number: int) -> bytes:
    """A whole number as protobuf and MQTT write it."""
    octets = []
    while number > 0x7F:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*octets, number])


def data_packet(edge: int, furnace: int, samples: list[Sample], seq: int, block: int, *, historical: bool) -> bytes:
    """One DDATA of one furnace by the real encoder."""
    payload = encode_data(
        samples,
        {channel.alias or 0: channel.datatype for channel in channels(furnace)},
        seq=seq,
        sent_at_ms=samples[0].measured_at_ms,
        block=block,
        block_alias=BLOCK_ALIAS,
        historical=historical,
    )
    return publish_packet(str(Topic(home_of(edge), MessageType.DDATA, "edge", device_of(furnace))), payload)


class Packets:
    """`edges` x 4 packets. `patch` makes the scan of some edges; `of` gives the bytes that one edge sends."""

    def __init__(self, first_edge: int, edges: int, seed: int) -> None:
        self._first_edge = first_edge
        self._loops = loops(seed)
        self._encoded = _encoded(self._loops)
        furnace = np.arange(first_edge * FURNACES_AN_EDGE, (first_edge + edges) * FURNACES_AN_EDGE)
        kind = np.where(furnace % _STUCK_EVERY == 1, 1, np.where(furnace % _OVER_EVERY == 2, 2, 0))
        self._kind = kind.reshape(edges, FURNACES_AN_EDGE)
        self._offset = (furnace * 37 % ROWS).reshape(edges, FURNACES_AN_EDGE)
        parts = [[self._packet(at, one) for one in range(FURNACES_AN_EDGE)] for at in range(edges)]
        self._bytes = np.frombuffer(b"".join(b"".join(part) for part in parts), np.uint8).copy()
        self._bytes = self._bytes.reshape(edges, FURNACES_AN_EDGE, -1)
        self._places = _places(parts[0][0])

    def patch(self, part: slice, scan: int, at_ms: int, seq: Int64s, block: Int64s) -> None:
        """Write a scan's values; `seq` and `block` are those of each edge's first packet, the others count on."""
        packets, places = self._bytes[part], self._places
        packets[:, :, places.times] = np.frombuffer(varint(at_ms) * (len(places.times) // 6), np.uint8)
        packets[:, :, places.counter] = np.frombuffer(varint(COUNTER_FROM + scan), np.uint8)
        packets[:, :, places.values] = self._encoded[self._kind[part], (scan + self._offset[part]) % ROWS]
        packets[:, :, places.seq] = _octets((seq[:, None] + _FOLLOWS) % 256, 2)
        packets[:, :, places.block] = _octets(block[:, None] + _FOLLOWS, 4)

    def of(self, edge: int) -> memoryview:
        """The four packets of an edge as they were last patched."""
        return memoryview(self._bytes[edge]).cast("B")

    def payloads(self, edge: int) -> list[bytes]:
        """The four payloads of an edge as they were last patched."""
        packets = [bytes(packet) for packet in self._bytes[edge]]
        return [packet[5 + int.from_bytes(packet[3:5], "big") :] for packet in packets]

    def samples(self, edge: int, furnace: int, scan: int, at_ms: int) -> list[Sample]:
        """The samples of a scan, as they are sent again."""
        row = (scan + int(self._offset[edge, furnace])) % ROWS
        found = self._loops[self._kind[edge, furnace], row].tolist()
        aliases = [channel.alias or 0 for channel in channels(furnace)]
        found[-1] = float(COUNTER_FROM + scan)
        return [Sample(alias, at_ms, value) for alias, value in zip(aliases, found, strict=True)]

    def _packet(self, edge: int, furnace: int) -> bytes:
        samples = self.samples(edge, furnace, 0, _SOME_MS)
        number = self._first_edge + edge
        return data_packet(number, furnace, samples, _TWO_BYTE_SEQ, COUNTER_FROM, historical=False)


class _Places(msgspec.Struct, frozen=True):
    """Where in a packet the bytes lie that change."""

    times: Int64s
    seq: Int64s
    block: Int64s
    values: Int64s
    counter: Int64s


def _places(packet: bytes) -> _Places:
    """Walk the fields of one packet: those of the payload, and those of each metric in it."""
    topic = int.from_bytes(packet[3:5], "big")
    times: list[int] = []
    found: dict[int, range] = {}
    values: list[range] = []
    for field, place in _fields(packet, 5 + topic, len(packet)):
        if field == 2:
            metric = dict(_fields(packet, place.start, place.stop))
            times += metric[3]
            values += [place for number, place in metric.items() if number >= 10]
        else:
            found[field] = place
    block, *rest, counter = values
    columns = [*times, *found[1]], found[3], block, [at for place in rest for at in place], counter
    return _Places(*(np.array(column, np.int64) for column in columns))


def _fields(packet: bytes, start: int, stop: int) -> Iterator[tuple[int, range]]:
    """Field numbers and where their contents lie."""
    while start < stop:
        field, kind = packet[start] >> 3, packet[start] & 7
        begin = start + 1
        if kind == 2:
            begin, width = start + 2, packet[start + 1]
        else:
            width = {1: 8, 5: 4}.get(kind) or _varint_width(packet, begin)
        yield field, range(begin, begin + width)
        start = begin + width


def _varint_width(packet: bytes, start: int) -> int:
    return next(at for at in range(start, len(packet)) if packet[at] < 0x80) - start + 1


def _octets(numbers: Int64s, width: int) -> Octets:
    """Variable-length numbers of a fixed width, along a new last axis."""
    septets = numbers[..., None] >> np.arange(0, 7 * width, 7) & 0x7F
    septets[..., :-1] |= 0x80
    return septets.astype(np.uint8)


def _encoded(table: NDArray[np.float64]) -> Octets:
    """The bytes of all values but the counter's, in the order of the channels: (kinds, ROWS, bytes)."""
    forms = {DataType.FLOAT: "<f4", DataType.DOUBLE: "<f8", DataType.BOOLEAN: "u1", DataType.UINT16: "u1"}
    columns = [table[..., at].astype(forms[tag.datatype]) for at, tag in enumerate(tags()[:-1])]
    octets = [np.ascontiguousarray(column).view(np.uint8).reshape(*table.shape[:2], -1) for column in columns]
    return np.concatenate(octets, axis=2)
