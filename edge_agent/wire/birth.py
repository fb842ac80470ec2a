"""NBIRTH and DBIRTH: what an edge node or a device has, with names, units and types."""

from collections.abc import Sequence
from itertools import count

import msgspec

from edge_agent.wire.channel import ChannelBirth, add_channel, first_sample, read_channel
from edge_agent.wire.metric import (
    DataType,
    Scalar,
    get_value,
    pack_uint64s,
    set_value,
    unpack_uint64s,
)
from edge_agent.wire.sample import Sample
from edge_agent.wire.sparkplug_b_pb2 import Metric, Payload

__all__ = [
    "ACKED",
    "ACKED_SPANS",
    "BD_SEQ",
    "BLOCK",
    "EPOCH",
    "GAP",
    "REBIRTH",
    "AcknowledgedRange",
    "Birth",
    "ChannelBirth",
    "command_aliases",
    "decode_birth",
    "encode_birth",
]

BD_SEQ = "bdSeq"
REBIRTH = "Node Control/Rebirth"
EPOCH = "Outbox/Epoch"
ACKED = "Outbox/Acked"
ACKED_SPANS = "Outbox/AckedSpans"
BLOCK = "Outbox/Block"
GAP = "Outbox/Gap"
ATTRIBUTE_PREFIX = "Properties/"
_RESERVED = {BD_SEQ, EPOCH, ACKED, ACKED_SPANS, BLOCK, GAP}


class AcknowledgedRange(msgspec.Struct, frozen=True):
    """Blocks `first` to `last`, both included, that were acknowledged, and the span of their samples (ms, UTC)."""

    first: int
    last: int
    from_ms: int
    to_ms: int


class Birth(msgspec.Struct, frozen=True, kw_only=True):
    """An edge node (device is None in its topic) or a device, with its channels and their first values.

    `block_alias` is the alias of the block number in later data messages; None for an edge of another make, whose
    samples carry no blocks. The rest belongs to a node's birth: `gap_alias` is the alias of gap records,
    `acknowledged` tells which blocks of this epoch the edge has let go because a centre held them. `command_aliases`
    are those of the epoch and of the acknowledged blocks in a command; encoding chooses them, decoding tells them.
    """

    channels: tuple[ChannelBirth, ...]
    samples: tuple[Sample, ...] = ()
    attributes: dict[str, str] = {}
    block_alias: int | None = None
    gap_alias: int | None = None
    bd_seq: int | None = None
    epoch: int | None = None
    acknowledged: tuple[AcknowledgedRange, ...] = ()
    command_aliases: tuple[int, int] | None = None


def encode_birth(birth: Birth, seq: int, sent_at_ms: int) -> bytes:
    """The payload of an NBIRTH (when `bd_seq` is set) or a DBIRTH, its metrics in order of time.

    Where blocks are numbered, what is no channel gets the free aliases that follow `block_alias`: leave room for them.
    """
    payload = Payload(timestamp=sent_at_ms, seq=seq)
    if birth.bd_seq is not None:
        _add(payload, BD_SEQ, DataType.INT64, birth.bd_seq, sent_at_ms)
        _add(payload, REBIRTH, DataType.BOOLEAN, False, sent_at_ms)
    if birth.epoch is not None:
        _add(payload, EPOCH, DataType.UINT64, birth.epoch, sent_at_ms)
        _add_acknowledged(payload, birth.acknowledged, sent_at_ms)
    for key, text in birth.attributes.items():
        _add(payload, ATTRIBUTE_PREFIX + key, DataType.STRING, text, sent_at_ms)
    if birth.block_alias is not None:
        _add(payload, BLOCK, DataType.UINT64, 0, sent_at_ms).alias = birth.block_alias
    if birth.gap_alias is not None:
        payload.metrics.add(
            name=GAP, alias=birth.gap_alias, timestamp=sent_at_ms, datatype=DataType.STRING, is_null=True
        )
    first = {sample.alias: sample for sample in birth.samples}
    for channel in birth.channels:
        add_channel(payload, channel, first.get(channel.alias or 0), sent_at_ms)
    _give_aliases(payload, birth)
    payload.metrics.sort(key=lambda metric: metric.timestamp)
    return payload.SerializeToString()


def command_aliases(birth: Birth) -> tuple[int, int] | None:
    """By which aliases a node that is born so is told the epoch and the acknowledged blocks; None where by name."""
    return decode_birth(Payload.FromString(encode_birth(birth, 0, 0))).command_aliases


