"""Reads the data payloads of many messages at once: arithmetic over their bytes, no object a sample. Pure.

Messages are `plain` when they are written as most are: fields in the order of their numbers, every metric by alias with
a number, no properties, no nulls. All others are left to the general decoder, which reads anything.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from ingest_service.columns import Bools, Bytes, Float64s, Int64s, Uint64s

INT, LONG, FLOAT, DOUBLE, BOOLEAN = 0x50, 0x58, 0x65, 0x69, 0x70  # the tag of the field that holds a metric's value

_TIMESTAMP, _METRIC, _SEQ = 0x08, 0x12, 0x18  # tags of the payload's fields
_ALIAS, _MEASURED, _DATATYPE, _HISTORICAL = 0x10, 0x18, 0x20, 0x28  # tags of a metric's fields
_MOST_METRICS = 512
_AT_ONCE = 1024
_WORD = 8
_LONGEST_BEHIND_TAG = 7  # bytes of a number in one word with its tag: 49 bits, enough for a time
_NOWHERE = -1
_CONTINUED = np.uint64(0x8080808080808080)
_ONE, _BYTE = np.uint64(1), np.uint64(8)
_LOW_BYTE = np.uint64(0xFF)
_ALL = np.uint64(2**64 - 1)
_WHOLE = (INT, LONG, BOOLEAN)
_HELD = {INT: np.uint64(0xFFFFFFFF), LONG: _ALL, BOOLEAN: _ALL}
_FOLDS = (  # 7-bit groups in 8-bit places, folded to 14, 28 and 56 bits
    (np.uint64(0x007F007F007F007F), np.uint64(0x7F007F007F007F00), np.uint64(1)),
    (np.uint64(0x00003FFF00003FFF), np.uint64(0x3FFF00003FFF0000), np.uint64(2)),
    (np.uint64(0x000000000FFFFFFF), np.uint64(0x0FFFFFFF00000000), np.uint64(4)),
)


class Scan(msgspec.Struct, frozen=True):
    """Payloads as columns. A message per payload: `plain`, when it was sent (ms, 0 where it does not say), `seq`.

    The metrics of plain message i are the rows `[bounds[i], bounds[i + 1])`: alias, time (ms), the tag of the field
    that held the value, the value as a number, its bits where it is a whole number, the data type (0 where the metric
    names none), and whether it is historical. Other messages have no rows.
    """

    plain: Bools
    sent_at_ms: Int64s
    seq: Int64s
    bounds: Int64s
    alias: Int64s
    measured_at_ms: Int64s
    kind: Bytes
    value: Float64s
    whole: Uint64s
    datatype: Bytes
    historical: Bools


def scan(payloads: Sequence[bytes]) -> Scan:
    """Read what is plain, so many messages at a time that their columns stay in the processor's cache."""
    parts = [_scanned(payloads[at : at + _AT_ONCE]) for at in range(0, len(payloads), _AT_ONCE)] or [_scanned(())]
    return joined(parts)


def _scanned(payloads: Sequence[bytes]) -> Scan:
    octets = b"".join((*payloads, bytes(2 * _WORD)))
    text = _Text(np.frombuffer(octets, np.uint8), _words(octets))
    lengths = np.fromiter(map(len, payloads), np.int64, len(payloads))
    stop = np.cumsum(lengths)
    outline = _outline(text, stop - lengths, stop)
    rows = _metrics(text, outline.start, outline.stop)
    plain = outline.plain.copy()
    plain[outline.message[~rows.sound]] = False
    return _assembled(outline, plain, rows)


class _Text(msgspec.Struct, frozen=True):
    """All payloads as bytes, and the eight bytes from each place on as a word."""

    byte: Bytes
    word: Uint64s


class _Outline(msgspec.Struct, frozen=True):
    """Of each message what stands beside its metrics, and of each metric its message and the bytes `[start, stop)`."""

    plain: Bools
    sent_at_ms: Int64s
    seq: Int64s
    message: Int64s
    start: Int64s
    stop: Int64s


class _Metrics(msgspec.Struct, frozen=True):
    """The fields of metrics; `sound` where all is as expected."""

    sound: Bools
    alias: Int64s
    measured_at_ms: Int64s
    kind: Bytes
    value: Float64s
    whole: Uint64s
    datatype: Bytes
    historical: Bools


def _words(octets: bytes) -> Uint64s:
    return np.ndarray(shape=(len(octets) - _WORD + 1,), dtype="<u8", buffer=octets, strides=(1,))


def _outline(text: _Text, begin: Int64s, end: Int64s) -> _Outline:
    """Walk all messages in step, metric by metric."""
    place, sent_at_ms, plain = _optional(text, begin, end, _TIMESTAMP)
    starts: list[Int64s] = []
    stops: list[Int64s] = []
    going = plain
    for _ in range(_MOST_METRICS):
        going = going & (place < end) & (text.byte[place] == _METRIC)
        if not going.any():
            break
        length = text.byte[np.where(going, place + 1, 0)].astype(np.int64)
        stop = place + 2 + length
        plain = plain & ~(going & ((length > 0x7F) | (stop > end)))  # texts or properties; torn off
        going &= plain
        starts.append(np.where(going, place + 2, _NOWHERE))
        place = np.where(going, stop, place)
        stops.append(place)
    place, seq, read = _optional(text, place, end, _SEQ)
    plain = plain & read & (place == end)
    message, start, stop = _rows(starts, stops, plain)
    return _Outline(plain, sent_at_ms, seq, message, start, stop)


