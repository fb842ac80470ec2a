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
    """An NCMD that asks the edge node for all its births. With the type: older edges cannot read a value without it."""
    payload = Payload(timestamp=sent_at_ms)
    payload.metrics.add(name=REBIRTH, timestamp=sent_at_ms, datatype=DataType.BOOLEAN, boolean_value=True)
    return payload.SerializeToString()


def encode_acknowledgement(
    acknowledgement: Acknowledgement, sent_at_ms: int, aliases: tuple[int, int] | None = None
) -> bytes:
    """An NCMD that lets the edge forget blocks: they are durable at the centre.

    `aliases` are those that the edge's birth gave (`command_aliases`); where it gave any, a name may not be used.
    """
    payload = Payload(timestamp=sent_at_ms)
    flat = [number for pair in acknowledgement.ranges for number in pair]
    epoch, acked = payload.metrics.add(timestamp=sent_at_ms), payload.metrics.add(timestamp=sent_at_ms)
    if aliases is None:
        epoch.name, acked.name = EPOCH, ACKED
    else:
        epoch.alias, acked.alias = aliases
    epoch.long_value, acked.bytes_value = acknowledgement.epoch, pack_uint64s(flat)
    return payload.SerializeToString()


def decode_command(data: bytes, aliases: tuple[int, int] | None = None) -> Command:
    """Read an NCMD; unknown metrics are ignored, a timestamp may be missing. Raises ValueError on garbage.

    `aliases` are those of the epoch and of the acknowledged blocks in the node's own birth.
    """
    payload = parse_payload(data)
    by_alias = dict(zip(aliases or (), (EPOCH, ACKED), strict=False))
    rebirth, epoch, ranges = False, None, None
    for metric in payload.metrics:
        name = metric.name or by_alias.get(metric.alias)
        if name == REBIRTH:
            rebirth = metric.boolean_value
        elif name == EPOCH:
            epoch = metric.long_value
        elif name == ACKED:
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
