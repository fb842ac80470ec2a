"""NCMD, NDEATH and STATE: rebirth requests, acknowledgements of blocks, deaths and the host's presence."""

import json

import msgspec
from google.protobuf.message import DecodeError

from edge_agent.wire.birth import ACKED, BD_SEQ, EPOCH, REBIRTH
from edge_agent.wire.metric import DataType, get_value, pack_uint64s, set_value, unpack_uint64s
from edge_agent.wire.sparkplug_b_pb2 import Payload

BlockRange = tuple[int, int]


class Acknowledgement(msgspec.Struct, frozen=True):
    """Blocks of one outbox (named by its epoch) that the centre holds durably: ranges, both ends included."""

    epoch: int
    ranges: tuple[BlockRange, ...]


class Command(msgspec.Struct, frozen=True):
    """What an NCMD asks of an edge node. `sent_at_ms` is the sender's time, ms since 1970 UTC (0: it says none)."""

    rebirth: bool = False
    acknowledgement: Acknowledgement | None = None
    sent_at_ms: int = 0


class HostState(msgspec.Struct, frozen=True):
    """Whether a host application is online, and since when (ms since 1970 UTC)."""

    online: bool
    timestamp: int


def encode_rebirth(sent_at_ms: int) -> bytes:
    """An NCMD that asks the edge node for all its births."""
    payload = Payload(timestamp=sent_at_ms)
    payload.metrics.add(name=REBIRTH, timestamp=sent_at_ms, datatype=DataType.BOOLEAN, boolean_value=True)
    return payload.SerializeToString()


def encode_acknowledgement(acknowledgement: Acknowledgement, sent_at_ms: int) -> bytes:
    """An NCMD that lets the edge forget blocks: they are durable at the centre."""
    payload = Payload(timestamp=sent_at_ms)
    epoch = payload.metrics.add(name=EPOCH, timestamp=sent_at_ms, datatype=DataType.UINT64)
    epoch.long_value = acknowledgement.epoch
    flat = [number for pair in acknowledgement.ranges for number in pair]
    acked = payload.metrics.add(name=ACKED, timestamp=sent_at_ms, datatype=DataType.UINT64_ARRAY)
    acked.bytes_value = pack_uint64s(flat)
    return payload.SerializeToString()


def decode_command(data: bytes) -> Command:
    """Read an NCMD; unknown metrics are ignored, a timestamp may be missing. Raises ValueError on garbage."""
    payload = parse_payload(data)
    rebirth, epoch, ranges = False, None, None
    for metric in payload.metrics:
        if metric.name == REBIRTH:
            rebirth = metric.boolean_value
        elif metric.name == EPOCH:
            epoch = metric.long_value
        elif metric.name == ACKED:
            ranges = _pairs(unpack_uint64s(metric.bytes_value))
    acknowledged = Acknowledgement(epoch, ranges) if epoch is not None and ranges is not None else None
    return Command(rebirth, acknowledged, payload.timestamp)


def encode_death(bd_seq: int, sent_at_ms: int) -> bytes:
    """An NDEATH: the will, or said before a clean disconnect. It has no seq (specification 6.4.5)."""
    payload = Payload(timestamp=sent_at_ms)
    set_value(payload.metrics.add(name=BD_SEQ, timestamp=sent_at_ms, datatype=DataType.INT64), DataType.INT64, bd_seq)
    return payload.SerializeToString()


def encode_device_death(seq: int, sent_at_ms: int) -> bytes:
    """A DDEATH: the device cannot be read any more."""
    return Payload(timestamp=sent_at_ms, seq=seq).SerializeToString()


def decode_death(payload: Payload) -> int | None:
    """The bdSeq of an NDEATH, which tells whether it belongs to the present session; None where it carries none."""
    for metric in payload.metrics:
        if metric.name == BD_SEQ:
            value = get_value(metric, metric.datatype)
            return int(value) if isinstance(value, int) else None
    return None


def encode_state(state: HostState) -> bytes:
    """The JSON of a STATE message (specification 6.4.27)."""
    return json.dumps({"online": state.online, "timestamp": state.timestamp}).encode()


def decode_state(data: bytes) -> HostState:
    """Read a STATE message. Raises ValueError on garbage."""
    try:
        return msgspec.json.decode(data, type=HostState)
    except msgspec.DecodeError as error:
        raise ValueError(f"not a STATE message: {error}") from error


def parse_payload(data: bytes) -> Payload:
    """Parse a Sparkplug B payload. Raises ValueError on garbage."""
    try:
        return Payload.FromString(data)
    except DecodeError as error:
        raise ValueError(f"not a Sparkplug B payload of {len(data)} bytes: {error}") from error


def _pairs(flat: list[int]) -> tuple[BlockRange, ...]:
    if len(flat) % 2 or any(first > last for first, last in zip(flat[::2], flat[1::2], strict=True)):
        raise ValueError(f"acknowledged ranges are no pairs of first and last: {flat[:8]}")
    return tuple(zip(flat[::2], flat[1::2], strict=True))