def _rows(starts: list[Int64s], stops: list[Int64s], plain: Bools) -> tuple[Int64s, Int64s, Int64s]:
    """Message, first and last byte of every metric of plain messages, by message."""
    if not starts:
        nothing = np.empty(0, np.int64)
        return nothing, nothing, nothing
    start, stop = np.stack(starts, axis=1), np.stack(stops, axis=1)
    message, step = np.nonzero((start != _NOWHERE) & plain[:, None])
    return message, start[message, step], stop[message, step]


def _optional(text: _Text, place: Int64s, end: Int64s, tag: int) -> tuple[Int64s, Int64s, Bools]:
    """A number that may stand at `place` behind its tag: what follows it, the number (0), and whether it is whole.

    Where it is not whole, what follows is `end`.
    """
    word = text.word[place]
    there = ((word & _LOW_BYTE) == tag) & (place < end)
    number, width = _number(word >> _BYTE)
    after = place + 1 + width
    whole = ~there | ((width <= _LONGEST_BEHIND_TAG) & (after <= end))
    return np.where(there, np.minimum(after, end), place), np.where(there, number.astype(np.int64), 0), whole


def _number(word: Uint64s) -> tuple[Uint64s, Int64s]:
    """The variable-length number that begins a word, and its width in bytes (9 where it is longer than 8)."""
    ends = ~word & _CONTINUED
    first = ends & (~ends + _ONE)
    kept = first | (first - _ONE)
    width = np.bitwise_count(kept).astype(np.int64) >> 3
    number = word & kept & ~_CONTINUED
    for even, odd, by in _FOLDS:
        number = (number & even) | ((number & odd) >> by)
    return number, np.where(ends == 0, 9, width)


def _metrics(text: _Text, start: Int64s, stop: Int64s) -> _Metrics:
    """Read the fields of all metrics, each in its place."""
    word = text.word[start]
    sound = (word & _LOW_BYTE) == _ALIAS
    alias, width = _number(word >> _BYTE)
    sound &= width <= _LONGEST_BEHIND_TAG
    place = np.where(sound, np.minimum(start + 1 + width, stop), start)
    place, measured_at_ms, read = _optional(text, place, stop, _MEASURED)
    place, datatype = _small(text, place, _DATATYPE)
    place, historical = _small(text, place, _HISTORICAL)
    sound &= read & (datatype < 0x80) & (historical < 0x80)
    kind = text.byte[place]
    value, whole, after = _values(text, place + 1, kind)
    sound &= after == stop
    return _Metrics(sound, alias.astype(np.int64), measured_at_ms, kind, value, whole, datatype, historical != 0)


def _small(text: _Text, place: Int64s, tag: int) -> tuple[Int64s, Bytes]:
    """A number of one byte that may stand at `place`: what follows it, and the number (0)."""
    there = text.byte[place] == tag
    if not there.any():
        return place, np.zeros(len(place), np.uint8)
    return place + 2 * there, np.where(there, text.byte[place + there], 0).astype(np.uint8)


def _values(text: _Text, place: Int64s, kind: Bytes) -> tuple[Float64s, Uint64s, Int64s]:
    """Values at `place` by their kind, whole numbers as they are on the wire, and what follows; _NOWHERE for others."""
    value = np.zeros(len(place))
    whole = np.zeros(len(place), np.uint64)
    after = np.full(len(place), _NOWHERE)
    word = text.word[place]
    for tag in _WHOLE:
        rows = np.flatnonzero(kind == tag)
        number, width = _number(word[rows])
        whole[rows] = number & _HELD[tag]
        value[rows] = whole[rows] != 0 if tag == BOOLEAN else whole[rows]
        after[rows] = np.where(width <= _WORD, place[rows] + width, _NOWHERE)
    rows = np.flatnonzero(kind == FLOAT)
    with np.errstate(invalid="ignore"):  # a signalling NaN becomes a quiet one
        value[rows] = word[rows].astype(np.uint32).view(np.float32)
    after[rows] = place[rows] + 4
    rows = np.flatnonzero(kind == DOUBLE)
    value[rows] = word[rows].view(np.float64)
    after[rows] = place[rows] + 8
    return value, whole, after


def _assembled(outline: _Outline, plain: Bools, rows: _Metrics) -> Scan:
    """Without the rows of messages that proved not to be plain."""
    kept = plain[outline.message]
    counts = np.bincount(outline.message[kept], minlength=len(plain))
    bounds = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    columns = rows if kept.all() else _chosen(rows, kept)
    sent_at_ms = np.repeat(outline.sent_at_ms, counts)
    return Scan(
        plain=plain,
        sent_at_ms=outline.sent_at_ms,
        seq=outline.seq,
        bounds=bounds,
        alias=columns.alias,
        measured_at_ms=np.where(columns.measured_at_ms == 0, sent_at_ms, columns.measured_at_ms),
        kind=columns.kind,
        value=columns.value,
        whole=columns.whole,
        datatype=columns.datatype,
        historical=columns.historical,
    )


def _chosen(rows: _Metrics, kept: Bools) -> _Metrics:
    return _Metrics(*(getattr(rows, name)[kept] for name in _Metrics.__struct_fields__))


def joined(parts: Sequence[Scan]) -> Scan:
    """One scan of all their messages, in that order."""
    if len(parts) == 1:
        return parts[0]
    names = [name for name in Scan.__struct_fields__ if name != "bounds"]
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    lengths = np.concatenate([np.diff(part.bounds) for part in parts])
    return Scan(bounds=np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)]), **columns)