def decode_birth(payload: Payload) -> Birth:
    """Read an NBIRTH or DBIRTH of any make. Raises ValueError where a metric has no name or a known field no sense."""
    channels: list[ChannelBirth] = []
    samples: list[Sample] = []
    attributes: dict[str, str] = {}
    special: dict[str, Metric] = {}
    for metric in payload.metrics:
        name = metric.name
        if not name:
            raise ValueError("a birth holds a metric without a name")
        if name in _RESERVED:
            special[name] = metric
        elif name.startswith(ATTRIBUTE_PREFIX):
            attributes[name.removeprefix(ATTRIBUTE_PREFIX)] = metric.string_value
        elif not name.startswith("Node Control/") and (channel := read_channel(metric)):
            channels.append(channel)
            samples.extend(first_sample(metric, channel, payload.timestamp))
    return Birth(
        channels=tuple(channels),
        samples=tuple(samples),
        attributes=attributes,
        block_alias=_alias(special.get(BLOCK)),
        gap_alias=_alias(special.get(GAP)),
        bd_seq=_whole(special.get(BD_SEQ)),
        epoch=_whole(special.get(EPOCH)),
        acknowledged=_acknowledged(special.get(ACKED), special.get(ACKED_SPANS)),
        command_aliases=_pair(_alias(special.get(EPOCH)), _alias(special.get(ACKED))),
    )


def _give_aliases(payload: Payload, birth: Birth) -> None:
    """Aliases for all or for none, but never for the rebirth (specification 6.4.6 and 5.21)."""
    if birth.block_alias is None:
        return
    without = {REBIRTH, *(channel.name for channel in birth.channels)}
    taken = {metric.alias for metric in payload.metrics}
    free = (alias for alias in count(birth.block_alias + 1) if alias not in taken)
    for metric in payload.metrics:
        if not metric.HasField("alias") and metric.name not in without:
            metric.alias = next(free)


def _add_acknowledged(payload: Payload, ranges: Sequence[AcknowledgedRange], at_ms: int) -> None:
    """The numbers of acknowledged blocks as the centre writes them, and the spans of their samples beside them.

    As bytes: arrays have types that hosts made before Sparkplug 3.0 do not know.
    """
    numbers = [number for one in ranges for number in (one.first, one.last)]
    spans = [bound_ms for one in ranges for bound_ms in (one.from_ms, one.to_ms)]
    acked = payload.metrics.add(name=ACKED, timestamp=at_ms, datatype=DataType.BYTES)
    acked.bytes_value = pack_uint64s(numbers)
    if ranges:
        spanned = payload.metrics.add(name=ACKED_SPANS, timestamp=at_ms, datatype=DataType.BYTES)
        spanned.bytes_value = pack_uint64s(spans)


def _acknowledged(acked: Metric | None, spans: Metric | None) -> tuple[AcknowledgedRange, ...]:
    """Ranges with their spans; none where the edge tells no spans. Raises ValueError where they do not fit."""
    if acked is None or spans is None:
        return ()
    numbers, bounds_ms = unpack_uint64s(acked.bytes_value), unpack_uint64s(spans.bytes_value)
    if len(numbers) != len(bounds_ms) or len(numbers) % 2:
        raise ValueError(f"{len(numbers)} numbers of acknowledged blocks and {len(bounds_ms)} times are no ranges")
    columns = (numbers[::2], numbers[1::2], bounds_ms[::2], bounds_ms[1::2])
    ranges = tuple(AcknowledgedRange(*ends) for ends in zip(*columns, strict=True))
    if any(one.first > one.last or one.from_ms > one.to_ms for one in ranges):
        raise ValueError("a range of acknowledged blocks ends before it begins")
    return ranges


def _pair(epoch: int | None, acked: int | None) -> tuple[int, int] | None:
    return None if epoch is None or acked is None else (epoch, acked)


def _alias(metric: Metric | None) -> int | None:
    return metric.alias if metric is not None and metric.HasField("alias") else None


def _whole(metric: Metric | None) -> int | None:
    return None if metric is None else int(get_value(metric, metric.datatype) or 0)


def _add(payload: Payload, name: str, datatype: DataType, value: Scalar, at_ms: int) -> Metric:
    metric = payload.metrics.add(name=name, timestamp=at_ms, datatype=datatype)
    set_value(metric, datatype, value)
    return metric
