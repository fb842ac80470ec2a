"""The samples of plain messages: their scanned columns with the meanings that the devices' births give them. Pure."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_agent.wire.data import unmarked
from edge_agent.wire.metric import DataType
from ingest_service.intake.alias_table import BLOCK, AliasTable, look_up
from ingest_service.intake.scanning import INT, LONG, Scan

_Int64s = NDArray[np.int64]
_BITS = np.zeros(256, np.uint64)
_BITS[[DataType.INT8, DataType.INT16, DataType.INT32, DataType.INT64]] = (8, 16, 32, 64)
_WHOLE_BITS = np.uint64(64)


class PlainSamples(msgspec.Struct, frozen=True):
    """Samples as columns, message after message: message i has the rows `[bounds[i], bounds[i + 1])`.

    `block` and `mark` (0 where a message has none) and `historical` are of each message.
    """

    series: NDArray[np.int32]
    measured_at_ms: _Int64s
    value: NDArray[np.float64]
    bounds: _Int64s
    block: Sequence[int]
    mark: Sequence[int]
    historical: Sequence[bool]

    def __len__(self) -> int:
        return len(self.series)


class Chosen(msgspec.Struct, frozen=True):
    """Rows of a scan: those of the messages that were chosen, in order."""

    alias: _Int64s
    measured_at_ms: _Int64s
    kind: NDArray[np.uint8]
    value: NDArray[np.float64]
    whole: NDArray[np.uint64]
    datatype: NDArray[np.uint8]
    historical: NDArray[np.bool_]


def read_plain(scanned: Scan, messages: _Int64s, tables: Sequence[AliasTable]) -> PlainSamples:
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


def _chosen(scanned: Scan, messages: _Int64s, lengths: _Int64s) -> Chosen:
    columns = [getattr(scanned, name) for name in Chosen.__struct_fields__]
    if lengths.sum() == len(scanned.alias):
        return Chosen(*columns)
    stops = np.cumsum(lengths)
    rows = np.arange(lengths.sum()) + np.repeat(scanned.bounds[messages] - (stops - lengths), lengths)
    return Chosen(*(column[rows] for column in columns))


def _blocks(
    messages: int, of: _Int64s, rows: Chosen, numbers: NDArray[np.bool_]
) -> tuple[Sequence[int], Sequence[int]]:
    """Block number and mark of each message; of several the last one, 0 where it is no long."""
    sent = np.zeros(messages, np.uint64)
    at = np.flatnonzero(numbers)
    sent[of[at]] = np.where(rows.kind[at] == LONG, rows.whole[at], np.uint64(0))
    pairs = [unmarked(number) for number in sent.tolist()]
    return [block for block, _ in pairs], [mark for _, mark in pairs]


def _signed(rows: Chosen, datatype: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The values, with whole numbers of a signed type read as two's complement."""
    bits = _BITS[datatype]
    at = np.flatnonzero((bits > 0) & ((rows.kind == INT) | (rows.kind == LONG)))
    if not len(at):
        return rows.value
    value = rows.value.copy()
    above = _WHOLE_BITS - bits[at]
    value[at] = (rows.whole[at] << above).view(np.int64) >> above.astype(np.int64)
    return value
