"""NDATA and DDATA: the samples of one block, by alias."""

from collections.abc import Mapping, Sequence

import msgspec

from edge_agent.wire.birth import BLOCK
from edge_agent.wire.metric import DataType, add_property, get_value, read_properties, set_value
from edge_agent.wire.sample import Reason, Sample, reason_from_label
from edge_agent.wire.sparkplug_b_pb2 import Metric, Payload

QUALITY_BAD, QUALITY_GOOD, QUALITY_STALE = 0, 192, 500  # specification 3.0, section 6.4.15
_MARK_SHIFT, _MARK_BITS, _LEAST_MARK = 40, 0xFFFF, 0x8000


class Columns(msgspec.Struct):
    """Samples as parallel columns, as they came: `keys` are aliases, or names where the sender uses none.

    A bad sample has value NaN. Text values are kept apart, they are no time series.
    """

    keys: list[int | str]
    measured_at_ms: list[int]
    values: list[float]
    reasons: list[int]
    texts: list[tuple[int | str, int, str]]


class DataMessage(msgspec.Struct):
    """One NDATA or DDATA. `block` is 0 where the sender numbers no blocks, `mark` where it does not say whose it is."""

    sent_at_ms: int
    seq: int
    block: int
    historical: bool
    columns: Columns
    mark: int = 0


def mark_of(epoch: int) -> int:
    """What tells in each message from which outbox its block is: two edges of one name must not be taken for one."""
    return _LEAST_MARK | epoch & (_LEAST_MARK - 1)


def marked(block: int, mark: int) -> int:
    """The block number as it travels: the mark in bits 40 to 55, so that its length on the wire is always the same."""
    return block | mark << _MARK_SHIFT


def unmarked(sent: int) -> tuple[int, int]:
    """The block number and the mark of what travelled."""
    mark = sent >> _MARK_SHIFT & _MARK_BITS
    return sent ^ mark << _MARK_SHIFT, mark


def encode_data(
    samples: Sequence[Sample],
    datatypes: Mapping[int, DataType],
    *,
    seq: int,
    sent_at_ms: int,
    block: int,
    block_alias: int,
    historical: bool,
    mark: int = 0,
) -> bytes:
    """The payload of an NDATA or DDATA; every metric of a historical one is marked so.

    `datatypes` gives each alias its type of the birth, `mark` is that of the outbox (`mark_of`). Samples must be in
    order of time; the block number has the time of the first, for metrics are in order of time (specification 5.20).
    """
    payload = Payload(timestamp=sent_at_ms, seq=seq)
    first_ms = samples[0].measured_at_ms if samples else sent_at_ms
    number = payload.metrics.add(alias=block_alias, timestamp=first_ms, long_value=marked(block, mark))
    if historical:
        number.is_historical = True
    for sample in samples:
        metric = payload.metrics.add(alias=sample.alias, timestamp=sample.measured_at_ms)
        if historical:
            metric.is_historical = True
        if sample.value is None:
            metric.is_null = True
            add_property(metric.properties, "Quality", QUALITY_BAD)
        else:
            set_value(metric, datatypes[sample.alias], sample.value)
        if sample.reason is not Reason.GOOD:
            add_property(metric.properties, "Reason", sample.reason.label)
    return payload.SerializeToString()


def decode_data(payload: Payload, datatypes: Mapping[int | str, DataType], block_alias: int | None) -> DataMessage:
    """Read an NDATA or DDATA of any make; `datatypes` by alias and by name, from the birth.

    A sample of an unknown key keeps its key: whoever admits it decides. Raises ValueError for a metric with neither
    alias nor name.
    """
    message = DataMessage(payload.timestamp, payload.seq, 0, False, Columns([], [], [], [], []))
    for metric in payload.metrics:
        if not metric.HasField("alias") and not metric.name:
            raise ValueError("a data message holds a metric with neither alias nor name")
        key: int | str = metric.alias if metric.HasField("alias") else metric.name
        if (block_alias is not None and key == block_alias) or key == BLOCK:
            message.block, message.mark = unmarked(metric.long_value)
            continue
        message.historical |= metric.is_historical
        _append(message.columns, key, metric, metric.timestamp or payload.timestamp, datatypes.get(key))
    return message


def _append(columns: Columns, key: int | str, metric: Metric, at_ms: int, datatype: DataType | None) -> None:
    value = get_value(metric, datatype if datatype is not None else metric.datatype)
    if isinstance(value, str):
        columns.texts.append((key, at_ms, value))
        return
    columns.keys.append(key)
    columns.measured_at_ms.append(at_ms)
    columns.values.append(float("nan") if value is None else float(value))
    columns.reasons.append(_reason(metric, value is None))


def _reason(metric: Metric, missing: bool) -> int:
    keys = metric.properties.keys
    if "Quality" not in keys and "Reason" not in keys:  # all that a birth says otherwise need not be read
        return Reason.BAD if missing else Reason.GOOD
    found = read_properties(metric.properties.SerializeToString())
    quality = found.get("Quality", QUALITY_BAD if missing else QUALITY_GOOD)
    label = str(found.get("Reason", ""))
    if quality == QUALITY_STALE:
        return Reason.STALE
    bad = missing or quality == QUALITY_BAD
    if not label:
        return Reason.BAD if bad else Reason.GOOD
    return reason_from_label(label, bad=bad)
