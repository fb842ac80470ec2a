"""The samples of plain messages: their scanned columns with the meanings that the devices' births give them. Pure."""

from collections.abc import Sequence

import msgspec
import numpy as np

from edge_agent.wire.data import unmarked
from edge_agent.wire.metric import DataType
from ingest_service.columns import Bools, Bytes, Float64s, Int32s, Int64s, Uint64s
from ingest_service.intake.alias_table import BLOCK, AliasTable, look_up
from ingest_service.intake.scanning import INT, LONG, Scan

_BITS = np.zeros(256, np.uint64)
_BITS[[DataType.INT8, DataType.INT16, DataType.INT32, DataType.INT64]] = (8, 16, 32, 64)
_WHOLE_BITS = np.uint64(64)


class PlainSamples(msgspec.Struct, frozen=True):
    """Samples as columns, message after message: message i has the rows `[bounds[i], bounds[i + 1])`.

    `block` and `mark` (0 where a message has none) and `historical` are of each message.
    """

    series: Int32s
    measured_at_ms: Int64s
    value: Float64s
    bounds: Int64s
    block: Sequence[int]
    mark: Sequence[int]
    historical: Sequence[bool]

    def __len__(self) -> int:
        return len(self.series)


class Chosen(msgspec.Struct, frozen=True):
    """Rows of a scan: those of the messages that were chosen, in order."""

    alias: Int64s
    measured_at_ms: Int64s
    kind: Bytes
    value: Float64s
    whole: Uint64s
    datatype: Bytes
    historical: Bools


def read_plain(scanned: Scan, messages: Int64s, tables: Sequence[AliasTable]) -> PlainSamples:
    """The samples of those messages of a scan (ascending, plain), each read with the table of its device."""
    lengths = np.diff(scanned.bounds)[messages]
    rows = _chosen(scanned, messages, lengths)
    meanings = look_up(tables, lengths, rows.alias)
    of = np.repeat(np.arange(len(messages)), lengths)
    numbers = meanings.series == BLOCK
    block, mark = _blocks(len(messages), of, rows, numbers)
    value = _signed(rows, np.where(meanings.series < 0, rows.datatype, meanings.datatype))
    kept = ~numbers
    counts = np.bincount(of[kept], minlength=len(messages))
    historical = np.bincount(of[kept & rows.historical], minlength=len(messages)) > 0
    return PlainSamples(
        series=meanings.series[kept],
        measured_at_ms=rows.measured_at_ms[kept],
        value=value[kept],
        bounds=np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)]),
        block=block,
        mark=mark,
        historical=historical.tolist(),
    )


def _chosen(scanned: Scan, messages: Int64s, lengths: Int64s) -> Chosen:
    columns = [getattr(scanned, name) for name in Chosen.__struct_fields__]
    if lengths.sum() == len(scanned.alias):
        return Chosen(*columns)
    stops = np.cumsum(lengths)
    rows = np.arange(lengths.sum()) + np.repeat(scanned.bounds[messages] - (stops - lengths), lengths)
    return Chosen(*(column[rows] for column in columns))


def _blocks(messages: int, of: Int64s, rows: Chosen, numbers: Bools) -> tuple[Sequence[int], Sequence[int]]:
    """Block number and mark of each message; of several the last one, 0 where it is no long."""
    sent = np.zeros(messages, np.uint64)
    at = np.flatnonzero(numbers)
    sent[of[at]] = np.where(rows.kind[at] == LONG, rows.whole[at], np.uint64(0))
    pairs = [unmarked(number) for number in sent.tolist()]
    return [block for block, _ in pairs], [mark for _, mark in pairs]


def _signed(rows: Chosen, datatype: Bytes) -> Float64s:
    """The values, with whole numbers of a signed type read as two's complement."""
    bits = _BITS[datatype]
    at = np.flatnonzero((bits > 0) & ((rows.kind == INT) | (rows.kind == LONG)))
    if not len(at):
        return rows.value
    value = rows.value.copy()
    above = _WHOLE_BITS - bits[at]
    value[at] = (rows.whole[at] << above).view(np.int64) >> above.astype(np.int64)
    return value
